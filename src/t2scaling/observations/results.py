"""Tables of results: means over questions, one row per run (and task, and k), with N and D.

What a paper or a leaderboard prints: model, params, tokens, benchmark, accuracy or pass@k, perhaps its error or the
number of questions; or N, D and a loss. A law can be fitted to it. What is lost without single questions is said:
nothing can be resampled but runs, and only the k that the table has can be fitted.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from t2scaling.arrays import Array
from t2scaling.errors import DataError
from t2scaling.laws.measurements import Curves
from t2scaling.observations.aliases import ALIASES, plain
from t2scaling.observations.casts import cast
from t2scaling.observations.pivot import MACRO, choose_tasks
from t2scaling.observations.schema import BY_NAME, Column, nearest
from t2scaling.observations.tabular import Sheet
from t2scaling.units import format_number

LOST = (
    "the table holds means over questions: intervals can draw runs only, no questions, and k other than those of the "
    "table cannot be fitted."
)
FACTS = ("run_id", "stage", "task", "n_params", "n_tokens", "train_flops", "overtrained")
COLUMNS = {
    **{name: BY_NAME[name] for name in FACTS},
    "k": Column("k", "key", "number", "samples per problem"),
    "pass_at_k": Column("pass_at_k", "outcome", "decimal", "mean pass@k over questions, between 0 and 1"),
    "loss": Column("loss", "outcome", "decimal", "mean loss in nats"),
    "se": Column("se", "outcome", "decimal", "standard error of pass_at_k"),
    "n_questions": Column("n_questions", "outcome", "whole", "questions behind the mean"),
}
USUAL: dict[str, tuple[str, ...]] = {
    **{name: ALIASES.get(name, ()) for name in FACTS},
    "pass_at_k": ("pass@k", "pass@1", "pass_rate", "accuracy", "acc"),
    "loss": ("mean_nll", "nll"),
    "se": ("stderr", "std_err", "standard_error", "acc_stderr", "accuracy_se", "pass_at_k_se"),
    "n_questions": ("n", "questions", "num_questions"),
}
_WIDE = re.compile(r"pass(?:@|_at_)(\d+)")  # one column per k


@dataclass(frozen=True, repr=False)
class Results:
    """Means over questions of a suite of runs.

    frame   one row per run, task and k: run_id, n_params, n_tokens, task, k, and pass_at_k, loss, se, … where known
    where   how an error calls it
    notes   what is lost, and under which names columns were read
    """

    frame: pl.DataFrame
    where: str
    notes: tuple[str, ...]

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of the tasks, sorted."""
        return tuple(self.frame["task"].unique().sort())

    def describe(self) -> dict[str, Any]:
        """What the table holds, as plain data."""
        return {
            "kind": "results",
            "n_runs": self.frame["run_id"].n_unique(),
            "n_outcomes": len(self.frame),
            "stages": self.frame["stage"].unique().sort().to_list(),
            "tasks": list(self.tasks),
            "k": self.frame["k"].unique().sort().to_list(),
            "metrics": [name for name in ("pass_at_k", "loss") if name in self.frame.columns],
            "notes": list(self.notes),
        }

    def __repr__(self) -> str:
        told = self.describe()
        k = ", ".join(format_number(value) for value in told["k"])
        return (
            f"Results: {told['n_runs']} runs × {len(self.tasks)} task{'s' * (len(self.tasks) != 1)}, means over "
            f"questions ({' and '.join(told['metrics'])}) at k = {k}\n  tasks {', '.join(self.tasks[:8])}"
        )

    def curves(
        self, task: str | None = None, k: Sequence[float] | None = None, stage: str = "base", samples: bool = True
    ) -> Curves:
        """The means of one task (or "macro", for the mean over tasks) as curves, runs sorted by (N, D).

        k        those of the table's to keep besides 1; None for all of them
        samples  False for a law that knows no k: the loss where there is one, else −log pass@1
        Raises DataError for a task, stage or k that the table does not have.
        """
        rows = self.frame.filter(pl.col("stage") == stage)
        if rows.is_empty():
            raise DataError(
                f"{self.where} has no run at stage `{stage}`: it has {', '.join(self.frame['stage'].unique())}."
            )
        tasks = choose_tasks(tuple(rows["task"].unique().sort()), task)
        by_loss = "loss" in rows.columns and (not samples or "pass_at_k" not in rows.columns)
        counts = np.ones(1) if by_loss or not samples else self._samples(rows.filter(pl.col("task").is_in(tasks)), k)
        name = "loss" if by_loss else "pass_at_k"
        runs = rows.select(
            "run_id", "n_params", "n_tokens", *(c for c in ("train_flops", "overtrained") if c in rows.columns)
        )
        runs = runs.unique("run_id").sort("n_params", "n_tokens", "run_id")
        tables = [self._pivot(rows.filter(pl.col("task") == one), name, runs["run_id"], counts) for one in tasks]
        errors = [self._pivot(rows.filter(pl.col("task") == one), "se", runs["run_id"], counts) for one in tasks]
        mean = np.mean(tables, axis=0)  # NaN where a run lacks one of the tasks
        error = np.sqrt(np.sum(np.square(errors), axis=0)) / len(tasks)
        kept = np.isfinite(mean[:, 0])
        if not kept.any():
            raise DataError(f"no run of {self.where} has a {name.replace('_at_k', '@1')} for {', '.join(tasks)}.")
        runs, mean, error = runs.filter(kept), mean[kept], error[kept]
        blank = np.full(mean.shape, np.nan)
        with np.errstate(divide="ignore"):
            value = mean if by_loss else -np.log(mean)
        value[~np.isfinite(value)] = np.nan
        N, D = runs["n_params"].to_numpy(), runs["n_tokens"].to_numpy()
        return Curves(
            task=MACRO if task == MACRO else tasks[0],
            run_id=tuple(runs["run_id"]),
            N=N,
            D=D,
            k=counts,
            value=value,
            pass_at_k=blank if by_loss else mean,
            se=blank if by_loss else error,
            target="mean_neg_log" if by_loss else "neg_log_mean",
            train_flops=self._flops(runs),
            overtrained=runs["overtrained"].fill_null(False).to_numpy() if "overtrained" in runs.columns else None,
            data_hash=_digest(runs["run_id"], N, D, counts, mean),
        )

    def _samples(self, rows: pl.DataFrame, k: Sequence[float] | None) -> Array:
        held = rows["k"].unique().sort().to_numpy()
        shown = ", ".join(format_number(value) for value in held)
        if held[0] != 1:
            raise DataError(f"{self.where} has k = {shown}: laws are fitted from k = 1 on. Add the rows of pass@1.")
        lacking = [value for value in k or () if value not in held]
        if lacking:
            raise DataError(
                f"`k` = {format_number(lacking[0])} is not in {self.where}, which holds means at k = {shown}: choose "
                "of these, or give the outcomes per question."
            )
        return held if k is None else np.union1d([1.0], np.asarray(k, dtype=float))

    def _pivot(self, rows: pl.DataFrame, name: str, runs: pl.Series, k: Array) -> Array:
        """Shape (R, K), NaN in a gap."""
        table = np.full((len(runs), len(k)), np.nan)
        if name in rows.columns:
            at = {run: i for i, run in enumerate(runs)}, {value: j for j, value in enumerate(k)}
            for run, samples, value in rows.select("run_id", "k", name).iter_rows():
                if samples in at[1] and value is not None:
                    table[at[0][run], at[1][samples]] = value
        return table

    def _flops(self, runs: pl.DataFrame) -> Array | None:
        if "train_flops" not in runs.columns or runs["train_flops"].null_count():
            return None
        return runs["train_flops"].to_numpy()


