"""Parts → the runs and the outcomes of one table, checked.

Facts about runs are settled first, across all parts: two values of one fact are an error before any row of one part
is laid beside a row of another. Then names get one form, rows their order, and likelihoods and counts of the same
question come to stand in one row.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl

from t2scaling.observations import checks
from t2scaling.observations.identity import settle
from t2scaling.observations.keys import row_keys
from t2scaling.observations.manifest import Manifest, attach
from t2scaling.observations.parts import NAME, Part
from t2scaling.observations.report import ReportBuilder
from t2scaling.observations.schema import KEYS, OUTCOME_COLUMNS, RUN_COLUMNS, RUN_KEYS, require_columns

COUNTS = ("n_samples", "n_correct")


def assemble(
    parts: Sequence[Part], manifest: Manifest, where: str, report: ReportBuilder
) -> tuple[pl.DataFrame, pl.DataFrame, dict[str, str]]:
    """The frame of runs (sorted by N, D and name), that of outcomes (sorted by task, run, stage and question, names
    categorical), and the conventions that the manifest sets. Raises DataError for a table that cannot be used.
    """
    runs = pl.concat([part.runs for part in parts], how="diagonal")
    outcomes = pl.concat([part.outcomes for part in parts], how="diagonal")
    meant: dict[str, str] = {}
    if "run_id" in runs.columns:
        named, meant = attach(runs, manifest, report)
        outcomes = _renamed(outcomes, runs, named)
        runs = named
    # Columns that are not canonical may be misspelt ones, which the refusal should know of.
    require_columns({*runs.columns, *outcomes.columns, *(name for part in parts for name in part.unused)}, where)
    checks.check_names(outcomes, where)
    outcomes = settle(outcomes, report)
    checks.check_names(outcomes, where)
    runs = _one_row_per_run(runs.with_columns(pl.col("run_id").str.strip_chars()), where)
    checks.check_outcomes(outcomes, where)
    outcomes = _in_order(outcomes, where)
    checks.check_one_kind_per_task(outcomes, where)
    return runs, outcomes, meant


def _renamed(outcomes: pl.DataFrame, before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """The outcomes under the run names and stages that the manifest gave."""
    pairs = pl.concat(
        [before.select(RUN_KEYS), after.select(pl.col(name).alias(f"new {name}") for name in RUN_KEYS)],
        how="horizontal",
    ).unique()
    changed = pairs.filter(pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"new {name}")) for name in RUN_KEYS))
    if changed.is_empty():
        return outcomes
    changed = changed.with_columns(pl.all().cast(NAME))
    joined = outcomes.join(changed, on=list(RUN_KEYS), how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce(f"new {name}", name).alias(name) for name in RUN_KEYS).drop(
        f"new {name}" for name in RUN_KEYS
    )


def _one_row_per_run(runs: pl.DataFrame, where: str) -> pl.DataFrame:
    """What is known of each run in one row: an empty cell says nothing, two values are an error."""
    facts = [name for name in RUN_COLUMNS if name in runs.columns]
    checks.check_runs(runs, where)
    told = runs.group_by(RUN_KEYS).agg(pl.col(name).drop_nulls().first() for name in facts)
    return told.sort("n_params", "n_tokens", *RUN_KEYS)


def _in_order(outcomes: pl.DataFrame, where: str) -> pl.DataFrame:
    """Rows sorted by name, each name once; a row with nll alone and one with counts alone become one."""
    measured = [name for name in OUTCOME_COLUMNS if name in outcomes.columns]
    outcomes = outcomes.select(*KEYS, *measured)
    keys = row_keys(outcomes)
    if not np.all(keys[1:] > keys[:-1]):
        order = np.argsort(keys, kind="stable")
        outcomes, keys = outcomes[order], keys[order]
        twice = keys[1:] == keys[:-1]
        if twice.any():
            outcomes = _side_by_side(outcomes, np.append(twice, False) | np.insert(twice, 0, False), where)
    return outcomes


def _side_by_side(outcomes: pl.DataFrame, repeated: np.ndarray, where: str) -> pl.DataFrame:
    """One row in place of two that hold nll and counts of a question.

    repeated   True for the rows whose names another row has
    """
    rows, single = outcomes.filter(repeated), outcomes.filter(~repeated)
    if {"nll", *COUNTS} <= set(outcomes.columns):
        likely = pl.col("nll").is_not_null() & pl.all_horizontal(pl.col(COUNTS).is_null())
        counted = pl.col("nll").is_null() & pl.col(COUNTS[0]).is_not_null()
        pairs = rows.group_by(KEYS, maintain_order=True)
        fits = pairs.agg(likely.sum().alias("likely"), counted.sum().alias("counted"), pl.len())
        if fits.filter((pl.col("likely") != 1) | (pl.col("counted") != 1) | (pl.col("len") != 2)).is_empty():
            joined = rows.group_by(KEYS, maintain_order=True).agg(pl.all().drop_nulls().first())
            outcomes = pl.concat([single, joined.select(outcomes.columns)])
            return outcomes[np.argsort(row_keys(outcomes), kind="stable")]
    checks.check_duplicates(rows, where)
    raise AssertionError("rows whose keys are equal have equal names")
