"""PLAN: model shapes, N × D grids, recipes, and what a suite costs before anything starts.

Imports only the standard library, `costs` and the modules at the root; no torch.
"""

from t2scaling.suite.grid import BatchRule, Cell, cell, fixed_batch, isoflop_grid, levels
from t2scaling.suite.recipes import RECIPES, gpu_hour, load_suite, paper, tiny, world
from t2scaling.suite.shape import ModelShape
from t2scaling.suite.suite import Suite
from t2scaling.suite.training import TrainingConfig

__all__ = [
    "RECIPES",
    "BatchRule",
    "Cell",
    "ModelShape",
    "Suite",
    "TrainingConfig",
    "cell",
    "fixed_batch",
    "gpu_hour",
    "isoflop_grid",
    "levels",
    "load_suite",
    "paper",
    "tiny",
    "world",
]
