"""What makes a canonical table usable, each refusal in one paragraph that names the rows.

`assemble` runs the checks in the order in which a mistake would mislead the next one: names, run facts, outcomes, rows
that stand twice, kinds of outcome. Nothing is repaired here; a table that passes is taken as it is.
"""

import polars as pl

from t2scaling.errors import DataError
from t2scaling.observations.schema import KEYS, RUN_COLUMNS, RUN_KEYS

SHOWN = 3  # offending rows that a message names
MOST = 1e40  # parameters, tokens, FLOPs: far above what there is, far below what overflows in a product
GIVEN = ("n_params", "n_tokens")  # what every run must say
POSITIVE = (*GIVEN, "train_flops", "unique_tokens")
TOKENS = ("nll_tokens", "prompt_tokens", "completion_tokens")
MOST_SAMPLES = 2**53  # counts become floats in the arrays, which are exact up to here


def check_names(outcomes: pl.DataFrame, where: str) -> None:
    """There are rows, and every row names its run, task and question."""
    if outcomes.is_empty():
        raise DataError(f"{where} has no rows: there is nothing to fit. Check the path, or the filter that left none.")
    for name in KEYS:
        column = outcomes[name]
        empty = [text for text in column.unique().cast(pl.String) if text is None or not text.strip()]
        if empty:
            blank = column.is_null() | column.cast(pl.String).is_in([text for text in empty if text is not None])
            row = (blank.fill_null(True).arg_max() or 0) + 1
            raise DataError(f"`{name}` of {where} is empty in {_rows(int(blank.sum()))}, first in row {row}. Name it.")


def check_runs(runs: pl.DataFrame, where: str) -> None:
    """A run (at one stage) has one N > 0 and one D > 0, and at most one value of whatever else is said of it."""
    columns = [name for name in RUN_COLUMNS if name in runs.columns]
    spread = runs.group_by(RUN_KEYS, maintain_order=True).agg(pl.col(columns).drop_nulls().n_unique())
    for name in columns:
        torn = spread.filter(pl.col(name) > 1)
        if len(torn):
            run, stage = torn["run_id"][0], torn["stage"][0]
            values = runs.filter(run_id=run, stage=stage)[name].drop_nulls().unique(maintain_order=True).to_list()
            shown = " and ".join(_number(value) for value in values[:SHOWN])
            others = f" (and {len(torn) - 1} more like it)" if len(torn) > 1 else ""
            raise DataError(
                f"run `{run}` in {where} has {len(values)} values of `{name}`: {shown}{others}. A run_id names one "
                "checkpoint: give each its own, such as the name with its step.",
                torn["run_id"].head(SHOWN).to_list(),
            )
    for name in GIVEN:
        told = runs.group_by(RUN_KEYS, maintain_order=True).agg(pl.col(name).drop_nulls().first())
        _check_given(told, name, where)
    for name in POSITIVE:
        if name in runs.columns:
            _check_positive(runs, name, where)


def _check_given(facts: pl.DataFrame, name: str, where: str) -> None:
    missing = facts.filter(pl.col(name).is_null())
    if len(missing):
        raise DataError(
            f"`{name}` is missing for {_runs(missing)} in {where}. Add the column, or attach it with a --runs "
            "manifest, whose regex on run names can say it for all of them.",
            missing["run_id"].to_list(),
        )


def _check_positive(facts: pl.DataFrame, name: str, where: str) -> None:
    odd = facts.filter(~(pl.col(name).is_between(0, MOST, closed="right")))
    if len(odd):
        raise DataError(
            f"`{name}` of run `{odd['run_id'][0]}` in {where} is {_number(odd[name][0])}; it must be finite, "
            f"above 0, up to {MOST:g}. Correct the row, or leave the {'run out' if name in GIVEN else 'cell empty'}.",
            odd["run_id"].to_list(),
        )


def check_outcomes(frame: pl.DataFrame, where: str) -> None:
    """Every row has an outcome, nll or counts, and every number is one that its column may hold."""
    have = set(frame.columns)
    has = pl.lit(False)
    if "nll" in have:
        check_likelihoods(frame, where)
        has = has | pl.col("nll").is_not_null()
    if {"n_samples", "n_correct"} <= have:
        check_counts(frame, where)
        has = has | pl.col("n_correct").is_not_null()
    elif lone := {"n_samples", "n_correct"} & have:
        name, other = lone.pop(), ({"n_samples", "n_correct"} - have).pop()
        raise DataError(f"{where} has `{name}` and no `{other}`: a graded question has both. Add it, or drop `{name}`.")
    _refuse(frame, ~has, "nll", where, "missing, and so are the counts", "Drop the row, or give the outcome.")
    for name in TOKENS:
        if name in have:
            value = pl.col(name).cast(pl.Float64)
            _refuse(frame, ~(value.is_finite() & (value >= 0)), name, where, "no number of tokens",
                    "Give a finite number, 0 or more, or leave the cell empty.")  # fmt: skip
    if "chance" in have:
        chance = pl.col("chance")
        _refuse(
            frame,
            ~chance.is_between(0, 1),
            "chance",
            where,
            "no probability",
            "Give a number between 0 and 1, or leave the cell empty.",
        )
    check_samples(frame, where)


def check_likelihoods(frame: pl.DataFrame, where: str) -> None:
    """nll is finite and not negative."""
    _refuse(
        frame,
        ~pl.col("nll").is_finite(),
        "nll",
        where,
        "NaN or infinite",
        "Leave the row out, or correct it: a probability of 0 has no nll.",
    )
    _refuse(frame, pl.col("nll") < 0, "nll", where, "negative", "nll is −log p, so a log-probability (the number "
            "that harnesses log) has the wrong sign here: multiply it by −1.")  # fmt: skip


