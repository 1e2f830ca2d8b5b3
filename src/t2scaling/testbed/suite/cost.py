"""What a suite costs before anything starts: FLOPs of either schedule, hours and dollars on a named device.

cosine   every cell is a run of its own: Σ 6·N·D
wsd      cells of one size share a trunk of constant rate up to the longest branch, and each adds its own decay:
         per size 6·N·(max (D − d) + Σ d), d the tokens of a cell's decay
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np

from t2scaling.costs import GPUS, Price, train_flops, train_flops_per_token
from t2scaling.errors import unknown
from t2scaling.testbed.suite.suite import Suite
from t2scaling.testbed.suite.training import decay_steps

# 6·N FLOPs per second of one CPU thread by N: benchmarks/training.py on a server core (AVX-512) in CPU seconds, and for
# the smallest size what the world suite reached.
CPU_PARAMS = (5.8e3, 1.5e4, 4.0e4, 1.8e5, 8.5e5)
CPU_FLOPS_PER_SECOND = (5e9, 13e9, 22e9, 34e9, 48e9)


@dataclass(frozen=True)
class SuiteCost:
    """The bill of a suite.

    cosine_flops, wsd_flops   6·N·D summed for either schedule
    flops                     of the suite's own schedule
    device                    what it is priced on
    hours                     of one device, or of one CPU thread
    dollars                   None where the device has no price
    """

    cosine_flops: float
    wsd_flops: float
    flops: float
    device: str
    hours: float
    dollars: float | None

    @property
    def wsd_fraction(self) -> float:
        """FLOPs of the shared trunks and decays over those of one cosine run per cell."""
        return self.wsd_flops / self.cosine_flops


def wsd_flops(suite: Suite) -> float:
    """6·N·tokens of shared trunks and separate decays, whatever the suite's own schedule."""
    return sum(float(train_flops(n_params, tokens)) for n_params, tokens in _wsd_tokens(suite))


def _wsd_tokens(suite: Suite) -> list[tuple[int, int]]:
    """(N, tokens) of each size's trunk and of each cell's decay."""
    trunks: dict[object, tuple[int, int]] = defaultdict(lambda: (0, 0))
    decays = []
    for cell in suite.cells:
        steps = suite.steps(cell)
        decay = decay_steps(steps, suite.training)
        per_step = cell.n_tokens // steps
        decays.append((cell.n_params, decay * per_step))
        trunks[cell.shape, cell.seed] = max(trunks[cell.shape, cell.seed], (cell.n_params, (steps - decay) * per_step))
    return [*trunks.values(), *decays]


def suite_cost(suite: Suite, device: str | Price = "h100") -> SuiteCost:
    """The cost of a suite on `device`: cpu (one thread), a GPU of the table, or a `Price`.

    GPU time counts attention's products too, at the price's utilisation of the peak. Raises ArgumentError for a device
    that is not known.
    """
    cosine, wsd = suite.train_flops, wsd_flops(suite)
    flops = wsd if suite.training.schedule == "wsd" else cosine
    if device == "cpu":
        return SuiteCost(cosine, wsd, flops, "cpu, one thread", _cpu_seconds(suite) * flops / cosine / 3600, None)
    price = device if isinstance(device, Price) else device_price(device)
    computed = sum(train_flops_per_token(cell.shape, suite.seq_len) * cell.n_tokens for cell in suite.cells)
    computed *= flops / cosine
    dollars = price.dollars(computed) if price.has_price else None
    name = f"{price.to_dict()['gpu']} at {price.utilisation:.0%} of peak"
    return SuiteCost(cosine, wsd, flops, name, price.gpu_hours(computed), dollars)


def device_price(device: str, **terms: Any) -> Price:
    """The price of a GPU of the table, with `terms` of `Price`. Raises ArgumentError for one that is not known."""
    if device.lower() not in GPUS:
        raise unknown("device", device, ("cpu", *GPUS))
    return Price(device, **terms)


def _cpu_seconds(suite: Suite) -> float:
    sizes = np.log([cell.n_params for cell in suite.cells])
    speed = np.exp(np.interp(sizes, np.log(CPU_PARAMS), np.log(CPU_FLOPS_PER_SECOND)))
    return float(np.sum(np.array([cell.train_flops for cell in suite.cells]) / speed))
