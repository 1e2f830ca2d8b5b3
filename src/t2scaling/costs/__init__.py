"""The only place where FLOPs, bytes and dollars are counted; each factor with its source. Depends on numpy alone."""

from t2scaling.costs.base import PAPER, CostModel, PaperCost
from t2scaling.costs.flops import (
    attention_flops,
    forward_flops,
    matched_inference_factor,
    sample_flops,
    samples_afforded,
    tokens_afforded,
    train_flops,
    train_flops_per_token,
)
from t2scaling.costs.gpus import GPU, GPUS, gpu
from t2scaling.costs.kinetics import KineticsCost, kinetics_cost
from t2scaling.costs.memory import kv_bytes_per_token
from t2scaling.costs.money import Price
from t2scaling.costs.params import CONVENTIONS, Convention, Shape, ShapeLike, n_params, param_groups
from t2scaling.costs.query import QueryCost
from t2scaling.costs.registry import COSTS, cost_from_dict
from t2scaling.costs.sardana import SardanaCost
from t2scaling.costs.serving import Constants, Serving
from t2scaling.costs.shapes import typical_shape

__all__ = [
    "CONVENTIONS",
    "COSTS",
    "GPU",
    "GPUS",
    "PAPER",
    "Constants",
    "Convention",
    "CostModel",
    "KineticsCost",
    "PaperCost",
    "Price",
    "QueryCost",
    "SardanaCost",
    "Serving",
    "Shape",
    "ShapeLike",
    "attention_flops",
    "cost_from_dict",
    "forward_flops",
    "gpu",
    "kinetics_cost",
    "kv_bytes_per_token",
    "matched_inference_factor",
    "n_params",
    "param_groups",
    "sample_flops",
    "samples_afforded",
    "tokens_afforded",
    "train_flops",
    "train_flops_per_token",
    "typical_shape",
]
