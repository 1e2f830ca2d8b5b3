"""PLAN: model shapes, N × D grids, recipes, and what a suite costs before anything starts.

Imports only the standard library, `costs` and the modules at the root; no torch.
"""

from t2scaling.testbed.suite.cost import SuiteCost, suite_cost, wsd_flops
from t2scaling.testbed.suite.grid import (
    BatchRule,
    Cell,
    cell,
    fixed_batch,
    isoflop_grid,
    levels,
    share_batches,
    with_seeds,
)
from t2scaling.testbed.suite.memory import USABLE, activation_bytes, gpus_needed, training_bytes
from t2scaling.testbed.suite.recipes import RECIPES, custom, english, gpu_hour, load_suite, paper, tiny, world
from t2scaling.testbed.suite.shape import ModelShape
from t2scaling.testbed.suite.suite import Suite
from t2scaling.testbed.suite.training import TrainingConfig, decay_steps

__all__ = [
    "RECIPES",
    "USABLE",
    "BatchRule",
    "Cell",
    "ModelShape",
    "Suite",
    "SuiteCost",
    "TrainingConfig",
    "activation_bytes",
    "cell",
    "custom",
    "decay_steps",
    "english",
    "fixed_batch",
    "gpu_hour",
    "gpus_needed",
    "isoflop_grid",
    "levels",
    "load_suite",
    "paper",
    "share_batches",
    "suite_cost",
    "tiny",
    "training_bytes",
    "with_seeds",
    "world",
    "wsd_flops",
]
