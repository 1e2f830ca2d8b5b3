"""A fit as something to look at, to keep and to read back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from t2scaling.errors import ArgumentError, DataError
from t2scaling.laws import FitResult, FitStatus, Measurements, fit
from t2scaling.laws.quality import Quality

REFERENCE = Path(__file__).parents[1] / "reference"


@pytest.fixture(scope="module")
def kept() -> FitResult:
    return FitResult.load(REFERENCE / "fit_loss_0_1_0.json")


def test_a_fit_of_0_1_0_is_read_and_predicts_as_it_did(kept):
    # Printed by 0.1.0 itself, from the fits that stand in the files.
    assert kept.predict(1e8, 1e9, 4) == pytest.approx(1.227186206913999, rel=1e-12)
    assert kept.bootstrap.predict_interval(1e8, 1e9, 4) == pytest.approx(
        (1.1093426856281696, 1.3715661155283363), rel=1e-12
    )
    accuracy = FitResult.load(REFERENCE / "fit_accuracy_0_1_0.json")
    assert accuracy.predict(1e8, 1e9, 4) == pytest.approx(0.30134772963838496, rel=1e-12)
    assert accuracy.status is FitStatus.CONVERGED
    assert not accuracy.quality.held_out


def test_what_is_written_is_read_back(kept, tmp_path):
    judged = replace(kept, quality=Quality(held_out={"pass_at_k": 0.1}))
    again = FitResult.load(judged.save(tmp_path / "fit.json"))
    assert again.quality == judged.quality
    assert replace(again, quality=Quality()).to_json() == kept.to_json()


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("law", "name"), "cubic", "`law` = 'cubic' is no law"),
        (("law", "parameters", "E"), None, "lacks the parameter"),
        (("curves", "n_params", 0), -1, "`n_params` must be above zero"),
        (("curves", "n_tokens", 0), 1e90, "`n_tokens` must be above zero, and no more"),
        (("law", "parameters", "A"), 1e90, "that no fit gives, A"),
        (("quality",), {"in_sample": {"luck": 0.1}}, "in_sample"),
        (("curves", "k"), [1, 4], r"`k` has the shape|\(12, 2\) is needed"),
        (("curves", "value", 0), [1], "rows of one length"),
        (("residuals",), [[1]], "unlike the curves"),
        (("status", "name"), "FINE", "status.name"),
        (("support",), {"N": [1, 2]}, "lacks D"),
        (("support", "k"), [0, 0], "`k` runs from 0 to 0, which is no range"),
        (("support", "D"), [2e9, 1e9], "which is no range"),
        (("support", "D"), [2e9, 1e90], "which is no range"),
        (("bootstrap", "samples"), [[1, 2]], "P = 7 columns"),
        (("bootstrap", "samples"), [[float("-inf")] * 7], "finite numbers or null"),
        (("objective",), "low", "objective"),
        (("format",), "t2scaling/fit/9", "t2 fit"),
    ],
)
def test_a_damaged_file_is_refused_with_the_command_that_makes_it(tmp_path, path, value, words):
    content = json.loads((REFERENCE / "fit_loss_0_1_0.json").read_text())
    place = content
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    (tmp_path / "fit.json").write_text(json.dumps(content))
    with pytest.raises(DataError, match=words) as refused:
        FitResult.load(tmp_path / "fit.json")
    assert "t2 fit" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_it_is_short_to_print_and_escaped_in_a_notebook(kept):
    assert len(repr(kept)) < 250
    assert repr(kept).startswith("FitResult(loss, t, 12 runs × 3 k, CONVERGED: E=0")
    page = replace(kept, task="<script>")._repr_html_()
    assert "&lt;script&gt;" in page
    assert "<script>" not in page
    assert page.count("<tr>") == 8


def test_as_a_frame(kept):
    frame = kept.to_frame()
    assert frame.columns == ["run_id", "n_params", "n_tokens", "k", "observed", "predicted"]
    assert len(frame) == 36
    row = frame.filter((frame["run_id"] == "r3") & (frame["k"] == 4)).row(0, named=True)
    assert row["observed"] == kept.curves.value[3, 1]
    assert row["predicted"] == pytest.approx(float(kept.predict(row["n_params"], row["n_tokens"], 4)), rel=1e-12)


def test_as_a_figure(kept):
    axes = kept.plot().axes[0]
    drawn = np.concatenate([dots.get_xydata() for dots in axes.get_lines() if dots.get_marker() == "o"])
    assert len(drawn) == 36
    assert axes.get_xlabel() == "observed −log pass@k (nats)"


def test_prediction_with_an_interval(kept):
    again = fit(kept.curves, law="loss")
    value, low, high = again.predict([1e8, "1B"], 1e9, 4, interval=0.5)
    assert value.shape == low.shape == high.shape == (2,)
    wide = again.predict(1e8, 1e9, 4, interval=0.99)
    assert wide[1] <= low[0] <= high[0] <= wide[2]
    with pytest.raises(ArgumentError, match="no backtest"):
        kept.predict(1e8, 1e9, interval=0.9)


def test_a_law_that_misses_its_own_runs_says_so(rng):
    # Success that falls with D, of a size that no sigmoid of a falling loss can follow.
    N, D = (part.ravel() for part in np.meshgrid(np.geomspace(1e7, 1e9, 5), np.geomspace(1e9, 1e11, 5)))
    rate = np.clip(1e-4 * (N / 1e7) * (D / 1e9) ** -1.5 * np.exp(rng.normal(0, 1.5, 25)), 1e-6, 0.5)
    c = rng.binomial(10**5, rate[:, None], (25, 30))
    names = tuple(str(i) for i in range(25))
    found = fit(
        Measurements("falls", names, N, D, np.full(30, 1 / 30), n=np.full(c.shape, 10**5), c=c),
        law="accuracy", k=[1, 10, 100],
    )  # fmt: skip
    assert found.status is FitStatus.POOR
    assert not found.status.usable
    assert "misses" in found.explain()
