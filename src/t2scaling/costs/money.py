"""FLOPs to GPU-hours to dollars and back.

A `Price` is one way to buy FLOPs: a GPU, what an hour costs, and the share of its peak that the work reaches.
Training and serving each have their own; their ratio is what a lifetime budget in dollars turns on (Sardana et al.
2024, arXiv 2401.00448).
"""

from dataclasses import dataclass
from typing import Any

from t2scaling.costs.gpus import GPU
from t2scaling.costs.gpus import gpu as find_gpu
from t2scaling.errors import ArgumentError, require

TRAIN_UTILISATION = 0.5  # share of peak that training reaches, after Sardana et al.


@dataclass(frozen=True)
class Price:
    """One way to buy FLOPs.

    gpu                name of a GPU in the table, or a `GPU`
    dollars_per_hour   of one GPU; None for the table's price
    utilisation        share of the dense peak that is reached, in (0, 1]
    precision          whose peak: bf16, fp8 or int8
    """

    gpu: str | GPU = "h100"
    dollars_per_hour: float | None = None
    utilisation: float = TRAIN_UTILISATION
    precision: str = "bf16"

    def __post_init__(self) -> None:
        share, price = self.utilisation, self.dollars_per_hour
        require(1e-9 <= share <= 1, "utilisation", share, "lie in (0, 1]: it is a share of the peak")
        require(price is None or 1e-9 <= price <= 1e9, "price", price, "be dollars for one GPU-hour, such as 2.5")
        find_gpu(self.gpu).peak(self.precision)

    @property
    def hourly(self) -> float:
        """Dollars for one GPU-hour. Raises ArgumentError where neither the caller nor the table gives one."""
        if self.dollars_per_hour is not None:
            return self.dollars_per_hour
        listed = find_gpu(self.gpu)
        if listed.dollars_per_hour is None:
            raise ArgumentError(f"`price` is missing: the table has none for {listed.name}; say dollars per GPU-hour.")
        return listed.dollars_per_hour

    @property
    def has_price(self) -> bool:
        """Whether an hour's price is known."""
        return self.dollars_per_hour is not None or find_gpu(self.gpu).dollars_per_hour is not None

    @property
    def flops_per_gpu_hour(self) -> float:
        """FLOPs that one GPU does in an hour."""
        return find_gpu(self.gpu).peak(self.precision) * self.utilisation * 3600

    @property
    def flops_per_dollar(self) -> float:
        """FLOPs that a dollar buys."""
        return self.flops_per_gpu_hour / self.hourly

    def gpu_hours(self, flops: float) -> float:
        """GPU-hours that `flops` take."""
        return flops / self.flops_per_gpu_hour

    def dollars(self, flops: float) -> float:
        """Dollars that `flops` cost."""
        return flops / self.flops_per_dollar

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for plan.json."""
        listed = find_gpu(self.gpu)
        return {
            "gpu": listed.name,
            "dollars_per_hour": self.dollars_per_hour or listed.dollars_per_hour,
            "utilisation": self.utilisation,
            "precision": self.precision,
            "peak_flops_per_second": listed.peak(self.precision),
        }