def check_counts(frame: pl.DataFrame, where: str) -> None:
    """0 ≤ n_correct ≤ n_samples, n_samples ≥ 1, both or neither."""
    n, c = pl.col("n_samples"), pl.col("n_correct")
    _refuse(frame, n < 0, "n_samples", where, "negative", "Counts start at 0: correct the row.")
    _refuse(frame, c < 0, "n_correct", where, "negative", "Counts start at 0: correct the row.")
    _refuse(frame, n == 0, "n_samples", where, "0", "Leave out questions of which no sample was graded.")
    _refuse(
        frame,
        n > MOST_SAMPLES,
        "n_samples",
        where,
        "above 2^53",
        "Correct the row: no question was sampled that often.",
    )
    _refuse(frame, c > n, "n_correct", where, "above n_samples", "Correct the row; are the two columns exchanged?")
    _refuse(frame, n.is_null() != c.is_null(), "n_samples", where, "without its n_correct, or the reverse",
            "Give both, or leave both empty.")  # fmt: skip


def check_samples(frame: pl.DataFrame, where: str) -> None:
    """What is told of single samples agrees with the counts: wrong answers are samples that are not correct."""
    have = set(frame.columns)
    n, c = (pl.col(name) if name in have else pl.lit(None, pl.Int64) for name in ("n_samples", "n_correct"))
    if "wrong_counts" in have:
        wrong = pl.col("wrong_counts")
        _refuse(frame, wrong.is_not_null() & n.is_null(), "wrong_counts", where, "there without counts",
                "Give n_samples and n_correct beside it.")  # fmt: skip
        _refuse(frame, wrong.list.min() < 1, "wrong_counts", where, "less than 1", "Count each answer that came.")
        _refuse(frame, wrong.list.sum() > n - c, "wrong_counts", where, "more than the samples that are wrong",
                "Its sum is at most n_samples − n_correct.")  # fmt: skip
    for name in ("scores", "correct"):
        if name in have:
            _refuse(frame, pl.col(name).list.len() != n, name, where, "not one per sample",
                    "It has n_samples values, one for each sample in their order.")  # fmt: skip
    if "scores" in have:
        _refuse(frame, ~pl.col("scores").list.eval(pl.element().is_finite()).list.all(), "scores", where,
                "NaN or infinite", "Give every sample a finite score.")  # fmt: skip
    if "correct" in have:
        _refuse(frame, pl.col("correct").list.sum() != c, "correct", where, "another number than n_correct",
                "Count its true values.")  # fmt: skip


def _refuse(frame: pl.DataFrame, broken: pl.Expr, column: str, where: str, what: str, way_out: str) -> None:
    count = frame.select(broken.fill_null(False).sum()).item()
    if not count:
        return
    rows = frame.filter(broken.fill_null(False)).head(SHOWN)
    names = "; ".join(f"{_key(row)}: {_values(row, column)}" for row in rows.to_dicts())
    more = f" and {count - SHOWN:,} more" if count > SHOWN else ""
    raise DataError(f"`{column}` of {where} is {what} in {_rows(count)} ({names}{more}). {way_out}", rows.to_dicts())


def check_duplicates(frame: pl.DataFrame, where: str) -> None:
    """A (run, stage, task, question) stands once."""
    twice = frame.group_by(KEYS, maintain_order=True).len().filter(pl.col("len") > 1)
    if twice.is_empty():
        return
    names = "; ".join(f"{_key(row)} stands {row['len']} times" for row in twice.head(SHOWN).to_dicts())
    more = f" and {len(twice) - SHOWN:,} more" if len(twice) > SHOWN else ""
    raise DataError(
        f"{where} repeats {len(twice):,} question{'s' * (len(twice) > 1)} of a run: {names}{more}. Keep one row for "
        "each run, task and question; add up n_samples and n_correct where they are separate draws.",
        twice.head(SHOWN).to_dicts(),
    )


def check_one_kind_per_task(frame: pl.DataFrame, where: str) -> None:
    """Within a task either every row has nll, or every row has counts (all may have both)."""
    if not {"nll", "n_samples"} <= set(frame.columns):
        return
    kinds = frame.group_by("task", maintain_order=True).agg(
        pl.len(),
        pl.col("nll").is_not_null().sum().alias("nll"),
        pl.col("n_samples").is_not_null().sum().alias("counts"),
    )
    torn = kinds.filter((pl.col("nll") < pl.col("len")) & (pl.col("counts") < pl.col("len")))
    if len(torn):
        row = torn.row(0, named=True)
        raise DataError(
            f"task `{row['task']}` in {where} mixes units: {row['nll']:,} of its {row['len']:,} rows have nll and "
            f"{row['counts']:,} have counts. Use one for the whole task, or name them as two tasks.",
            torn["task"].to_list(),
        )


def _key(row: dict[str, object]) -> str:
    stage = "" if row["stage"] == "base" else f", stage {row['stage']}"
    return f"run `{row['run_id']}`{stage}, task `{row['task']}`, question `{row['question_id']}`"


def _values(row: dict[str, object], column: str) -> str:
    names = dict.fromkeys((column, "nll", "n_samples", "n_correct"))
    return ", ".join(f"{name}={_number(row[name])}" for name in names if row.get(name) is not None) or "no outcome"


def _number(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) and abs(value) < 1e5 else str(value)


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _runs(frame: pl.DataFrame) -> str:
    names = frame["run_id"].unique(maintain_order=True).to_list()
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return ("runs " if len(names) > 1 else "run ") + ", ".join(f"`{name}`" for name in names[:SHOWN]) + more
