"""What k samples of a query cost on a GPU: a roofline with an overhead per decoding step.

A replica of `tp` GPUs decodes B sequences at once. Symbols: L layers, d width, h query heads of head_dim, P and T
tokens of prompt and answer, s = P + T/2 the mean context, N parameters (layers and head), b bytes per weight,
kv bytes that one token leaves in the cache.

    prefill   t_pre  = (2·N·P + 2·L·h·head_dim·P²) / (tp·peak·eta_f)            once per query where samples share it
    one step  t_step = max(N·b/(tp·bandwidth·eta_w), 2·N·B/(tp·peak·eta_f)) + B·s·kv/(tp·bandwidth·eta_kv)
                       + t_0 + L·t_L + [tp > 1]·2L·(t_c + 4·B·d/link)
    a query   tp·(t_pre + k·T·t_step/B)  GPU-seconds

B is the one free parameter of traffic: a number, as many as fit in memory ("max"), or as many as keep a step within
a limit. With a shared prompt, k samples hold its cache once, so that more sequences fit as k grows. Written with
r = k/B every term is linear in k and the two maxima are maxima of lines: the cost of a query is the largest of four
lines in k, which is exact and can be turned round (`samples`).

The weights' and cache's times follow the roofline of Pope et al. 2022 (arXiv 2211.05102); the six constants are
fitted to measured throughput by `scripts/fit_serving.py` and stored with their provenance in serving_constants.json.
Below 0.6 billion parameters the overheads are extrapolated: no measured model is smaller.
"""

import json
from dataclasses import dataclass, field
from functools import lru_cache, reduce
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike

from t2scaling.arrays import Array, Flags
from t2scaling.costs import flops
from t2scaling.costs.base import FlopsTraining, check_amounts
from t2scaling.costs.gpus import GPU
from t2scaling.costs.gpus import gpu as find_gpu
from t2scaling.costs.memory import kv_bytes_per_token
from t2scaling.costs.params import ShapeLike, n_params
from t2scaling.costs.shapes import VOCABULARY, typical_shape
from t2scaling.errors import ArgumentError, unknown

# Bytes per weight or cached value, and the units that multiply (weights of four bits are widened before they are).
PRECISIONS: dict[str, tuple[float, str]] = {
    "bf16": (2.0, "bf16"),
    "fp8": (1.0, "fp8"),
    "int8": (1.0, "int8"),
    "int4": (0.5, "bf16"),
}
MEMORY_SHARE = 0.9  # of a GPU's memory that weights and cache may fill (vLLM's default)
MOST_SEQUENCES = 2048  # in flight on one replica (TensorRT-LLM's default max_batch_size)


@dataclass(frozen=True)
class Constants:
    """What measurements say of real kernels.

    eta_w, eta_f, eta_kv   share of the data sheet reached: reading weights, multiplying, reading the cache
    step, layer            seconds of overhead per decoding step, and per layer of it
    exchange               seconds per exchange between GPUs (two per layer)
    """

    eta_w: float
    eta_f: float
    eta_kv: float
    step: float
    layer: float
    exchange: float


@lru_cache(maxsize=1)
def shipped_constants() -> Constants:
    """The constants fitted to public measurements; serving_constants.json says to which."""
    content = json.loads((Path(__file__).parent / "serving_constants.json").read_text(encoding="utf-8"))
    return Constants(**content["constants"])


