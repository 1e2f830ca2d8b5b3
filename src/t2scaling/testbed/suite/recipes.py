"""Recipes: functions that return a `Suite`.

    tiny       a handful of runs of a few seconds each: the whole pipeline in about a minute on two cores
    world      the suite that ships with the package, trained on a few CPU cores in about an hour
    gpu_hour   a suite planned for one hour on one GPU, on the built-in text
    paper      Figure 8 of the T² paper cell by cell, on RefinedWeb
    english    nine sizes from 0.07 to 5 million parameters on English text of your own, and all eight tasks
    custom     sizes × budgets on a text of your own, everything said by arguments

`RECIPES` maps names to functions; `t2 suite NAME` and study files use it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from t2scaling.errors import SuiteError
from t2scaling.observations import figure8
from t2scaling.testbed.suite.grid import (
    BatchRule,
    Cell,
    cell,
    fixed_batch,
    isoflop_grid,
    levels,
    share_batches,
    with_seeds,
)
from t2scaling.testbed.suite.shape import ModelShape
from t2scaling.testbed.suite.suite import Suite
from t2scaling.testbed.suite.training import TrainingConfig
from t2scaling.units import parse_number

SYNTHETIC_TASKS = ("knowledge", "arithmetic", "causal", "spatial")
PAPER_TASKS = ("lambada_openai", "arc_easy", "sciq", "openbookqa", *SYNTHETIC_TASKS)

# Width, depth, heads, d_ff of the miniature models: N from 8 to 351 thousand at a vocabulary of 512.
MINIATURE = (
    (10, 2, 1, 28),
    (12, 2, 1, 32),
    (16, 2, 1, 48),
    (20, 2, 1, 56),
    (24, 2, 1, 64),
    (28, 2, 1, 80),
    (32, 3, 1, 88),
    (40, 3, 2, 104),
    (48, 3, 2, 128),
    (64, 4, 2, 176),
    (80, 4, 2, 216),
)
# Small models learn in few steps: their batches are small and their rates high, 4e-3 at width 128 and scaled as
# 1/width. Measured at 8e10 to 6e11 FLOPs, a fixed 3e-3 costs 0.1 nats per token at width 48 and 0.3 at width 12.
MINIATURE_BATCH = BatchRule(tokens=1024, at=4e5, smallest=512, largest=8192)
MINIATURE_RATE: dict[str, Any] = {"learning_rate": 4e-3, "rate_width": 128}


def _shapes(table: Sequence[Sequence[int]], vocab_size: int) -> list[ModelShape]:
    return [ModelShape(width, depth, heads, d_ff, vocab_size) for width, depth, heads, d_ff in table]


def _cells(grid: list[Cell], schedule: str, seq_len: int) -> tuple[Cell, ...]:
    return tuple(share_batches(grid, seq_len) if schedule == "wsd" else grid)


def tiny(seed: int = 0, schedule: str = "cosine") -> Suite:
    """A handful of cells of five sizes and three budgets, trained in seconds each on a laptop's CPU."""
    grid = isoflop_grid(
        _shapes(MINIATURE[:5], 512),
        levels(1e9, 1.6e10, 4),
        seq_len=64,
        batch=BatchRule(tokens=512, at=1e5, smallest=256, largest=4096),
        ratio=(1.5, 40),
        overtrained_ratio=120,
    )
    return Suite(
        "tiny",
        _cells(grid, schedule, 64),
        TrainingConfig(schedule=schedule, checkpoint_seconds=20, log_every=10, **MINIATURE_RATE),
        corpus_tokens=400_000,
        heldout_tokens=16_384,
        seq_len=64,
        tasks=SYNTHETIC_TASKS,
        seed=seed,
    )


