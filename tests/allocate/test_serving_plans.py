"""Plans under the serving cost: a few of the settings that benchmarks/serving_plans.py tries by the hundred."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def plans():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        spec = importlib.util.spec_from_file_location("serving_plans", BENCHMARKS / "serving_plans.py")
        module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module


@pytest.mark.parametrize("seed", range(6))
def test_no_plan_is_worse_than_brute_force_and_more_never_hurts(plans, seed):
    setting = plans.random_setting(np.random.default_rng(seed))
    worse, gain = plans.gap(setting)
    assert worse <= 1e-6
    assert gain >= -1e-9


@pytest.mark.parametrize("seed", range(3))
def test_without_overheads_the_plan_is_that_of_two_n_k(plans, seed):
    setting = plans.random_setting(np.random.default_rng(seed))
    assert plans.ideal_gap(setting.law) <= 1e-9
