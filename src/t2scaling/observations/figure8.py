"""The grid of the T² paper's Figure 8: 106 checkpoints, 16 sizes by 12 training budgets.

85 cells come from the isoFLOP suite of Porian et al. 2024 (arXiv 2406.19146: their 88 runs with fixed hyperparameters,
short warmup and a cosine per run, less three with under 0.66 tokens per parameter); 21 more are overtrained, up to
11,084 tokens per parameter (Roberts et al. 2026, arXiv 2604.01411, Figure 8). The grid is stored as the range of
sizes on each budget and the list of overtrained ones; D follows as C / 6N.
"""

from typing import NamedTuple


class Size(NamedTuple):
    """A model of Porian et al.: four attention heads, SwiGLU, vocabulary 50,432.

    n_params counts the output head and not the input embedding: (4·width + 3·d_ff)·width·depth + 50432·width.
    """

    name: str
    width: int
    depth: int
    d_ff: int
    n_params: int


class GridCell(NamedTuple):
    """One checkpoint: its size, training budget in FLOPs, and whether the paper added it as overtrained."""

    name: str
    n_params: int
    train_flops: float
    overtrained: bool


SIZES = (
    Size("5M", 96, 3, 256, 5_173_248),
    Size("7M", 128, 4, 512, 7_503_872),
    Size("9M", 160, 5, 512, 9_809_920),
    Size("15M", 224, 6, 768, 15_597_568),
    Size("22M", 288, 8, 768, 22_487_040),
    Size("28M", 320, 9, 1024, 28_672_000),
    Size("37M", 384, 10, 1024, 37_060_608),
    Size("57M", 480, 12, 1280, 57_384_960),
    Size("84M", 576, 14, 1536, 84_787_200),
    Size("108M", 640, 15, 1792, 108_462_080),
    Size("149M", 704, 18, 2048, 149_045_248),
    Size("220M", 832, 21, 2304, 220_872_704),
    Size("347M", 1024, 23, 2816, 347_078_656),
    Size("455M", 1120, 26, 3072, 455_311_360),
    Size("611M", 1312, 26, 3584, 611_958_784),
    Size("901M", 1504, 30, 4096, 901_726_208),
)
SIZE_NAMES = tuple(size.name for size in SIZES)

# Level i trains with 1.25e16·2^i FLOPs: (smallest and largest size of Porian et al., the overtrained sizes).
LEVELS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("5M", "37M", ()),
    ("7M", "57M", ()),
    ("9M", "108M", ("7M",)),
    ("15M", "149M", ("7M", "9M")),
    ("22M", "220M", ("7M", "9M", "15M")),
    ("28M", "220M", ("7M", "9M", "15M", "22M")),
    ("37M", "220M", ("9M", "22M")),
    ("57M", "611M", ("9M", "22M", "37M")),
    ("84M", "901M", ()),
    ("108M", "901M", ("9M", "28M", "84M")),
    ("149M", "901M", ()),
    ("220M", "901M", ("37M", "84M", "149M")),
)


def budgets() -> tuple[float, ...]:
    """The 12 training budgets in FLOPs, 1.25e16 to 2.56e19."""
    return tuple(1.25e16 * 2**level for level in range(len(LEVELS)))


def cells() -> list[GridCell]:
    """The 106 cells by rising budget, then size; the name is size and budget, such as `37M-2.56e19`."""
    grid = []
    for train_flops, (first, last, overtrained) in zip(budgets(), LEVELS, strict=True):
        base = range(SIZE_NAMES.index(first), SIZE_NAMES.index(last) + 1)
        for index, size in enumerate(SIZES):
            if index in base or size.name in overtrained:
                name = f"{size.name}-{train_flops:.3g}".replace("e+", "e")
                grid.append(GridCell(name, size.n_params, train_flops, size.name in overtrained))
    return grid
