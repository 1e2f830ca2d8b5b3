"""Plans of single tasks beside the plan of their mean."""

from __future__ import annotations

from t2scaling.allocate import plan
from t2scaling.laws import fit
from t2scaling.observations import load_suite
from t2scaling.report.analysis import per_task
from t2scaling.report.content import task_rows


def test_a_task_without_a_best_size_shows_no_plan() -> None:
    world = load_suite("world-0.1.0")
    mean = fit(world, law="accuracy", task="macro", inference_flops=1e6)
    rows = {
        row["task"]: row for row in task_rows(per_task(world, mean, plan(mean, train_flops=5e12, inference_flops=1e6)))
    }
    assert rows["arithmetic"]["n"] == "—"
    assert "no best size" in rows["arithmetic"]["value"]
    assert rows["knowledge"]["n"].endswith("K")
