"""Which names mean the same: `1`, `1.0` and ` 1` are one question, however a tool wrote its number down.

White space at the ends of a name is none of it. A question id that is a whole number written as a float loses its
`.0`, unless some run has both forms and so tells them apart. Ids that look alike in other ways (`7` and `007`, `Q1` and
`q1`) stay what they are, and a note names them: a run with such ids shares no question with the others.
"""

import re
from collections import defaultdict

import polars as pl

from t2scaling.observations.keys import names_of
from t2scaling.observations.report import ReportBuilder

_WHOLE_FLOAT = re.compile(r"([+-]?\d+)\.0+", re.ASCII)
_LEADING_ZEROS = re.compile(r"\b0+(?=\d)", re.ASCII)
# What `normal` may change: all others begin and end with a printable character of ASCII.
_TO_SETTLE = r"^[^!-~]|[^!-~]$|\.0+$"


def settle(outcomes: pl.DataFrame, report: ReportBuilder) -> pl.DataFrame:
    """The outcomes with names in one form.

    outcomes   the key columns categorical
    """
    for name in ("run_id", "task"):
        outcomes = _replace(outcomes, name, {text: text.strip() for text in names_of(outcomes[name].drop_nulls())})
    names = outcomes["question_id"].unique().drop_nulls().cast(pl.String)
    forms = {text: normal(text) for text in names.filter(names.str.contains(_TO_SETTLE)).sort()}
    changed = {text: form for text, form in forms.items() if text != form}
    if changed:
        outcomes = _unite(outcomes, changed)
        before = set(names)
        merged = [(text, form) for text, form in changed.items() if form in before]
        if merged:
            shown = ", ".join(f"`{text}` as `{form}`" for text, form in merged[:3])
            more = f" and {len(merged) - 3:,} more" if len(merged) > 3 else ""
            report.notes.append(f"question ids that differ only in form are read as one: {shown}{more}.")
    _note_lookalikes(outcomes, report)
    return outcomes


def normal(text: str) -> str:
    """A question id in its one form: ` 1`, `1.0` and `1.00` are `1`."""
    text = text.strip()
    whole = _WHOLE_FLOAT.fullmatch(text)
    return whole[1] if whole else text


def _unite(outcomes: pl.DataFrame, changed: dict[str, str]) -> pl.DataFrame:
    """Replace ids by their form in every task in which no run has two ids of one form."""
    asked = outcomes.select("task", "run_id", "stage", "question_id")
    before = asked.group_by("task", "run_id", "stage").agg(pl.col("question_id").n_unique())
    united = _replace(asked, "question_id", changed).group_by("task", "run_id", "stage")
    after = united.agg(pl.col("question_id").n_unique().alias("united"))
    apart = before.join(after, on=["task", "run_id", "stage"]).filter(pl.col("united") < pl.col("question_id"))
    replaced = _replace(outcomes, "question_id", changed)["question_id"]
    kept = pl.col("task").is_in(apart["task"].cast(pl.String).unique().to_list())
    return outcomes.with_columns(pl.when(kept).then("question_id").otherwise(replaced).alias("question_id"))


def _replace(outcomes: pl.DataFrame, name: str, forms: dict[str, str]) -> pl.DataFrame:
    changed = {text: form for text, form in forms.items() if text != form}
    if not changed:
        return outcomes
    text = pl.col(name).cast(pl.String).replace(changed)
    return outcomes.with_columns(text.cast(outcomes[name].dtype))


def _note_lookalikes(outcomes: pl.DataFrame, report: ReportBuilder) -> None:
    names = outcomes["question_id"].unique().drop_nulls().cast(pl.String)
    if not names.str.contains(r"[^\x00-@\[-\x7F]|\b0[0-9]").any():  # no form but its own: mostly so
        return
    if not names.str.contains(r"[^\x00-\x7F]").any():  # of ASCII the same rule in one pass
        keys = names.str.to_lowercase().str.replace_all(r"\b0+([0-9])", "${1}")
        if keys.n_unique() == len(keys):
            return
    alike = defaultdict(list)
    for text in names.sort():
        alike[_LEADING_ZEROS.sub("", text.casefold())].append(text)
    several = [ids for ids in alike.values() if len(ids) > 1]
    if not several:
        return
    tasks = dict(outcomes.group_by("question_id").agg(pl.col("task").unique()).iter_rows())
    pairs = [ids for ids in several if set(tasks[ids[0]]) & set(tasks[ids[1]])]
    if pairs:
        shown = ", ".join(" and ".join(f"`{text}`" for text in ids[:2]) for ids in pairs[:3])
        more = f" and {len(pairs) - 3:,} more" if len(pairs) > 3 else ""
        report.notes.append(
            f"question ids that look alike are read as different questions: {shown}{more}. Write them alike if they "
            "are the same."
        )
