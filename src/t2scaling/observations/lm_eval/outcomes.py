"""From rows of a samples file to outcomes: nll, or n_samples and n_correct. One class per output type.

Each takes the first row and the configuration of a log, says which columns it reads (`schema`), turns a block into
rows of outcomes (`read`) and, where a choice needs the whole file, settles it at the end (`finish`). Everything that
the harness writes into `resps` is text: log-probabilities too.
"""

from typing import Any

import numpy as np
import polars as pl

from t2scaling.errors import DataError
from t2scaling.observations.lm_eval.blocks import FirstRow
from t2scaling.observations.scoring import Scorer, answers, exact

TEXT = pl.String
TEXTS = pl.List(pl.String)
COUNTS = pl.List(pl.Int64)


class Reading:
    """How one log is read.

    schema  column → polars type of what is needed of a row; always `doc_id`, `filter` and `resps`
    how     what the outcome is, for the report
    """

    schema: dict[str, Any]
    how: str

    def read(self, block: pl.DataFrame) -> pl.DataFrame:
        """Outcomes of a block, with `question_id`."""
        raise NotImplementedError

    def finish(self, outcomes: pl.DataFrame) -> pl.DataFrame:
        """Outcomes of the file: question_id, and nll or n_samples and n_correct. Most have nothing left to settle."""
        return outcomes


def output_type(first: FirstRow, stated: str | None) -> str:
    """The task's output type, as its configuration states it or else as its first row looks."""
    if stated:
        return stated
    if first.resps[0] and isinstance(first.resps[0][0], list):
        return "multiple_choice" if len(first.resps) > 1 else "loglikelihood"
    rolling = {"word_perplexity", "byte_perplexity", "bits_per_byte"} & {*first.metrics, *first.values}
    return "loglikelihood_rolling" if rolling else "generate_until"


class Loglikelihood(Reading):
    """−log p of the target: the request's log-probability, which the harness sums over the target's tokens.

    The row's own `perplexity` is that same negative number and is not used.
    """

    how = "nll = −(log-probability of the target)"

    def __init__(self) -> None:
        self.schema = {"doc_id": TEXT, "filter": TEXT, "resps": pl.List(pl.List(TEXTS))}

    def read(self, block: pl.DataFrame) -> pl.DataFrame:
        """question_id and nll."""
        logp = pl.col("resps").list.first().list.first().list.first().cast(pl.Float64, strict=False)
        return block.select(question_id="doc_id", nll=-logp)


