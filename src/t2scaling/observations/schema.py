"""The canonical columns, declared once: name, type, whose property it is, what it means.

One row of a canonical table is one question of one task asked of one run (a checkpoint at one stage). Readers turn
what they find into these columns, `casts` types them, `checks` holds a table to them, and `table.Observations` splits
them into the frame of runs and the outcomes. Units: parameters and tokens are counts, likelihoods are in nats.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

import polars as pl

from t2scaling.errors import MissingColumns

Level = Literal["key", "run", "outcome"]
Kind = Literal["text", "number", "decimal", "whole", "flag", "wholes", "decimals", "flags"]
DTYPE: dict[Kind, pl.DataType] = {
    "text": pl.String(),
    "number": pl.Float64(),
    "decimal": pl.Float64(),
    "whole": pl.Int64(),
    "flag": pl.Boolean(),
    "wholes": pl.List(pl.Int64()),
    "decimals": pl.List(pl.Float64()),
    "flags": pl.List(pl.Boolean()),
}


@dataclass(frozen=True)
class Column:
    """One canonical column.

    level     "key" names the row, "run" is constant within a run and stage, "outcome" belongs to the question
    kind      text, number (a count, stored as float: `7B`), decimal (a plain `3.91`), whole (integer), flag (true or
              false); wholes, decimals and flags are lists of them, in CSV written `3;2;1` or `[3, 2, 1]`
    required  False where a table may lack it
    choices   for a text that is one of a few
    """

    name: str
    level: Level
    kind: Kind
    meaning: str
    required: bool = False
    choices: tuple[str, ...] = ()


# How a checkpoint came about: pretrained, or post-trained on answers (ft) or on questions with answers (sft).
STAGES = ("base", "ft", "sft")

COLUMNS: tuple[Column, ...] = (
    Column("run_id", "key", "text", "name of the checkpoint", True),
    Column("stage", "key", "text", "base, ft or sft; base where nothing is said", choices=STAGES),
    Column("task", "key", "text", "name of the task", True),
    Column("question_id", "key", "text", "name or number of the question within the task", True),
    Column("n_params", "run", "number", "parameters N, counted as the conventions say", True),
    Column("n_tokens", "run", "number", "training tokens D", True),
    Column("train_flops", "run", "number", "training FLOPs; 6·N·D where nothing is said"),
    Column("family", "run", "text", "name of the model family"),
    Column("seed", "run", "whole", "seed of the training run"),
    Column("unique_tokens", "run", "number", "distinct training tokens, where the text was repeated"),
    Column("overtrained", "run", "flag", "true for a run that the suite marks as overtrained"),
    Column("nll", "outcome", "decimal", "−log probability of the correct answer, nats, summed over its tokens"),
    Column("n_samples", "outcome", "whole", "samples drawn and graded"),
    Column("n_correct", "outcome", "whole", "samples graded correct"),
    Column("nll_tokens", "outcome", "whole", "tokens of the correct answer"),
    Column("prompt_tokens", "outcome", "number", "tokens of the prompt"),
    Column("completion_tokens", "outcome", "number", "mean tokens of a sampled answer"),
    Column("chance", "outcome", "decimal", "probability that a guess which knows only the question's form is right"),
    Column("wrong_counts", "outcome", "wholes", "how often each distinct wrong answer came among the samples"),
    Column("scores", "outcome", "decimals", "a verifier's or reward model's score of each sample"),
    Column("correct", "outcome", "flags", "whether each sample is right, in the order of `scores`"),
)
BY_NAME = {column.name: column for column in COLUMNS}
KEYS = tuple(column.name for column in COLUMNS if column.level == "key")
RUN_KEYS = ("run_id", "stage")
RUN_COLUMNS = tuple(column.name for column in COLUMNS if column.level == "run")
OUTCOME_COLUMNS = tuple(column.name for column in COLUMNS if column.level == "outcome")

# Where a Parquet file keeps what its numbers mean.
METADATA_KEY = "t2scaling.conventions"
# What the numbers mean, stored with the table. The values are those of a file that says nothing.
CONVENTIONS = {"n_params": "unstated", "nll": "sum"}
# Columns in which a table may state a convention for itself, and the convention's name.
STATEMENTS = {"nll_unit": "nll", "n_params_convention": "n_params"}
NLL_UNITS = ("sum", "mean_per_token")


def require_columns(present: Iterable[str], where: str) -> None:
    """Raise DataError unless the required columns, and one kind of outcome, are there."""
    have = set(present)
    missing = [column.name for column in COLUMNS if column.required and column.name not in have]
    if "nll" not in have and not {"n_samples", "n_correct"} <= have:
        halves = [name for name in ("n_samples", "n_correct") if name not in have]
        missing.append(" + ".join(halves) if len(halves) == 1 else "nll (or n_samples + n_correct)")
    if not missing:
        return
    spare = sorted(have - set(BY_NAME))
    hints = "".join(nearest(name, spare) for name in missing)
    manifest = " N and D may also come from a --runs manifest." if {"n_params", "n_tokens"} & set(missing) else ""
    raise MissingColumns(
        f"{where} lacks the column{'s' * (len(missing) > 1)} {', '.join(f'`{name}`' for name in missing)}{hints}. "
        f"It has {', '.join(sorted(have - {'stage'})) or 'none'}.{manifest}",
        " ".join(_option(name.split()[0], spare) for name in missing),
        missing,
    )


def _option(name: str, spare: list[str]) -> str:
    """The option that says where a missing column is, with the likeliest of the spare ones."""
    if name == "task":
        return "--task NAME"
    near = get_close_matches(name, spare, n=1, cutoff=0.5)
    return f"--column {name}={near[0] if near else 'THEIRS'}"


def nearest(name: str, candidates: Iterable[str]) -> str:
    """` (did you mean `x`?)` for the candidate that `name` is probably a misspelling of, else nothing."""
    found = get_close_matches(name, list(candidates), n=1, cutoff=0.7)
    return f" (did you mean `{found[0]}`?)" if found else ""
