"""The table per run: equal to the strategies' own functions, NaN where samples lack, refused where data lack."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

import t2scaling as t2
from t2scaling.cli.main import run
from t2scaling.errors import ArgumentError, DataError
from t2scaling.observations import Observations
from t2scaling.observations.score import score
from t2scaling.strategies import majority


@pytest.fixture
def sampled() -> Observations:
    """Two runs, three questions, eight samples each, with the wrong answers counted."""
    rows = []
    for run_id, N in (("small", 1e6), ("large", 1e7)):
        for q, (right, wrong) in enumerate([(3, [3, 2]), (1, [6, 1]), (8, [])]):
            rows.append(
                {"run_id": run_id, "n_params": N, "n_tokens": 20 * N, "task": "sums", "question_id": str(q),
                 "n_samples": 8, "n_correct": right, "wrong_counts": wrong}
            )  # fmt: skip
    return t2.read(pl.DataFrame(rows, schema_overrides={"wrong_counts": pl.List(pl.Int64)}))


def test_the_table_is_the_mean_over_questions(sampled: Observations) -> None:
    table = score(sampled, [1, 4], ["oracle", "majority", "all"])
    assert table.height == 2 * 3 * 2
    value = {(row["strategy"], row["k"]): row["value"] for row in table.filter(pl.col("run_id") == "small").to_dicts()}
    expected = np.mean(majority([[3, 3, 2], [1, 6, 1], [8, 0, 0]], 4))
    assert value["majority of k", 4.0] == pytest.approx(expected, rel=1e-12)
    assert value["pass@k", 1.0] == pytest.approx(np.mean([3, 1, 8]) / 8, rel=1e-12)
    assert value["pass^k", 4.0] <= value["majority of k", 4.0] <= value["pass@k", 4.0]


def test_more_samples_than_there_are_is_no_number(sampled: Observations) -> None:
    table = score(sampled, [8, 16])
    assert table.filter(pl.col("k") == 16)["value"].null_count() == 2
    assert table.filter(pl.col("k") == 8)["value"].null_count() == 0
    with pytest.raises(ArgumentError, match="`k` = 16 is more than the samples"):
        score(sampled, [16])


def test_likelihoods_are_enough_for_what_needs_success_only() -> None:
    world = t2.load_suite("world")
    task = world.tasks[0]
    table = score(world, [1, 64], ["oracle", "verifier:tpr=.9,fpr=.05"], task=task, stage="base")
    curves = t2.laws.curves(world.measurements(task), [1, 64])
    ours = table.filter(pl.col("strategy") == "pass@k").pivot("k", index="run_id", values="value")
    by_run = dict(zip(curves.run_id, curves.pass_at_k[:, 1], strict=True))
    for row in ours.to_dicts():
        assert row["64.0"] == pytest.approx(by_run[row["run_id"]], rel=1e-9)


def test_votes_need_the_wrong_answers() -> None:
    rows = [
        {"run_id": f"r{i}", "n_params": 1e6 + i, "n_tokens": 1e8, "task": "t", "question_id": "q", "nll": 2.0}
        for i in range(3)
    ]
    with pytest.raises(DataError, match="likelihood only"):
        score(t2.read(pl.DataFrame(rows)), [1], ["majority"])
    with pytest.raises(DataError, match="wrong_counts"):
        score(t2.load_suite("world-0.1.0"), [1], ["majority"], task="arithmetic", stage="base")


def test_the_command(sampled: Observations, tmp_path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(sampled.write(tmp_path / "observations.parquet"))
    for ending in ("csv", "parquet", "json"):
        assert run(["score", path, "-k", "1,4", "--strategy", "majority", "-o", str(tmp_path / f"s.{ending}")]) == 0
    assert pl.read_csv(tmp_path / "s.csv").height == pl.read_parquet(tmp_path / "s.parquet").height == 4
    capsys.readouterr()
    assert run(["score", path, "--json", "-k", "1"]) == 0
    assert len(json.loads(capsys.readouterr().out)["rows"]) == 2
    assert run(["score", path, "--strategy", "best_of"]) == 2
    assert "scores" in capsys.readouterr().err
    assert run(["score", path, "--strategy", "verifier:tpr=.1,fpr=.5"]) == 2
    assert "prefers wrong answers" in capsys.readouterr().err
