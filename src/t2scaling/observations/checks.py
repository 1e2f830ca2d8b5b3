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
MOST_SAMPLES = 2**53  # counts become floats in the arrays, which are exact up to here


def check_names(outcomes: pl.DataFrame, where: str) -> None:
    """There are rows, and every row names its run, task and question."""
    if outcomes.is_empty():
        raise DataError(f"{where} has no rows: there is nothing to fit. Check the path, or the filter that left none.")
    for name in KEYS:
        column = outcomes[name]
        names = column.unique().cast(pl.String)
        unlettered = names.filter(names.is_null() | ~names.str.contains("[!-~]"))
        empty = [text for text in unlettered if text is None or not text.strip()]
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


_NLL, _N, _C, _WRONG = (pl.col(name) for name in ("nll", "n_samples", "n_correct", "wrong_counts"))
_TOKENS = {name: pl.col(name).cast(pl.Float64) for name in ("nll_tokens", "prompt_tokens", "completion_tokens")}
_FINITE = pl.element().is_finite()
# Column, the rows that break the rule, what is wrong with them, and the way out, in the order of looking.
RULES: tuple[tuple[str, pl.Expr, str, str], ...] = (
    ("nll", ~_NLL.is_finite(), "NaN or infinite", "Leave the row out, or correct it: a probability of 0 has no nll."),
    ("nll", _NLL < 0, "negative", "nll is −log p, so a log-probability (the number that harnesses log) has the wrong "
     "sign here: multiply it by −1."),
    ("n_samples", _N < 0, "negative", "Counts start at 0: correct the row."),
    ("n_correct", _C < 0, "negative", "Counts start at 0: correct the row."),
    ("n_samples", _N == 0, "0", "Leave out questions of which no sample was graded."),
    ("n_samples", _N > MOST_SAMPLES, "above 2^53", "Correct the row: no question was sampled that often."),
    ("n_correct", _C > _N, "above n_samples", "Correct the row; are the two columns exchanged?"),
    ("n_samples", _N.is_null() != _C.is_null(), "without its n_correct, or the reverse",
     "Give both, or leave both empty."),
    ("nll", _NLL.is_null() & _C.is_null(), "missing, and so are the counts", "Drop the row, or give the outcome."),
    *((name, ~(tokens.is_finite() & (tokens >= 0)), "no number of tokens",
       "Give a finite number, 0 or more, or leave the cell empty.") for name, tokens in _TOKENS.items()),
    ("chance", ~pl.col("chance").is_between(0, 1), "no probability",
     "Give a number between 0 and 1, or leave the cell empty."),
    # What is told of single samples agrees with the counts.
    ("wrong_counts", _WRONG.is_not_null() & _N.is_null(), "there without counts",
     "Give n_samples and n_correct beside it."),
    ("wrong_counts", _WRONG.list.min() < 1, "less than 1", "Count each answer that came."),
    ("wrong_counts", _WRONG.list.sum() > _N - _C, "more than the samples that are wrong",
     "Its sum is at most n_samples − n_correct."),
    *((name, pl.col(name).list.len() != _N, "not one per sample",
       "It has n_samples values, one for each sample in their order.") for name in ("scores", "correct")),
    ("scores", ~pl.col("scores").list.eval(_FINITE).list.all(), "NaN or infinite", "Give every sample a finite score."),
    ("correct", pl.col("correct").list.sum() != _C, "another number than n_correct", "Count its true values."),
)  # fmt: skip


def check_outcomes(frame: pl.DataFrame, where: str) -> None:
    """Every row has an outcome, nll or counts, and every number is one that its column may hold."""
    have = set(frame.columns)
    if len(lone := {"n_samples", "n_correct"} & have) == 1:
        name, other = lone.pop(), ({"n_samples", "n_correct"} - have).pop()
        raise DataError(f"{where} has `{name}` and no `{other}`: a graded question has both. Add it, or drop `{name}`.")
    outcomes = {"nll": pl.Float64, "n_samples": pl.Int64, "n_correct": pl.Int64}
    frame = frame.with_columns(pl.lit(None, kind).alias(name) for name, kind in outcomes.items() if name not in have)
    for column, broken, what, way_out in RULES:
        if column in have or column in outcomes:
            _refuse(frame, broken, column, where, what, way_out)


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
