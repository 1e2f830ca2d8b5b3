"""Figures show what they say: checked by the artists on them, not by pixels."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from t2scaling.allocate import frontier, plan
from t2scaling.laws import load_law
from t2scaling.report import figures
from t2scaling.report.agreement import agreement, hold_out
from t2scaling.report.drawings import Drawing, save
from t2scaling.report.panels import keys, panels
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
        dashed, solid, *_ = lines_of(ax, LAW_COLOURS["loss"])
        assert dashed.get_linestyle() == "--"
        assert solid.get_linestyle() == "-"
        seen = np.isfinite(solid.get_ydata())
        assert solid.get_xdata()[seen].max() <= 2.56e19 * 1.4
        assert ax.get_xlim() == (1e16, 1e25)
    (star,) = [line for line in axes[1].get_lines() if line.get_marker() == "*"]
    np.testing.assert_allclose([star.get_xdata()[0], star.get_ydata()[0]], [2.56e19, recommended.n_params], rtol=1e-9)


def test_forecast_shows_what_others_have_done_where_its_axis_reaches_them(loss_fit):
    ax = figures.forecast([loss_fit], 2e9).axes[1]
    named = {line.get_label(): line for line in ax.get_lines()}
    hoffmann = named["Hoffmann et al. 2022"]
    # Optima of their law as printed (SCIENCE: N at 1e21 and at 1e25 FLOPs).
    at = np.interp(np.log([1e21, 1e25]), np.log(hoffmann.get_xdata()), np.log(hoffmann.get_ydata()))
    np.testing.assert_allclose(np.exp(at), [1.824e9, 1.168e11], rtol=2e-3)
    point = named["Chinchilla 70B"]
    assert (point.get_xdata()[0], point.get_ydata()[0]) == (5.76e23, 70e9)
    near = {line.get_label() for line in figures.forecast([loss_fit], 2e9, high=1e19).axes[1].get_lines()}
    assert not near & {"Hoffmann et al. 2022", "Chinchilla 70B"}


def test_forecast_of_a_published_law_needs_no_data():
    law = load_law("pythia/gsm8k")
    figure = figures.forecast([law], 2e10)
    assert law.law.label in figure.axes[1].get_legend_handles_labels()[1]


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
    assert ax.get_legend_handles_labels()[1] == ["runs, coloured by D/N"]


def test_checkpoint_grid_writes_tokens_per_parameter_on_each_run(loss_fit):
    ax = figures.checkpoint_grid(loss_fit.curves).axes[0]
    written = {text.get_text() for text in ax.texts}
    assert len(ax.texts) == 106
    assert {"11,084", "3,106", "0.7"} <= written


def test_residuals_are_those_of_the_fit(loss_fit, accuracy_fit):
    figure = figures.residuals([loss_fit, accuracy_fit])
    scales = (100 / (loss_fit.curves.value - loss_fit.residuals), 100.0)
    for ax, fit, scale in zip(figure.axes[::3], (loss_fit, accuracy_fit), scales, strict=True):
        dots = ax.collections[0].get_offsets()
        np.testing.assert_allclose(np.sort(dots[:, 1]), np.sort((fit.residuals * scale).ravel()), atol=1e-8)


def test_residuals_of_a_law_without_k_leave_k_out(chinchilla_fit, loss_fit):
    assert len(figures.residuals([chinchilla_fit]).axes) == 2
    beside = figures.residuals([loss_fit, chinchilla_fit]).axes
    assert [ax.axison for ax in beside] == [True] * 5 + [False]


def test_coverage_shows_eight_sizes_at_their_longest_training_each_unlike_the_others(accuracy_fit):
    figure = figures.coverage(accuracy_fit)
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert len(labels) == 8
    assert labels[0].startswith("5.17M")
    assert labels[-1].startswith("902M on 4.73B tokens")
    dots = [line for line in figure.axes[0].get_lines() if line.get_marker() not in ("None", "")]
    assert len({(line.get_color(), line.get_marker()) for line in dots}) == 8
    assert len({line.get_color() for line in dots}) == 8


def test_coverage_shows_the_guesser_where_it_is_known(accuracy_fit):
    guess = np.linspace(0.01, 0.2, len(accuracy_fit.curves.k))
    line = next(one for one in figures.coverage(accuracy_fit, guess).axes[0].get_lines() if "guess" in one.get_label())
    np.testing.assert_array_equal(line.get_ydata(), guess)


def test_text_lies_on_no_point(loss_fit):
    """The errors stand above the axes, not on them."""
    figure = figures.predicted_observed([loss_fit], 2e9)
    figure.draw_without_rendering()
    (ax,) = figure.axes
    assert ax.texts[0].get_window_extent().y0 >= ax.get_window_extent().y1


def test_panels_take_a_figure_apart(loss_fit, accuracy_fit):
    figure = figures.isoflop_profiles([loss_fit, accuracy_fit], 2e9)
    found = panels(figure, "iso")
    assert len(found) == 4
    assert found[0].text.startswith("T² loss law: one sample, k = 1: loss (nats) from ")
    assert "against parameters N from" in found[0].text
    for number, panel in enumerate(found, 1):
        assert panel.svg.count("<svg") == 1
        assert f'id="iso-{number}-' in panel.svg
        # Each drawing holds its own axes and no other: one label of x each.
        assert panel.svg.count("parameters N") == 1
    assert [key.label for key in keys(figure)][:2] == ["Chinchilla frontier", "T² loss law frontier"]
    assert keys(figure)[0].colour == "var(--ink)"
    assert {"line", "○"} <= {key.mark for key in keys(figure)}


@pytest.mark.parametrize(("name", "start"), [("svg", b"<?xml"), ("pdf", b"%PDF"), ("png", b"\x89PNG")])
def test_figures_are_saved_in_every_format_with_equal_bytes(loss_fit, tmp_path, name, start):
    def written() -> Path:
        return save([Drawing("residuals", "Residuals", figures.residuals([loss_fit]), "")], tmp_path, [name])[0]

    path = written()
    first = path.read_bytes()
    assert path.name == f"residuals.{name}"
    assert first.startswith(start)
    assert written().read_bytes() == first


def test_a_format_that_cannot_be_saved_is_named(loss_fit, tmp_path):
    with pytest.raises(ValueError, match="formats"):
        save([], tmp_path, ["svgz"])


@pytest.mark.parametrize("key", ["one", "two"])
def test_svg_is_themed_prefixed_and_repeatable(loss_fit, key):
    text = figures.svg(figures.residuals([loss_fit]), key)
    assert text == figures.svg(figures.residuals([loss_fit]), key)
    assert text.startswith("<svg")
    assert "var(--ink)" in text
    assert INK not in text
    assert "<metadata>" not in text
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert all(name.startswith(f"{key}-") for name in ids)
    used = set(re.findall(r'(?:url\(#|href="#)([^")]+)', text))
    assert used <= set(ids)