class MultipleChoice(Reading):
    """−log p of the gold choice, summed over its tokens.

    The log writes the gold choice as text that may be the position of the choice ("1" for the second) or the choice
    itself. Whichever reading names a choice in every row is taken; where both do, the one that agrees more often
    with the logged `acc`. Where neither does (the harness logs a continuation instead), `acc` and the likeliest
    choice still tell the gold one if there are two choices.
    """

    def __init__(self, first: FirstRow, where: str) -> None:
        self.where = where
        self.how = "nll = −(log-probability of the gold choice)"
        arguments = first.arguments if isinstance(first.arguments, dict) else {}
        names = [name for name in arguments if name.startswith("gen_args_")]
        # This metric appends to the choices as many requests for the choices without their question.
        self.share = 2 if "acc_mutual_info" in first.metrics else 1
        # Questions of one task differ in their number of choices; the text reading looks at twice the first's.
        self.names = [f"gen_args_{i}" for i in range(min(200, max(8, 2 * len(names))))]
        choice = pl.Struct({"arg_1": TEXT})
        self.schema = {
            "doc_id": TEXT,
            "filter": TEXT,
            "target": TEXT,
            "acc": TEXT,
            "resps": pl.List(pl.List(TEXTS)),
            "arguments": pl.Struct(dict.fromkeys(self.names, choice)),
        }

    def read(self, block: pl.DataFrame) -> pl.DataFrame:
        """question_id and, for each reading of the gold choice, its nll and whether it agrees with `acc`."""
        target = pl.col("target").str.strip_chars()
        position = target.cast(pl.Int64, strict=False)
        texts = [pl.col("arguments").struct.field(name).struct.field("arg_1").str.strip_chars() for name in self.names]
        matches = [(text == target).fill_null(False) for text in texts]
        by_text = pl.coalesce(*(pl.when(match).then(i) for i, match in enumerate(matches)))
        choices = pl.col("logp").list.len().cast(pl.Int64)
        best = pl.col("logp").list.arg_max().cast(pl.Int64)
        right = pl.col("acc").replace({"true": "1", "false": "0"}).cast(pl.Float64, strict=False) == 1
        other = pl.when(right).then(best).when(choices == 2).then(1 - best)
        readings = {
            "position": pl.when(position.is_between(0, choices - 1)).then(position),
            "text": pl.when(pl.sum_horizontal(matches) == 1).then(by_text),
            "acc": other,
        }
        rows = block.with_columns(
            logp=pl.col("resps")
            .list.head(pl.col("resps").list.len() // self.share)
            .list.eval(pl.element().list.first().list.first().cast(pl.Float64, strict=False))
        )
        return rows.select(
            pl.col("doc_id").alias("question_id"),
            (1 / choices).alias("chance"),
            *((-pl.col("logp").list.get(gold, null_on_oob=True)).alias(name) for name, gold in readings.items()),
            *(((best == gold) == right).alias(f"{name} agrees") for name, gold in readings.items()),
        )

    def finish(self, outcomes: pl.DataFrame) -> pl.DataFrame:
        """The reading that names a choice in every row and agrees best with `acc`."""
        complete = [name for name in ("position", "text") if not outcomes[name].null_count()]
        if not complete and not outcomes["acc"].null_count():
            complete = ["acc"]
            self.how += ", told by `acc`"
        if not complete:
            untold = min(outcomes[name].null_count() for name in ("position", "text"))
            raise DataError(
                f"{self.where}: the gold choice cannot be told: `target` is neither the position nor the text of a "
                f"choice in {untold:,} of {len(outcomes):,} rows. "
                "Leave the file out, or log the task again with a `doc_to_target` that names a choice."
            )
        chosen = max(complete, key=lambda name: outcomes[f"{name} agrees"].sum())
        return outcomes.select("question_id", "chance", nll=chosen)


class Sampled(Reading):
    """Samples drawn and samples correct, of a task that generates text.

    Counts in the log are taken as they are: n_samples and n_correct, or pass@1, which is c / n. A single response
    per question is judged by the task's own metric unless a scorer is given. Several are graded here one by one:
    the harness scores only the first of them, or the whole list as if it were one answer.
    """

    def __init__(
        self, first: FirstRow, scorer: Scorer | None, name: str | None, filter_name: str | None, where: str
    ) -> None:
        self.where = where
        filtered, responses = first.filtered_resps or [None], first.resps[0]
        self.metric = _counting_metric(first, len(responses), scorer is not None)
        self.scorer, self.name, self.kept_all = scorer or exact, name or "exact", isinstance(filtered[0], list)
        self.votes = len(responses) > 1
        self.schema = {
            "doc_id": TEXT,
            "filter": TEXT,
            "target": TEXT,
            "resps": pl.List(TEXTS),
            **({"filtered_resps": pl.List(TEXTS)} if self.kept_all else {}),
            **dict.fromkeys(("n_samples", "n_correct") if self.metric == "n_correct" else (), TEXT),
            **({self.metric: TEXT} if self.metric and self.metric != "n_correct" else {}),
        }
        graded = f"each response (filter {filter_name})" if self.kept_all else "each response"
        self.how = {
            "n_correct": "n_samples and n_correct of the log",
            "pass@1": "n_correct = pass@1 × responses",
            None: f"{graded} graded: {name or 'exact'}",
        }.get(self.metric, f"`{self.metric}` of the one response")

    def read(self, block: pl.DataFrame) -> pl.DataFrame:
        """question_id, n_samples, n_correct and, where the wrong answers can be told apart, wrong_counts."""
        if self.metric is None:
            return self._grade(block)
        value = pl.col(self.metric).replace({"true": "1", "false": "0"}).cast(pl.Float64, strict=False)
        responses = pl.col("resps").list.first().list.len().cast(pl.Float64)
        if self.metric not in ("n_correct", "pass@1"):
            several = block.filter(responses != 1)["doc_id"]
            if len(several):
                raise DataError(
                    f"{self.where}: question {several[0]} has several responses, or none, and the first question one, "
                    f"which `{self.metric}` judges. Grade them all alike with --score, or leave the file out."
                )
        n = pl.col("n_samples").cast(pl.Float64, strict=False) if self.metric == "n_correct" else responses
        counted = block.select(
            question_id="doc_id", n_samples=n, n_correct=value if self.metric == "n_correct" else value * n
        )
        counted = self._whole(counted)
        if not self.votes:
            return counted
        # The log does not say which responses were right; where the grading here finds as many, it found the same.
        graded = self._grade(block)
        same = (graded["n_samples"] == counted["n_samples"]) & (graded["n_correct"] == counted["n_correct"])
        return counted.with_columns(
            graded["wrong_counts"].zip_with(same.fill_null(False), pl.Series([None], dtype=COUNTS))
        )

    def _whole(self, counted: pl.DataFrame) -> pl.DataFrame:
        whole = counted["n_correct"].round()
        odd = counted.filter((counted["n_correct"] - whole).abs() > 1e-6 * counted["n_samples"])
        if len(odd):
            row = odd.row(0, named=True)
            raise DataError(
                f"{self.where}: `{self.metric}` of question {row['question_id']} is no number of correct "
                f"samples: it makes {row['n_correct']:g} of {row['n_samples']:g}. Grade the responses with --score."
            )
        return counted.with_columns(whole.cast(pl.Int64), pl.col("n_samples").cast(pl.Int64))

    def _grade(self, block: pl.DataFrame) -> pl.DataFrame:
        """Grade one response per row of an exploded frame, and count per question."""
        kept = pl.col("filtered_resps").list.first() if self.kept_all else pl.lit(None, TEXTS)
        drawn = pl.col("resps").list.first()
        # A filter that kept every response has read the answers off them; one that kept some has hidden the rest.
        responses = pl.when(kept.list.len() == drawn.list.len()).then(kept).otherwise(drawn)
        rows = block.select("target", question_id="doc_id", response=responses)
        n = rows["response"].list.len().fill_null(0).to_numpy()
        row = np.repeat(np.arange(len(rows)), n)
        given = rows["response"].filter(n > 0).explode()
        right = self.scorer(given, rows["target"].gather(row)).to_numpy()
        wrong = answers("exact" if self.kept_all else self.name, given.filter(~right))
        told = pl.DataFrame({"row": row[~right], "answer": wrong}).drop_nulls().group_by("row", "answer").len()
        most_first = told.sort("row", "len", descending=[False, True])
        votes = most_first.group_by("row", maintain_order=True).agg(wrong_counts=pl.col("len").cast(pl.Int64))
        none = pl.lit(None if len(wrong) and not len(told) else [], COUNTS)  # nothing could be read: no votes are known
        counted = rows.select(
            "question_id",
            n_samples=pl.lit(n).cast(pl.Int64),
            n_correct=pl.lit(np.bincount(row[right], minlength=len(rows))),
            row=pl.int_range(len(rows)),
        ).join(votes, on="row", how="left", maintain_order="left")
        return counted.with_columns(pl.coalesce("wrong_counts", none)).drop("row")


def _counting_metric(first: FirstRow, responses: int, graded: bool) -> str | None:
    """The logged column that holds the outcome: "n_correct", "pass@1", the metric of a single response, or None."""
    if "n_samples" in first.values and "n_correct" in first.values:
        return "n_correct"
    if "pass@1" in first.values:
        return "pass@1"
    if responses != 1 or graded:
        return None
    binary = [name for name in first.metrics if first.values.get(name) in (0, 1)]
    return binary[0] if binary else None