@dataclass(frozen=True)
class Serving(FlopsTraining):
    """A cost model of sampling on GPUs; `train` stays 6·N·D FLOPs.

    gpu, tp            the GPU (name or `GPU`) and how many of them hold one copy of the model
    weights, cache     precision: bf16, fp8, int8, int4 (weights only)
    prompt_tokens      of a query, read once where the samples share it
    answer_tokens      of one sample
    batch              sequences in flight on a replica, or "max": as many as memory holds, `most_sequences` at most
    step_seconds       instead of a batch: as many as keep one decoding step within this limit
    shared_prompt      the k samples of a query share the prompt's computation and cache
    shared_reads       attention reads the shared prompt once for all samples (Kinetics' accounting, arXiv 2506.05333)
    total_per_active   parameters stored over parameters used per token: 1, or more for a mixture of experts
    unit               what `serve` counts per query: "gpu_seconds" or "dollars"
    dollars_per_hour   of one GPU; None for the table's price

    Raises ArgumentError for numbers that cannot be.

    >>> serve = Serving(gpu="h100", prompt_tokens=1024, answer_tokens=512, batch=32)
    >>> bool(serve.serve(8e9, 16) < 16 * serve.serve(8e9, 1))
    True
    """

    gpu: str | GPU = "h100"
    tp: int = 1
    weights: str = "bf16"
    cache: str = "bf16"
    prompt_tokens: float = 512
    answer_tokens: float = 256
    batch: float | Literal["max"] = "max"
    step_seconds: float | None = None
    shared_prompt: bool = True
    shared_reads: bool = False
    most_sequences: float = MOST_SEQUENCES
    total_per_active: float = 1.0
    vocab_size: float = VOCABULARY
    unit: Literal["gpu_seconds", "dollars"] = "gpu_seconds"
    dollars_per_hour: float | None = None
    constants: Constants = field(default_factory=shipped_constants)

    name: ClassVar[str] = "serving"
    label: ClassVar[str] = "GPU time of prompt and answers"
    product: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_amounts(self, "answer_tokens", "most_sequences", "step_seconds", "dollars_per_hour", "vocab_size", "tp")
        check_amounts(self, "total_per_active")
        check_amounts(self, "prompt_tokens", zero=True)
        if self.batch != "max" and not (isinstance(self.batch, int | float) and 1 <= self.batch < np.inf):
            raise ArgumentError(f"`batch` = {self.batch!r} must be sequences in flight (1 or more), or 'max'.")
        if self.batch != "max" and self.step_seconds is not None:
            raise ArgumentError("`batch` and `step_seconds` both decide how many are in flight: give one.")
        if int(self.tp) != self.tp or self.tp < 1:
            raise ArgumentError(f"`tp` = {self.tp} must be a whole number of GPUs, 1 or more.")
        if not self.total_per_active >= 1:
            raise ArgumentError(f"`total_per_active` = {self.total_per_active:g} must be 1 (dense) or more.")
        if self.unit not in ("gpu_seconds", "dollars"):
            raise unknown("unit", self.unit, ("gpu_seconds", "dollars"))
        for name, value in (("weights", self.weights), ("cache", self.cache)):
            known = PRECISIONS if name == "weights" else ("bf16", "fp8", "int8")
            if value not in known:
                raise unknown(name, value, known)
        self.hardware.peak(PRECISIONS[self.weights][1])
        if self.unit == "dollars":
            _ = self._dollars_per_second

    @property
    def hardware(self) -> GPU:
        """The GPU."""
        return find_gpu(self.gpu)

    @property
    def serve_unit(self) -> str:
        """What `serve` counts."""
        return f"{self.unit.replace('gpu', 'GPU').replace('_', '-')} per query"

    def serve(self, N: ArrayLike, k: ArrayLike) -> Array:
        """Cost of one query with k samples of a model of N parameters; infinite where it does not fit in memory."""
        cost = self.gpu_seconds(np.asarray(N, dtype=float), k)
        return cost * self._dollars_per_second if self.unit == "dollars" else cost

    def samples(self, N: ArrayLike, serve_budget: ArrayLike) -> Array:
        """k that a budget per query affords at size N: below 1 where not even one sample, 0 where it does not fit."""
        budget = np.asarray(serve_budget, dtype=float)
        seconds = budget / self._dollars_per_second if self.unit == "dollars" else budget
        shape = self._shape(np.asarray(N, dtype=float))
        with np.errstate(invalid="ignore"):
            k = reduce(np.minimum, [(seconds / self.tp - start) / slope for start, slope in self._lines(shape)])
        return np.where(self.fits(shape), np.maximum(k, 0.0), 0.0)

    def gpu_seconds(self, shape: ShapeLike | ArrayLike, k: ArrayLike = 1.0) -> Array:
        """GPU-seconds of one query with k samples, for a shape or a number (or array) N; infinite where it cannot fit.

        Raises ArgumentError where k < 1.
        """
        k = np.asarray(k, dtype=float)
        if np.any(~(k >= 1)):
            raise ArgumentError(f"`k` = {float(np.min(k)):g} is below one sample: use k ≥ 1.")
        shape = self._shape(shape)
        with np.errstate(invalid="ignore"):
            seconds = reduce(np.maximum, [start + slope * k for start, slope in self._lines(shape)])
        return np.where(self.fits(shape), self.tp * seconds, np.inf)

    def seconds_per_token(self, shape: ShapeLike | ArrayLike) -> Array:
        """Seconds of one decoding step at the batch in flight, mean over the answer (k = 1)."""
        shape = self._shape(shape)
        B = self.sequences(shape)
        weights, product, per_sequence, fixed = self._step(shape, B)
        read, multiply = np.asarray(weights), np.asarray(product)
        return np.asarray(np.maximum(read, multiply * B) + per_sequence * B + fixed)

    def tokens_per_second(self, shape: ShapeLike | ArrayLike) -> Array:
        """Answer tokens per second of one replica at that batch, the prompts' prefill included (k = 1)."""
        seconds = self.gpu_seconds(shape, 1.0) / self.tp
        with np.errstate(divide="ignore"):
            return np.asarray(self.answer_tokens / seconds)

    def sequences(self, shape: ShapeLike | ArrayLike, k: ArrayLike = 1.0) -> Array:
        """B, the sequences in flight on one replica: what was asked for, or what memory holds where that is less."""
        shape, k = self._shape(shape), np.asarray(k, dtype=float)
        shared = k if self.shared_prompt else 1.0
        held = self._cache_tokens(shape) / (self.prompt_tokens / shared + self.answer_tokens / 2)
        return np.minimum(self._asked(shape), held)

    def fits(self, shape: ShapeLike | ArrayLike) -> Flags:
        """Whether the model and the cache of one sequence fit in the memory of `tp` GPUs, and the limit can be met."""
        return np.asarray(self.sequences(shape) >= 1)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for plan.json."""
        names = [name for name in self.__dataclass_fields__ if name not in ("gpu", "constants")]
        values = {name: getattr(self, name) for name in names}
        return {"name": self.name, "gpu": self.hardware.name, **values, "constants": dict(vars(self.constants))}

    @property
    def _dollars_per_second(self) -> float:
        hourly = self.hardware.dollars_per_hour if self.dollars_per_hour is None else self.dollars_per_hour
        if hourly is None:
            raise ArgumentError(f"`price` is missing: the table has none for {self.hardware.name}; say $ per GPU-hour.")
        return hourly / 3600

    def _shape(self, shape: Any) -> Any:
        return shape if hasattr(shape, "depth") else typical_shape(shape, self.vocab_size)

    def _cache_tokens(self, shape: Any) -> Array:
        """Tokens whose cache fits beside the weights; 0 where the weights alone do not fit."""
        size = PRECISIONS[self.weights][0]
        stored = (n_params(shape) * self.total_per_active + shape.vocab_size * shape.width) * size
        free = MEMORY_SHARE * self.tp * self.hardware.memory - stored
        return np.maximum(free, 0.0) / kv_bytes_per_token(shape, PRECISIONS[self.cache][0])

    def _asked(self, shape: Any) -> Array:
        """Sequences in flight if memory were no limit."""
        if self.step_seconds is None:
            return np.asarray(float(self.most_sequences if self.batch == "max" else self.batch))
        weights, product, per_sequence, fixed = self._step(shape, np.inf)
        left = self.step_seconds - fixed
        most = np.minimum((left - weights) / per_sequence, left / (product + per_sequence))
        return np.asarray(np.minimum(most, self.most_sequences))

    def _step(self, shape: Any, B: ArrayLike) -> tuple[Any, Any, Any, Any]:
        """Seconds of one step: reading the weights; per sequence multiplying, and reading cache and exchanging; the
        fixed overhead. B decides which share of a mixture's experts is read.
        """
        c, chip, N = self.constants, self.hardware, n_params(shape)
        size, units = PRECISIONS[self.weights]
        stored = N * self.total_per_active
        read = N if self.total_per_active == 1 else stored * -np.expm1(B * np.log1p(-N / stored))
        bandwidth, peak = self.tp * chip.bandwidth, self.tp * chip.peak(units) * c.eta_f
        kv = kv_bytes_per_token(shape, PRECISIONS[self.cache][0])
        per_sequence = (self.prompt_tokens + self.answer_tokens / 2) * kv / (bandwidth * c.eta_kv)
        fixed = c.step + shape.depth * c.layer
        if self.tp > 1:
            per_sequence = per_sequence + 8 * shape.depth * shape.width / chip.link
            fixed = fixed + 2 * shape.depth * c.exchange
        return read * size / (bandwidth * c.eta_w), flops.sample_flops(N, 1.0) / peak, per_sequence, fixed

    def _lines(self, shape: Any) -> list[tuple[Array, Array]]:
        """Four (start, slope): a replica's seconds of a query with k samples are the largest start + slope·k.

        k·t_step/B = max(read·r, multiply·k) + per_sequence·k + fixed·r with r = k/B = max(k/asked, k/held), and
        k/held = (P + k·T/2)/cache with a shared prompt. Two choices of r by two of the first maximum: four lines.
        """
        P, T = self.prompt_tokens, self.answer_tokens
        asked, cache = self._asked(shape), self._cache_tokens(shape)
        read, multiply, per_sequence, fixed = self._step(shape, self.sequences(shape))
        prompts, prefill = self._prefill(shape)
        kv_prompt = 0.0
        if self.shared_reads and self.shared_prompt:
            kv = kv_bytes_per_token(shape, PRECISIONS[self.cache][0])
            kv_prompt = P * kv / (self.tp * self.hardware.bandwidth * self.constants.eta_kv)
        with np.errstate(divide="ignore", invalid="ignore"):
            by_count = (0.0, 1 / asked)
            by_memory = (P / cache, T / 2 / cache) if self.shared_prompt else (0.0, (P + T / 2) / cache)
            return [
                (
                    prefill + T * (kv_prompt + (fixed + read * reads) * r0),
                    prompts + T * (per_sequence - kv_prompt + multiply * (1 - reads) + (fixed + read * reads) * r1),
                )
                for r0, r1 in (by_count, by_memory)
                for reads in (0.0, 1.0)
            ]

    def _prefill(self, shape: Any) -> tuple[Array, Array]:
        """(seconds per sample, seconds per query) of reading the prompt: one of them is zero."""
        rate = self.tp * self.hardware.peak(PRECISIONS[self.weights][1]) * self.constants.eta_f
        P = self.prompt_tokens
        seconds = (flops.sample_flops(n_params(shape), 1.0) * P + flops.attention_flops(shape, P / 2) * P) / rate
        none = np.zeros_like(seconds)
        return (none, seconds) if self.shared_prompt else (seconds, none)
