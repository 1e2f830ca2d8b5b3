"""Figures show what they say: checked by the artists on them, not by pixels."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from t2scaling.allocate import frontier, plan
from t2scaling.report import figures
from t2scaling.report.agreement import agreement, hold_out
from t2scaling.report.style import INK, LAW_COLOURS


def lines_of(ax, colour):
    return [line for line in ax.get_lines() if line.get_color() == colour]


def test_isoflop_profiles_have_one_row_per_fit_and_both_frontiers(loss_fit, accuracy_fit):
    figure = figures.isoflop_profiles([loss_fit, accuracy_fit], 2e9)
    assert len(figure.axes) == 4
    for ax, fit in zip(figure.axes, [loss_fit, loss_fit, accuracy_fit, accuracy_fit], strict=True):
        assert len(lines_of(ax, INK)) == 1
        (ours,) = lines_of(ax, LAW_COLOURS[fit.law.name])
        budgets = np.geomspace(1.25e16, 2.56e19, 25)
        wanted = frontier(fit.law, train_flops=budgets, inference_flops=2e9).n_params
        np.testing.assert_allclose(ours.get_xdata(), wanted, rtol=1e-9)
        assert ax.get_xscale() == "log"
        assert ax.get_xlabel() == "parameters N"


def test_at_its_own_k_the_laws_frontier_is_never_worse_than_chinchillas(loss_fit):
    ax = figures.isoflop_profiles([loss_fit], 2e9).axes[1]
    (ours,), (theirs,) = lines_of(ax, LAW_COLOURS["loss"]), lines_of(ax, INK)
    assert np.all(ours.get_ydata() <= theirs.get_ydata() + 1e-9)


def test_isoflop_profiles_draw_every_run_that_affords_a_sample(loss_fit):
    budget = 1e9
    left, right = figures.isoflop_profiles([loss_fit], budget).axes
    # The first collection of each level is its runs, the second the rings around overtrained ones.
    drawn = [np.vstack([dots.get_offsets() for dots in ax.collections[::2]]) for ax in (left, right)]
    assert np.isfinite(drawn[0][:, 1]).sum() == 106
    assert np.isfinite(drawn[1][:, 1]).sum() == np.sum(budget / 2 >= loss_fit.curves.N)


def test_forecast_is_solid_on_the_data_and_dashed_beyond(loss_fit):
    recommended = plan(loss_fit, train_flops=2.56e19, inference_flops=2e9)
    axes = figures.forecast([loss_fit], 2e9, [recommended]).axes
    assert len(axes) == 3
    for ax in axes:
        dashed, solid = lines_of(ax, LAW_COLOURS["loss"])
        assert dashed.get_linestyle() == "--"
        assert solid.get_linestyle() == "-"
        seen = np.isfinite(solid.get_ydata())
        assert solid.get_xdata()[seen].max() <= 2.56e19 * 1.4
        assert ax.get_xlim() == (1e16, 1e25)
    star = axes[1].collections[-1].get_offsets()[0]
    np.testing.assert_allclose(star, [2.56e19, recommended.n_params], rtol=1e-9)


def test_forecast_draws_a_band_only_with_a_bootstrap(loss_fit, accuracy_fit):
    def bands(fit):
        ax = figures.forecast([fit], 2e9).axes[1]
        return [one for one in ax.collections if type(one).__name__ == "FillBetweenPolyCollection"]

    assert len(bands(loss_fit)) == 1
    assert not bands(accuracy_fit)


def test_predicted_observed_prints_the_errors_that_it_shows(loss_fit):
    held = hold_out(loss_fit)
    found = agreement(loss_fit, 2e9, held)
    mean = found.errors(found.overtrained).mean
    text = figures.predicted_observed([loss_fit], 2e9, [held]).axes[0].texts[0].get_text()
    assert f"{mean:.1%}" in text
    assert "21 held out runs" in text
    assert "85 fitted runs" in text


def test_predicted_observed_without_overtrained_runs_has_no_ring(loss_fit):
    plain = replace(loss_fit, curves=replace(loss_fit.curves, overtrained=None))
    ax = figures.predicted_observed([plain], 2e9).axes[0]
    assert "106 fitted runs" in ax.texts[0].get_text()
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["runs, coloured by D/N"]


def test_checkpoint_grid_writes_tokens_per_parameter_on_each_run(loss_fit):
    ax = figures.checkpoint_grid(loss_fit.curves).axes[0]
    written = {text.get_text() for text in ax.texts}
    assert len(ax.texts) == 106
    assert {"11,084", "3,106", "0.7"} <= written


def test_residuals_are_those_of_the_fit(loss_fit, accuracy_fit):
    for fit, scale in ((loss_fit, 100 / (loss_fit.curves.value - loss_fit.residuals)), (accuracy_fit, 100.0)):
        dots = figures.residuals(fit).axes[0].collections[0].get_offsets()
        np.testing.assert_allclose(np.sort(dots[:, 1]), np.sort((fit.residuals * scale).ravel()), atol=1e-8)


def test_residuals_of_a_law_without_k_leave_k_out(chinchilla_fit):
    assert len(figures.residuals(chinchilla_fit).axes) == 2


def test_coverage_shows_eight_sizes_at_their_longest_training(accuracy_fit):
    ax = figures.coverage(accuracy_fit).axes[0]
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert len(labels) == 8
    assert labels[0].startswith("5.17M")
    assert labels[-1].startswith("902M, 4.73B tokens")


@pytest.mark.parametrize("key", ["one", "two"])
def test_svg_is_themed_prefixed_and_repeatable(loss_fit, key):
    text = figures.svg(figures.residuals(loss_fit), key)
    assert text == figures.svg(figures.residuals(loss_fit), key)
    assert text.startswith("<svg")
    assert "var(--ink)" in text
    assert INK not in text
    assert "<metadata>" not in text
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert all(name.startswith(f"{key}-") for name in ids)
    used = set(re.findall(r'(?:url\(#|href="#)([^")]+)', text))
    assert used <= set(ids)
