"""Sardana, Portes, Doubov and Frankle 2024 (arXiv 2401.00448): FLOPs over the share of the peak that is reached."""

from dataclasses import dataclass
from typing import ClassVar

from t2scaling.arrays import Array
from t2scaling.costs.flops import sample_flops
from t2scaling.costs.query import QueryCost


@dataclass(frozen=True)
class SardanaCost(QueryCost):
    """2·N·(prompt/U_in + k·answer/U_out): FLOPs at full use of the chip that a query takes the time of.

    prefill_utilisation, decode_utilisation   U_in and U_out, the paper's constants by default; U_out of 0.01 is
        right at one to four sequences in flight, and overstates a full batch's decoding about 14-fold (docs/serving.md)
    """

    prefill_utilisation: float = 0.5
    decode_utilisation: float = 0.01

    name: ClassVar[str] = "sardana"
    label: ClassVar[str] = "2·N·(prompt/U_in + k·answer/U_out) per query"
    serve_unit: ClassVar[str] = "FLOPs of peak per query"

    def line(self, N: Array) -> tuple[Array, Array]:
        """(prompt, one sample)."""
        return (
            sample_flops(N, self.prompt_tokens / self.prefill_utilisation),
            sample_flops(N, self.answer_tokens / self.decode_utilisation),
        )
