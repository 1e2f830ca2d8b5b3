"""Usual names of columns, tables of means as curves, and the ready command of a refusal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import t2scaling as t2
from t2scaling.errors import ArgumentError, DataError
from t2scaling.observations import Results, as_fittable, read
from t2scaling.observations.aliases import ALIASES, name_columns
from t2scaling.observations.schema import BY_NAME

Table = dict[str, list[Any]]
LAW = t2.ChinchillaLaw(0.5, 400, 0.34, 1200, 0.37)
SAMPLED = t2.LossLaw(0.1, 400, 0.34, 1200, 0.37, 2, 0.3, "neg_log_mean")
SIZES = [(N, N * ratio) for N in (1e7, 4e7, 1.6e8, 6.4e8) for ratio in (5, 50, 500)]


@pytest.fixture
def means() -> pl.DataFrame:
    """model, params, tokens, benchmark, k, pass_at_k, n: two benchmarks, k = 1, 4 and 16."""
    rows = []
    for N, D in SIZES:
        for task, harder in (("arc", 1.0), ("sciq", 1.3)):
            for k in (1, 4, 16):
                value = float(np.exp(-harder * SAMPLED.predict(N, D, k)))
                rows.append((f"{N:g}-{D:g}", N, D, task, k, value, 400))
    names = ["model", "params", "tokens", "benchmark", "k", "pass_at_k", "n"]
    return pl.DataFrame(rows, names, orient="row")


def test_usual_names_of_outcomes(table: Table) -> None:
    called = {"run_id": "Model", "n_params": "N", "n_tokens": "D", "task": "benchmark", "question_id": "doc id"}
    usual = {called.get(name, name): values for name, values in table.items() if name != "nll"}
    found = read({**usual, "loss": table["nll"]})
    assert found.outcomes.equals(read(table).outcomes)
    assert any("`Model` as run_id" in note and "`loss` as nll" in note for note in found.report.notes)
    counted = {"n_samples": [4] * 6, "n_correct": [0, 1, 2, 3, 4, 0]}
    found = read({**usual, "n": counted["n_samples"], "correct": counted["n_correct"]})
    del table["nll"]
    assert found.outcomes.equals(read({**table, **counted}).outcomes)


def test_aliases_stand_for_one_column_each() -> None:
    names = [alias for aliases in ALIASES.values() for alias in aliases]
    assert len(names) == len(set(names))
    assert set(ALIASES) <= set(BY_NAME)
    assert not set(names) & (set(BY_NAME) - {"correct"})


def test_a_canonical_name_goes_before_a_usual_one(table: Table) -> None:
    table |= {"model": ["x"] * 6, "params": [5.0] * 6, "n": [1] * 6}
    found = read(table)
    assert found.measurements().run_id == ("a", "b")
    assert any("not used: model, params, n" in note for note in found.report.notes)


def test_two_candidates_are_not_guessed_between(table: Table) -> None:
    table["model"] = table.pop("run_id")
    table["checkpoint"] = table["model"]
    with pytest.raises(DataError, match=r"could be `run_id`: `model`, `checkpoint`.*--column run_id=model"):
        read(table)
    assert read(table, columns={"run_id": "checkpoint"}).measurements().run_id == ("a", "b")


def test_correct_beside_scores_is_a_list() -> None:
    assert name_columns(["correct", "n", "task"]).columns["n_correct"] == "correct"
    assert name_columns(["correct", "scores", "n", "c"]).columns["correct"] == "correct"


def test_a_table_without_tasks_is_named(table: Table, tmp_path: Path, t2: Any) -> None:
    del table["task"]
    assert read(table, task="sums").tasks == ("sums",)
    pl.DataFrame(table).write_csv(tmp_path / "t.csv")
    code, _, message = t2("validate", tmp_path / "t.csv")
    assert code == 2
    assert f"Run `t2 validate {tmp_path / 't.csv'} --task NAME`." in message
    code, printed, _ = t2("validate", tmp_path / "t.csv", "--task", "mine", "--json")
    assert code == 0
    assert json.loads(printed)["tasks"][0]["task"] == "mine"


@pytest.mark.parametrize("verb", ["validate", "fit", "import"])
def test_the_refusal_prints_the_ready_command(table: Table, tmp_path: Path, t2: Any, verb: str) -> None:
    table["n_parmas"] = table.pop("n_params")
    pl.DataFrame(table).write_csv(tmp_path / "t.csv")
    typed = [verb, str(tmp_path / "t.csv")]
    code, _, message = t2(*typed)
    assert code == 2
    assert "lacks the column `n_params` (did you mean `n_parmas`?)" in message
    assert f"Run `t2 {' '.join(typed)} --column n_params=n_parmas`." in message
    out = ["-o", tmp_path / "o.parquet"] if verb == "import" else []
    code, _, message = t2(*typed, "--column", "n_params=n_parmas", *out)
    assert code == (2 if verb == "fit" else 0)  # two runs carry no law
    assert "2 of 2 runs" in message or code == 0


def test_fit_takes_a_manifest(suite_frame: Any, tmp_path: Path, t2: Any) -> None:
    suite_frame(R=8, Q=5).drop("n_params").write_csv(tmp_path / "t.csv")
    code, _, message = t2("fit", tmp_path / "t.csv", "--law", "chinchilla")
    assert (code, "--runs manifest" in message) == (2, True)
    (tmp_path / "runs.yaml").write_text(
        "runs:\n" + "".join(f"  - {{run_id: r{r}, n_params: {r + 1}M}}\n" for r in range(8))
    )
    code, printed, _ = t2("fit", tmp_path / "t.csv", "--law", "chinchilla", "--runs", tmp_path / "runs.yaml", "--json")
    assert json.loads(printed)["support"]["N"] == [1e6, 8e6]


def test_validate_takes_a_suite(t2: Any) -> None:
    code, printed, _ = t2("validate", "simulated", "--json")
    assert (code, json.loads(printed)["n_runs"]) == (0, 106)


@pytest.mark.parametrize("loss", ["loss", "Loss", "mean_nll"])
@pytest.mark.parametrize(("n", "d"), [("N", "D"), ("n_params", "n_tokens"), ("params", "tokens")])
def test_three_columns_carry_a_chinchilla_fit(tmp_path: Path, n: str, d: str, loss: str) -> None:
    rows = "".join(f"{N:g},{D:g},{float(LAW.predict(N, D))!r}\n" for N, D in SIZES)
    (tmp_path / "losses.csv").write_text(f"{n},{d},{loss}\n{rows}")
    found = t2.fit(tmp_path / "losses.csv", law="chinchilla")
    assert list(found.law.parameters.values()) == pytest.approx(list(LAW.parameters.values()), rel=1e-5)
    assert found.curves.run_id[0] == "line 2"


def test_means_are_curves(means: pl.DataFrame) -> None:
    found = as_fittable(means)
    assert isinstance(found, Results)
    assert found.tasks == ("arc", "sciq")
    curves = found.curves("arc")
    assert curves.k.tolist() == [1, 4, 16]
    assert curves.target == "neg_log_mean"
    wanted = means.filter(benchmark="arc").sort("params", "tokens", "k")["pass_at_k"].to_numpy().reshape(-1, 3)
    np.testing.assert_allclose(curves.pass_at_k, wanted)
    np.testing.assert_allclose(curves.value, -np.log(wanted))
    np.testing.assert_allclose(curves.se, np.sqrt(wanted * (1 - wanted) / 400))
    macro = found.curves("macro", [1, 16])
    sciq = found.curves("sciq", [16])
    np.testing.assert_allclose(macro.pass_at_k[:, 1], (wanted[:, 2] + sciq.pass_at_k[:, 1]) / 2)
    np.testing.assert_allclose(macro.se[:, 1], np.hypot(curves.se[:, 2], sciq.se[:, 1]) / 2)


def test_a_law_is_fitted_to_means(means: pl.DataFrame, tmp_path: Path, t2: Any) -> None:
    import t2scaling

    fitted = t2scaling.fit(means, law="loss", task="arc")
    assert fitted.law.gamma == pytest.approx(0.3, rel=1e-4)
    means.write_csv(tmp_path / "means.csv")
    code, printed, told = t2(
        "fit", tmp_path / "means.csv", "--law", "loss", "--task", "arc", "--bootstrap", "4", "--json"
    )
    assert code == 0
    assert "no questions" in told
    content = json.loads(printed)
    assert content["law"]["parameters"]["gamma"] == pytest.approx(fitted.law.gamma)
    code, printed, _ = t2("validate", tmp_path / "means.csv", "--json")
    assert (code, json.loads(printed)["k"]) == (0, [1, 4, 16])


def test_one_column_per_k_is_the_same_table(means: pl.DataFrame) -> None:
    index = ["model", "params", "tokens", "benchmark"]
    wide = means.with_columns(pl.format("pass@{}", pl.col("k").cast(pl.Int64)).alias("k"))
    wide = wide.pivot("k", index=index, values="pass_at_k")
    tall = as_fittable(means.drop("n")).curves("sciq")
    assert as_fittable(wide).curves("sciq").data_hash == tall.data_hash


def test_accuracy_is_pass_at_1(means: pl.DataFrame) -> None:
    flat = means.filter(k=1, benchmark="arc").drop("k", "benchmark").rename({"pass_at_k": "accuracy"})
    curves = as_fittable(flat, task="arc").curves()
    assert (curves.task, curves.k.tolist()) == ("arc", [1])
    with_errors = flat.with_columns(stderr=pl.lit(0.01))
    assert as_fittable(with_errors).curves().se.tolist() == [[0.01]] * len(SIZES)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"pass_at_k": 43.2}, r"row 1: `pass_at_k` = 43.2 is a share"),
        ({"pass_at_k": float("nan")}, "is a share"),
        ({"params": 0.0}, "`n_params` = 0 must be above 0"),
        ({"k": 0.5}, "`k` = 0.5 must be 1 or more"),
        ({"n": 0}, "`n_questions` = 0"),
        ({"model": "6.4e+08-3.2e+11"}, "two rows of run"),
        ({"params": 5e6}, "several values of `n_params`"),
    ],
)
def test_means_that_cannot_be_used(means: pl.DataFrame, change: dict[str, Any], says: str) -> None:
    first = pl.int_range(pl.len()) == 0
    changed = [pl.when(first).then(pl.lit(value)).otherwise(name).alias(name) for name, value in change.items()]
    with pytest.raises(DataError, match=says):
        as_fittable(means.with_columns(changed))


def test_a_law_without_k_takes_the_loss_where_there_is_one(means: pl.DataFrame) -> None:
    both = means.filter(k=1, benchmark="arc").with_columns(loss=pl.lit(2.5))
    assert as_fittable(both).curves(samples=False).value.tolist() == [[2.5]] * len(SIZES)
    assert as_fittable(both).curves(samples=True).target == "neg_log_mean"
    assert as_fittable(both.drop("loss")).curves(samples=False).target == "neg_log_mean"


def test_a_loss_beside_counts_is_no_nll(counts: Table) -> None:
    found = read({**counts, "loss": [1.0] * 6})
    assert "nll" not in found.outcomes.columns


def test_means_have_no_questions_to_draw(means: pl.DataFrame) -> None:
    with pytest.raises(ArgumentError, match="`bootstrap_over` = questions has none to draw"):
        t2.fit(means, task="arc", bootstrap=5, bootstrap_over="questions", quality=False)


def test_a_law_without_k_names_its_three_columns(tmp_path: Path, t2: Any) -> None:
    (tmp_path / "a.csv").write_text("size,D,perplexity\n1,2,3\n")
    said = t2("fit", tmp_path / "a.csv", "--law", "chinchilla")[2]
    assert "rows of N, D and loss, and the table lacks n_params and loss." in said
    assert "--column n_params=THEIRS --column loss=THEIRS`" in said
    (tmp_path / "b.csv").write_text("x,y,z\n1,2,3\n")
    assert "lacks n_params and n_tokens and loss." in t2("fit", tmp_path / "b.csv", "--law", "chinchilla")[2]
    assert "lacks the columns `run_id`, `task`" in t2("validate", tmp_path / "b.csv")[2]


def test_k_must_be_in_the_table(means: pl.DataFrame) -> None:
    with pytest.raises(DataError, match=r"`k` = 3 is not in the table, which holds means at k = 1, 4, 16"):
        as_fittable(means).curves("arc", [1, 3])
    with pytest.raises(DataError, match="from k = 1 on"):
        as_fittable(means.filter(pl.col("k") > 1)).curves("arc")
    with pytest.raises(DataError, match="2 tasks"):
        as_fittable(means).curves()


def test_means_are_no_outcomes_per_question(means: pl.DataFrame) -> None:
    with pytest.raises(DataError, match=r"holds means over questions .* `t2 fit`"):
        read(means)


def test_outcomes_per_question_are_no_means(table: Table) -> None:
    assert not isinstance(as_fittable({**table, "accuracy": [0.5] * 6}), Results)