def _digest(runs: pl.Series, *arrays: Array) -> str:
    sha = hashlib.sha256("\x1f".join(runs).encode())
    for array in arrays:
        sha.update(np.ascontiguousarray(array, dtype="<f8").tobytes())
    return sha.hexdigest()


def find_columns(present: Sequence[str], given: Mapping[str, str] | None = None) -> dict[str, str] | None:
    """Which column of a table of results is which; None for a table that is none: without N, D and a mean, or with
    outcomes per question.
    """
    found = dict(given or {})
    for name in COLUMNS:
        usual = [theirs for theirs in present if theirs == name or plain(theirs) in (name, *USUAL.get(name, ()))]
        if usual and name not in found:
            found[name] = next((theirs for theirs in usual if theirs == name), usual[0])
    wide = [name for name in present if _WIDE.fullmatch(plain(name))]
    means = {"pass_at_k", "loss"} & set(found) or wide
    asked = {plain(name) for name in present} & {"question_id", *ALIASES["question_id"]}
    return found if means and not asked and {"n_params", "n_tokens"} <= set(found) else None


def read_results(sheet: Sheet, columns: Mapping[str, str], task: str | None = None) -> Results:
    """The results in a table.

    columns  of `find_columns`
    task     name of the task, for a table without a column for it
    Raises DataError naming the row for a value that cannot be used.
    """
    for name, theirs in columns.items():
        if name not in COLUMNS:
            raise DataError(f"`{name}` is no column of a table of results{nearest(name, COLUMNS)}.")
        if theirs not in sheet.columns:
            raise DataError(
                f"{sheet.where} has no column `{theirs}` to take as `{name}`{nearest(theirs, sheet.columns)}."
            )
    wide = {name: int(match[1]) for name in sheet.columns if (match := _WIDE.fullmatch(plain(name)))}
    if len(wide) > 1 or (wide and columns.get("pass_at_k") not in wide):
        columns = {name: theirs for name, theirs in columns.items() if name not in ("pass_at_k", "k", "se")}
    else:
        wide = {}
    frames = []
    for frame, rows in sheet.batches(list(dict.fromkeys([*columns.values(), *wide]))):
        where = [rows.at(i) for i in range(len(frame))]
        typed = [cast(frame[theirs], COLUMNS[name], sheet.where, rows) for name, theirs in columns.items()]
        typed += [cast(frame[name], COLUMNS["pass_at_k"], sheet.where, rows).alias(name) for name in wide]
        frames.append(pl.DataFrame([*typed, pl.Series("where", where, pl.String)]))
    if not frames or not sum(map(len, frames)):
        raise DataError(f"{sheet.where} holds no rows: give one line per run with N, D and what was measured.")
    frame = _long(pl.concat(frames), wide)
    frame = _filled(frame, sheet.where, task)
    _check(frame, sheet.where)
    usual = ", ".join(f"`{theirs}` as {name}" for name, theirs in columns.items() if theirs != name)
    notes = [f"columns of {sheet.where} were read by their usual names: {usual}."] if usual else []
    return Results(frame, sheet.where, (*sheet.notes, *notes, *((LOST,) if "pass_at_k" in frame.columns else ())))


