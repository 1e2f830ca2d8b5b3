"""TRAIN: one loop that trains a run of a suite, resumable at any moment (torch, transformers)."""

from t2scaling.testbed.pretrain.checkpoint import DiskError
from t2scaling.testbed.pretrain.loop import DivergedError
from t2scaling.testbed.pretrain.plan import bytes_needed, check_plan, prepare_corpus
from t2scaling.testbed.pretrain.record import read_run
from t2scaling.testbed.pretrain.train import pretrain

__all__ = ["DiskError", "DivergedError", "bytes_needed", "check_plan", "prepare_corpus", "pretrain", "read_run"]
