"""A short attack on every reader; `benchmarks/attack.py` makes the long one, with the same trials."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import originals
import pool
import settings
import trials

QUICK = [kind for kind in trials.INPUTS if kind not in ("checkpoint", "study.yaml")]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The originals that are costly to make."""
    folder = tmp_path_factory.mktemp("originals")
    originals.build(folder)
    return folder


def faults(found: list[dict[str, Any]]) -> list[str]:
    """The outcomes that must not be, in words."""
    bad = [one for one in found if one["outcome"] not in ("read", "refused")]
    return [f"{one['kind']}:{one['seed']} {one['outcome']}: {one['message']}" for one in bad]


@pytest.mark.parametrize("kind", [*QUICK, *trials.ARTEFACTS])
def test_hostile_files_are_read_right_or_refused(kind: str, shared: Path, tmp_path: Path) -> None:
    found = []
    for seed in range(25):
        work = tmp_path / str(seed)
        work.mkdir()
        found.append({"kind": kind, "seed": seed, **trials.run(kind, seed, shared, work)})
    assert not faults(found)
    assert Counter(one["outcome"] for one in found)["refused"] > 2  # the inputs are hostile


def test_hostile_settings_are_answered_or_refused(shared: Path) -> None:
    found = [{"kind": "settings", "seed": seed, **settings.run(seed, shared)} for seed in range(40)]
    assert not faults(found)


def test_bombs_do_not_go_off(shared: Path) -> None:
    assert not faults(list(pool.attack([("bombs", seed) for seed in range(6)], shared, 1)))


def test_the_judge_sees_what_is_wrong(shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(trial: trials.Trial) -> str:
        monkeypatch.setitem(trials.INPUTS, "csv", lambda rng, work, shared: trial)
        return str(trials.run("csv", 0, shared, tmp_path)["outcome"])

    def refuse(message: str) -> trials.Trial:
        def act() -> None:
            raise trials.T2Error(message)

        return trials.Trial(act, ("a.csv",))

    assert run(refuse("`a.csv`: it is empty. Write it again.")) == "refused"
    assert run(refuse("it is empty. Write it again.")) == "poor"
    assert run(refuse("`a.csv`: it is empty.")) == "poor"
    assert run(trials.Trial(lambda: 1 / 0, ("a.csv",))) == "uncaught"
    assert run(trials.Trial(lambda: 1, ("a.csv",), use=lambda read: read / 0)) == "uncaught"
    assert run(trials.Trial(lambda: 1, ("a.csv",), witness=lambda read: "two")) == "differs"
