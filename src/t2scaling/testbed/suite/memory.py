"""What a run takes of a GPU's memory while it trains, and so on how many GPUs it has to be spread.

On one device a parameter takes 18 bytes: float32 weight, gradient and two moments, and a bfloat16 copy that products
are made of and the backward pass reads. On g devices (fully sharded) it takes 16/g; the widest part that is gathered at
a time (a block, or embedding and head) is there twice, whole, with its gradient. The rest goes to activations.
"""

from t2scaling.errors import SuiteError
from t2scaling.testbed.suite.shape import ModelShape
from t2scaling.units import format_number

STATE_BYTES, COPY_BYTES, GATHERED_BYTES = 16, 2, 10
USABLE = 0.9  # of a GPU's memory; the rest is the driver's and lost between blocks of memory
MOST_GPUS = 8  # of one machine


def activation_bytes(shape: ModelShape, itemsize: int = 2) -> float:
    """Bytes per token that the backward pass reads, with products of `itemsize` bytes a number.

    In each block about 12 tensors of the width and 4 of the SwiGLU, and float32 norms.
    """
    return shape.depth * (itemsize * (12 * shape.width + 4 * shape.d_ff) + 4 * 4 * shape.width)


def training_bytes(shape: ModelShape, seq_len: int, gpus: int = 1) -> float:
    """Bytes on each of `gpus` devices for a shape and one sequence."""
    total, groups = shape.n_params("total"), shape.groups()
    if gpus == 1:
        return (STATE_BYTES + COPY_BYTES) * total + seq_len * activation_bytes(shape)
    ends = groups["embedding"] + groups["head"]
    widest = max(ends, (total - ends) / shape.depth)
    # Blocks are computed again in the backward pass: their inputs are kept, and one block's activations.
    kept = activation_bytes(shape) / shape.depth + 4 * shape.width * shape.depth
    return STATE_BYTES * total / gpus + 2 * GATHERED_BYTES * widest + seq_len * kept


def gpus_needed(shape: ModelShape, seq_len: int, memory: float) -> int:
    """The fewest GPUs of `memory` bytes, 1, 2, 4 or 8, that train a shape. Raises SuiteError where eight do not."""
    for gpus in (1, 2, 4, MOST_GPUS):
        if training_bytes(shape, seq_len, gpus) <= USABLE * memory:
            return gpus
    raise SuiteError(
        f"`{shape.name}` takes {format_number(training_bytes(shape, seq_len, MOST_GPUS))} bytes on each of {MOST_GPUS} "
        f"GPUs, and one has `gpu_memory` = {format_number(memory)}: leave that size out, or use larger GPUs."
    )
