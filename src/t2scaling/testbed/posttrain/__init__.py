"""TUNE: fine-tune a pretrained run on a task's training questions (torch, transformers)."""

from t2scaling.testbed.posttrain.tune import MODES, TuneConfig, posttrain

__all__ = ["MODES", "TuneConfig", "posttrain"]
