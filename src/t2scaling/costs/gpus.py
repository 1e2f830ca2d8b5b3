"""GPUs: dense peaks, memory, and an hour's price where a source gives one.

Peaks, bandwidth and memory: the accelerator table of github.com/stas00/ml-engineering, which is from NVIDIA's data
sheets without sparsity; the 40 GB A100, GH200 and H20, and the links (NVLink, both ways together), from NVIDIA's data
sheets. int8 peaks and prices: the cost model of Sardana et al. 2024 (arXiv 2401.00448). Where a price is None no
source in hand gives one: pass your own.
"""

from dataclasses import dataclass

from t2scaling.errors import ArgumentError, unknown

_PEAKS = "stas00/ml-engineering accelerator table"
_SARDANA = "Sardana et al. 2024, arXiv 2401.00448"


@dataclass(frozen=True)
class GPU:
    """One accelerator.

    bf16, fp8, int8     dense peak, FLOP/s (operations per second for int8); None where the chip has no such units
    bandwidth           memory bandwidth, bytes per second
    memory              bytes
    link                bytes per second between GPUs of one node, both ways together
    dollars_per_hour    default price, None without a source
    source              where the numbers come from
    """

    name: str
    bf16: float
    fp8: float | None
    int8: float | None
    bandwidth: float
    memory: float
    link: float
    dollars_per_hour: float | None
    source: str

    def peak(self, precision: str = "bf16") -> float:
        """Dense peak at "bf16", "fp8" or "int8". Raises ArgumentError if the chip has none or none is known."""
        if precision not in ("bf16", "fp8", "int8"):
            raise unknown("precision", precision, ("bf16", "fp8", "int8"))
        value: float | None = getattr(self, precision)
        if value is None:
            raise ArgumentError(f"`precision` = {precision!r}: no peak of {self.name} is known for it; use bf16.")
        return value


_TABLE = (
    GPU("a100-40gb", 312e12, None, 624e12, 1.555e12, 40e9, 600e9, 1.10, f"NVIDIA A100 data sheet; price {_SARDANA}"),
    GPU("a100", 312e12, None, 624e12, 2.04e12, 80e9, 600e9, 1.50, f"{_PEAKS} (SXM, 80 GB); price {_SARDANA}"),
    GPU("h20", 148e12, 296e12, None, 4.0e12, 96e9, 900e9, None, "NVIDIA H20 data sheet"),
    GPU("h100", 989e12, 1979e12, None, 3.35e12, 80e9, 900e9, 2.00, f"{_PEAKS} (SXM); price {_SARDANA}"),
    GPU("gh200", 989e12, 1979e12, None, 4.0e12, 96e9, 900e9, None, "NVIDIA GH200 data sheet (96 GB HBM3)"),
    GPU("h200", 989e12, 1979e12, None, 4.8e12, 141e9, 900e9, None, _PEAKS),
    GPU("b200", 2250e12, 4500e12, None, 8.0e12, 180e9, 1800e9, None, _PEAKS),
)
GPUS: dict[str, GPU] = {gpu.name: gpu for gpu in _TABLE}


def gpu(name: str | GPU) -> GPU:
    """A GPU by name, upper or lower case. Raises ArgumentError listing the known ones."""
    if isinstance(name, GPU):
        return name
    found = GPUS.get(name.lower())
    if found is None:
        raise unknown("gpu", name, GPUS)
    return found
