"""The only place where FLOPs, bytes and dollars are counted; each factor with its source. Depends on numpy alone."""

from t2scaling.costs.flops import (
    attention_flops,
    forward_flops,
    matched_inference_factor,
    query_flops,
    sample_flops,
    train_flops,
    train_flops_per_token,
)
from t2scaling.costs.gpus import GPU, GPUS, gpu
from t2scaling.costs.memory import KineticsCost, kinetics_cost, kv_bytes_per_token
from t2scaling.costs.money import Price, serving_dollars
from t2scaling.costs.params import CONVENTIONS, Convention, Shape, ShapeLike, n_params, param_groups

__all__ = [
    "CONVENTIONS",
    "GPU",
    "GPUS",
    "Convention",
    "KineticsCost",
    "Price",
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
    "serving_dollars",
    "train_flops",
    "train_flops_per_token",
]
