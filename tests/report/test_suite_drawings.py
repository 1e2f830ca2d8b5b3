"""The paper's figures of a whole suite, and the figures of single results."""

from __future__ import annotations

import numpy as np
import pytest

import t2scaling as t2
from t2scaling.allocate import frontier, plan
from t2scaling.report import figures, plots
from t2scaling.report.results import gather
from t2scaling.report.suite_drawings import suite_drawings


def test_stages_have_a_row_per_law_and_a_column_per_stage(loss_fit, accuracy_fit):
    figure = figures.stages({"base": [loss_fit, accuracy_fit], "ft": [accuracy_fit], "sft": [loss_fit]}, 2e9)
    titles = [ax.get_title() for ax in figure.axes]
    assert len(titles) == 6
    assert titles[0] == "T² loss law: pretrained"
    assert titles[4] == "T² accuracy law: fine-tuned"
    empty = [ax for ax in figure.axes if any("no law" in text.get_text() for text in ax.texts)]
    assert [ax.get_title() for ax in empty] == ["T² loss law: fine-tuned", "T² accuracy law: SFT"]


def test_task_profiles_have_a_row_per_task_and_a_column_per_budget(accuracy_fit):
    figure = figures.task_profiles({"one": [accuracy_fit, None], "two": [accuracy_fit] * 2}, [2e9, 8e9])
    assert [ax.get_title() for ax in figure.axes] == [
        f"{task}: C_inf = {budget}" for task in ("one", "two") for budget in ("2e9", "8e9")
    ]
    left, right = figure.axes[2:]
    runs = accuracy_fit.curves.N
    for ax, budget in ((left, 2e9), (right, 8e9)):
        drawn = np.vstack([dots.get_offsets() for dots in ax.collections[::2]])
        # Only runs whose k is within what was measured are drawn.
        k = budget / (2 * runs)
        assert np.isfinite(drawn[:, 1]).sum() == np.sum((k >= 1) & (k <= accuracy_fit.curves.k[-1] * (1 + 1e-9)))


def test_a_suite_has_all_figures_of_the_paper(simulated):
    import polars as pl

    frame = simulated.frame()
    tuned = frame.filter(pl.col("task") == "causal").with_columns(pl.lit("sft").alias("stage"), pl.col("nll") * 0.7)
    suite = gather(t2.Observations.from_frame(pl.concat([frame, tuned])))
    keys = [one.key for one in suite_drawings(suite)]
    assert keys[:2] == ["isoflop", "forecast"]
    assert keys[-4:] == ["stages", "tasks-loss", "tasks-accuracy", "tasks-bottleneck"]
    assert len(keys) == len(set(keys))


def test_a_fit_is_drawn_at_every_k(loss_fit):
    ax = plots.fit(loss_fit).axes[0]
    drawn = [line for line in ax.get_lines() if line.get_marker() == "o"]
    assert len(drawn) == len(loss_fit.curves.k)
    np.testing.assert_allclose(
        drawn[0].get_ydata() - drawn[0].get_xdata(), -loss_fit.residuals[:, 0], atol=1e-9 * loss_fit.curves.value.max()
    )


def test_a_plan_is_drawn_with_its_interval(loss_fit):
    made = plan(loss_fit, train_flops=2.56e19, inference_flops=2e9)
    ax = plots.plan(made).axes[0]
    heights = {text.get_text(): at for at, text in enumerate(ax.get_yticklabels())}
    assert {"optimum", "Chinchilla"} <= set(heights)
    dots = {line.get_ydata()[0]: line.get_xdata()[0] for line in ax.get_lines() if line.get_marker() == "o"}
    assert dots[heights["optimum"]] == made.n_params
    assert dots[heights["Chinchilla"]] == made.chinchilla.n_params
    (bar,) = [line for line in ax.get_lines() if line.get_marker() != "o"]
    assert tuple(bar.get_xdata()) == made.interval["n_params"]


def test_a_frontier_is_drawn_beside_chinchillas(loss_fit):
    budgets = np.geomspace(1e17, 1e21, 9)
    found = frontier(loss_fit, train_flops=np.tile(budgets, 2), inference_flops=np.repeat([2e9, 8e9], 9))
    axes = plots.frontier(found).axes
    lines = {line.get_label(): line for line in axes[1].get_lines()}
    np.testing.assert_array_equal(lines["2e9 FLOPs per token"].get_ydata(), found.n_params[:9])
    np.testing.assert_array_equal(lines["Chinchilla"].get_ydata(), found.chinchilla_n_params[:9])


def test_the_report_is_a_public_function_and_a_package(undrawn, loss_fit, tmp_path):
    path = t2.report(loss_fit, path=tmp_path / "r.html", train_flops=2.56e19, inference_flops=2e9)
    assert path.stat().st_size > 10_000
    assert t2.report.figures is figures
    with pytest.raises(t2.ArgumentError, match="train_flops"):
        t2.report(loss_fit, path=tmp_path / "s.html")