def world(seed: int = 0, schedule: str = "cosine") -> Suite:
    """The shipped suite: eleven sizes from 8 to 351 thousand parameters over eight budgets, the top three thrice.

    Cells of the top three budgets have three seeds. The text is longer than the longest run, so that no run sees a
    document twice.
    """
    grid = isoflop_grid(
        _shapes(MINIATURE, 512),
        levels(1e10, 1.28e12, 2),
        seq_len=128,
        batch=MINIATURE_BATCH,
        ratio=(1.3, 250),
        overtrained_ratio=2600,
    )
    return Suite(
        "world",
        tuple(with_seeds(_cells(grid, schedule, 128), 3, 3)),
        TrainingConfig(schedule=schedule, warmup_fraction=0.1, **MINIATURE_RATE),
        corpus_tokens=23_000_000,
        heldout_tokens=131_072,
        seq_len=128,
        tasks=SYNTHETIC_TASKS,
        seed=seed,
    )


def gpu_hour(seed: int = 0, schedule: str = "wsd") -> Suite:
    """Seven sizes from 0.7 to 26 million parameters on the built-in text: an hour of one H100 at 6 % of its peak."""
    table = (
        (96, 3, 2, 256),
        (128, 4, 2, 352),
        (192, 5, 3, 512),
        (256, 6, 4, 704),
        (320, 8, 5, 880),
        (384, 10, 6, 1024),
        (448, 10, 7, 1216),
    )
    grid = isoflop_grid(
        _shapes(table, 4096),
        levels(1e14, 3.2e16, 2),
        seq_len=512,
        batch=BatchRule(tokens=32768, at=2e7, smallest=16384, largest=262144),
        ratio=(3, 300),
        overtrained_ratio=3000,
    )
    return Suite(
        "gpu_hour",
        _cells(grid, schedule, 512),
        TrainingConfig(schedule=schedule),
        corpus_tokens=500_000_000,
        heldout_tokens=524_288,
        seq_len=512,
        vocab_size=4096,
        tasks=SYNTHETIC_TASKS,
        seed=seed,
    )


def paper(seed: int = 0, schedule: str = "cosine") -> Suite:
    """The T² paper's suite: 106 cells, 16 sizes, 12 budgets, 21 cells overtrained (arXiv 2604.01411, Figure 8).

    Steps of 256 × 2048 tokens, four heads, vocabulary 50,432. The paper's tokenizer is GPT-NeoX's, padded to this size;
    here one of exactly this size is trained on the text.
    """
    sizes = {size.n_params: size for size in figure8.SIZES}
    batch = fixed_batch(256 * 2048)
    grid: list[Cell] = []
    for point in figure8.cells():
        size = sizes[point.n_params]
        shape = ModelShape(size.width, size.depth, 4, size.d_ff, 50_432)
        grid.append(
            cell(shape, point.train_flops, seq_len=2048, batch=batch, overtrained=point.overtrained, run_id=point.name)
        )
    return Suite(
        "paper",
        _cells(grid, schedule, 2048),
        TrainingConfig(schedule=schedule, checkpoint_seconds=1800, log_every=50),
        corpus={"kind": "hub", "name": "tiiuae/falcon-refinedweb", "field": "content"},
        corpus_tokens=120_000_000_000,
        heldout_tokens=16_777_216,
        seq_len=2048,
        vocab_size=50_432,
        tasks=PAPER_TASKS,
        seed=seed,
    )


# Width, depth, heads, d_ff: N from 0.07 to 5 million at a vocabulary of 4,096, most of them above half a million, where
# the output head is no longer nearly all of N.
TEXT_SIZES = (
    (16, 2, 1, 48),
    (24, 2, 1, 64),
    (36, 3, 2, 96),
    (56, 4, 2, 152),
    (80, 4, 2, 216),
    (112, 4, 4, 304),
    (144, 5, 4, 384),
    (192, 5, 4, 512),
    (256, 5, 4, 688),
)
# Tried on English at 2e11 and 4e11 FLOPs: 8e-3 is best at width 16 (of 2e-3 to 3.2e-2), 3.2e-3 at width 80 (of 1.6e-3
# to 1.3e-2); the embedding and the head, most of these models, want less than the 1/width of hidden matrices.
TEXT_RATE: dict[str, Any] = {"learning_rate": 4e-3, "rate_width": 64, "rate_power": 0.5}


