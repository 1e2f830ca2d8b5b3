"""The only place where FLOPs, bytes and dollars are counted; each factor with its source. Depends on numpy alone."""

from t2scaling.costs.base import PAPER, CostModel, PaperCost
from t2scaling.costs.flops import (
    attention_flops,
    forward_flops,
    matched_inference_factor,
    query_flops,
    sample_flops,
    samples_afforded,
    tokens_afforded,
    train_flops,
    train_flops_per_token,
)
from t2scaling.costs.gpus import GPU, GPUS, gpu
from t2scaling.costs.memory import KineticsCost, kinetics_cost, kv_bytes_per_token
from t2scaling.costs.money import Price, serving_dollars
from t2scaling.costs.params import CONVENTIONS, Convention, Shape, ShapeLike, n_params, param_groups
from t2scaling.costs.serving import Constants, Serving
from t2scaling.costs.shapes import typical_shape

__all__ = [
    "CONVENTIONS",
    "GPU",
    "GPUS",
    "PAPER",
    "Constants",
    "Convention",
    "CostModel",
    "KineticsCost",
    "PaperCost",
    "Price",
    "Serving",
    "Shape",
    "ShapeLike",
    "attention_flops",
    "forward_flops",
    "gpu",
    "kinetics_cost",
    "kv_bytes_per_token",
    "matched_inference_factor",
    "n_params",
    "param_groups",
    "query_flops",
    "sample_flops",
    "samples_afforded",
    "serving_dollars",
    "tokens_afforded",
    "train_flops",
    "train_flops_per_token",
    "typical_shape",
]