def _long(frame: pl.DataFrame, wide: Mapping[str, int]) -> pl.DataFrame:
    """One row per k in place of one column per k."""
    if not wide:
        return frame
    others = [name for name in frame.columns if name not in wide]
    tall = frame.unpivot(list(wide), index=others, variable_name="k", value_name="pass_at_k")
    return tall.with_columns(pl.col("k").replace_strict(dict(wide), return_dtype=pl.Float64))


def _filled(frame: pl.DataFrame, where: str, task: str | None) -> pl.DataFrame:
    """With run names, stage, task, k and the standard error, where the table does not say them."""
    have = frame.columns
    # Without a name a row is a run of its own, unless several k or tasks make rows of one N and D one run.
    several = [name for name in ("k", "task") if name in have and frame[name].n_unique() > 1]
    by_size = pl.format("N = {}, D = {}", "n_params", "n_tokens") if several else pl.col("where")
    defaults = {"run_id": by_size, "stage": pl.lit("base"), "task": pl.lit(task or "results"), "k": pl.lit(1.0)}
    filled = frame.with_columns(
        (pl.col(name).fill_null(default) if name in have else default).alias(name) for name, default in defaults.items()
    )
    if "pass_at_k" in have and "se" not in have and "n_questions" in have:
        p = pl.col("pass_at_k")
        filled = filled.with_columns((p * (1 - p) / pl.col("n_questions")).sqrt().alias("se"))
    return filled


def _check(frame: pl.DataFrame, where: str) -> None:
    """Refuse what is no size, no mean, or stands twice."""
    limits = {
        **{
            name: (pl.col(name) > 0, "must be above 0")
            for name in ("n_params", "n_tokens", "train_flops", "n_questions")
        },
        "loss": (pl.col("loss") > 0, "must be positive"),
        "pass_at_k": (pl.col("pass_at_k").is_between(0, 1), "is a share, between 0 and 1 (0.432, not 43.2)"),
        "k": (pl.col("k") >= 1, "must be 1 or more"),
        "se": (pl.col("se") >= 0, "must be 0 or more"),
    }
    for name, (fine, rule) in limits.items():
        if name not in frame.columns:
            continue
        column = pl.col(name).cast(pl.Float64)
        broken = frame.filter(~(fine & column.is_finite()).fill_null(name not in ("n_params", "n_tokens")))
        if len(broken):
            value = broken[name][0]
            raise DataError(
                f"{where}, {broken['where'][0]}: `{name}` = {'nothing' if value is None else f'{value:g}'} {rule}. "
                "Correct it, or leave the row out.",
                [broken["where"][0]],
            )
    keys = ["run_id", "stage", "task", "k"]
    twice = frame.filter(frame.select(keys).is_duplicated())
    if len(twice):
        raise DataError(
            f"{where} has two rows of run `{twice['run_id'][0]}`, task `{twice['task'][0]}`, k = {twice['k'][0]:g} "
            f"({twice['where'][0]} and {twice['where'][1]}): name the runs apart."
        )
    for name in ("n_params", "n_tokens"):
        torn = (
            frame.group_by("run_id", "stage", maintain_order=True).agg(pl.col(name).n_unique()).filter(pl.col(name) > 1)
        )
        if len(torn):
            raise DataError(
                f"run `{torn['run_id'][0]}` of {where} has several values of `{name}`: name the runs apart."
            )