def custom(
    text: str | dict[str, Any] = "text",
    *,
    name: str = "custom",
    sizes: Sequence[Sequence[int]] = TEXT_SIZES,
    budgets: Sequence[float | str] = tuple(levels(4e11, 2.56e13, 2)),
    ratio: Sequence[float] = (0.17, 50),
    overtrained_ratio: float | None = 1500,
    min_steps: int = 100,
    vocab_size: int = 4096,
    seq_len: int = 512,
    text_tokens: float | str = 120e6,
    heldout_tokens: int = 131_072,
    tasks: Sequence[str] = PAPER_TASKS,
    batch: Mapping[str, Any] | None = None,
    training: Mapping[str, Any] | None = None,
    seeds: int = 1,
    seed_levels: int | None = None,
    seed: int = 0,
    schedule: str = "cosine",
) -> Suite:
    """Sizes × budgets on a text of your own; what is left out is as in `english`, but for the second seeds.

    text                a folder or file of text (Parquet or JSONL with a column `text`, .txt, .md), or a specification
                        of `corpus.source`, such as {kind: files, path: articles, field: body}
    sizes               width, depth, heads and d_ff of each size
    budgets             training FLOPs, numbers or text such as 4e11
    ratio               bounds on D/N of the ordinary cells; beyond them, up to `overtrained_ratio`, cells are extra
    min_steps           cells with fewer steps are left out
    vocab_size          entries of the tokenizer that is trained on the text
    text_tokens         tokens to prepare, if the text has as many; a cell that needs more than these less the held-out
                        ones is left out, so that no run sees a token twice
    batch               fields of `BatchRule`
    training            fields of `TrainingConfig`
    seeds, seed_levels  runs of each cell of the highest budgets, and how many budgets; None is all
    """
    n_tokens = int(parse_number(text_tokens))
    grid = isoflop_grid(
        _shapes(sizes, vocab_size),
        map(parse_number, budgets),
        seq_len=seq_len,
        batch=replace(MINIATURE_BATCH, **(batch or {})),
        ratio=(ratio[0], ratio[1]),
        overtrained_ratio=overtrained_ratio,
        min_steps=min_steps,
        max_tokens=n_tokens - heldout_tokens - 1,
    )
    settings = TEXT_RATE | {"warmup_fraction": 0.1, "log_every": 50} | dict(training or {})
    return Suite(
        name,
        tuple(with_seeds(_cells(grid, schedule, seq_len), seeds, seed_levels)),
        TrainingConfig(schedule=schedule, **settings),
        corpus={"kind": "files", "path": text} if isinstance(text, str) else text,
        corpus_tokens=n_tokens,
        heldout_tokens=heldout_tokens,
        seq_len=seq_len,
        vocab_size=vocab_size,
        tasks=tuple(tasks),
        seed=seed,
    )


def english(text: str | dict[str, Any] = "text", seed: int = 0, schedule: str = "cosine") -> Suite:
    """Nine sizes from 0.07 to 5 million parameters over seven budgets on real English, two seeds at the top two.

    Planned for a text of 112 million tokens or more, of which the longest run sees 59 million; sequences of 512 hold
    all but a few of SciQ's prompts.
    """
    return custom(text, name="english", seeds=2, seed_levels=2, seed=seed, schedule=schedule)


RECIPES: dict[str, Callable[..., Suite]] = {
    "tiny": tiny,
    "world": world,
    "gpu_hour": gpu_hour,
    "paper": paper,
    "english": english,
    "custom": custom,
}


def load_suite(name: str | Path, schedule: str | None = None) -> Suite:
    """A suite from a recipe's name or a file.

    schedule   plan a recipe with this schedule instead of its own; a file says itself which it has
    Raises SuiteError, suggesting the nearest recipe, where `name` is neither.
    """
    recipe = RECIPES.get(str(name))
    if recipe is not None:
        return recipe() if schedule is None else recipe(schedule=schedule)
    if Path(name).is_file():
        suite = Suite.load(name)
        if schedule not in (None, suite.training.schedule):
            raise SuiteError(
                f"`--schedule {schedule}`: `{name}` is planned for {suite.training.schedule}; plan it anew."
            )
        return suite
    near = get_close_matches(str(name), RECIPES, n=1)
    hint = f"did you mean `{near[0]}`?" if near else f"recipes are {', '.join(RECIPES)}."
    raise SuiteError(f"`{name}` is neither a file nor a recipe: {hint}")
