"""The page: complete, self-contained, escaped, and right in its numbers."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import math
import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from urllib.parse import unquote

import numpy as np
import pytest

from t2scaling.allocate import Plan, plan
from t2scaling.allocate.sentence import format_value
from t2scaling.cli.main import run
from t2scaling.costs import Serving
from t2scaling.laws import FitResult, fit, load_law
from t2scaling.report import analysis, report
from t2scaling.report.agreement import hold_out
from t2scaling.report.content import names, parameter_text, value_text, warnings
from t2scaling.report.page import STEPS, render
from t2scaling.report.provenance import runs_csv

VOID = {"meta", "input", "br", "link", "img", "hr", "path", "use", "image"}


class Page(HTMLParser):
    """Collects links, ids, text and the balance of tags."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links, self.ids, self.text, self.open, self.tags = [], [], [], [], []
        self.scripts = 0
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        facts = dict(attrs)
        self.tags.append(facts)
        self.links += [facts[name] for name in ("href", "src", "xlink:href", "action") if name in facts]
        self.ids += [facts["id"]] if "id" in facts else []
        self.scripts += tag == "script"
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture(scope="module")
def recommended(loss_fit):
    return plan(loss_fit, train_flops=2.56e19, inference_flops=2e9)


@pytest.fixture(scope="module")
def html(loss_fit, accuracy_fit, simulated, recommended):
    return render(loss_fit, recommended, extra_fits=[accuracy_fit], observations=simulated, command="t2 report x")


def downloads(html):
    page = Page(html)
    links = [link for link in page.links if link.startswith(("data:application/json", "data:text"))]
    return [unquote(link.partition(",")[2]) for link in links]


def test_page_is_well_formed_and_fetches_nothing(html):
    page = Page(html)
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert page.links
    assert all(link.startswith(("data:", "#")) for link in page.links)
    for outside in ("url(http", "@import", "fetch(", "XMLHttpRequest", 'src="http'):
        assert outside not in html


def test_page_says_what_the_plan_says(html, recommended):
    text = " ".join(Page(html).text)
    assert recommended.sentence() in text
    low, high = recommended.interval["n_params"]
    assert low < recommended.n_params < high
    assert "of the plans of refits" in text
    for heading in ("IsoFLOP profiles", "Forecast", "Predicted against observed", "The checkpoints", "Residuals"):
        assert heading in text
    for task in ("lambada_openai", "causal"):
        assert task in text
    assert "t2 report x" in text


def test_figures_and_sliders_have_names_for_those_who_do_not_see_them(html):
    page = Page(html)
    drawings = [facts for facts in page.tags if facts.get("class") == "drawing"]
    assert len(drawings) >= 10
    for facts in drawings:
        assert facts["role"] == "img"
        assert re.search(r"from .* to .* against .* from .* to ", facts["aria-label"])
    sliders = {facts["id"] for facts in page.tags if facts.get("type") == "range"}
    expected = ("train", "serve", "total", "served", "query", "queries", "prompt", "answer")
    assert sliders == {f"p-{name}" for name in expected}
    assert all(facts.get("aria-label") for facts in page.tags if facts.get("type") == "range")
    assert html.count("aria-valuetext") == 1  # set by the script at every move, in FLOPs instead of logarithms


def test_nothing_hides_in_a_scroller_and_cells_name_their_column(html):
    assert "overflow-x" not in html
    assert 'class="scroll"' not in html
    page = Page(html)
    assert sum("data-label" in facts for facts in page.tags) >= 4 * 7


def test_each_heading_stands_once(html):
    headings = re.findall(r"<h2>(.*?)</h2>", html)
    assert len(headings) == len(set(headings))


def test_page_of_a_published_law(tmp_path):
    path = report("pythia/gsm8k", path=tmp_path / "r.html", train_flops=1e21, inference_flops=2e10)
    page = Page(path.read_text(encoding="utf-8"))
    text = " ".join(page.text)
    assert page.open == []
    assert "Forecast over training budgets" in text
    assert "IsoFLOP" not in text
    assert load_law("pythia/gsm8k").citation in text


def test_figures_are_saved_beside_the_page(loss_fit, recommended, tmp_path):
    steps = []
    report(
        loss_fit, recommended, path=tmp_path / "r.html", figures=tmp_path / "figures", advance=lambda: steps.append(1)
    )
    names = {path.name for path in (tmp_path / "figures").iterdir()}
    assert {"isoflop.svg", "forecast.pdf", "grid.png", "residuals.svg"} <= names
    assert len(steps) == STEPS


def test_simulated_data_are_called_so_everywhere(html, loss_fit, recommended):
    page = Page(html)
    assert "(simulated)</title>" in html
    assert loss_fit.conventions["statement"] in " ".join(page.text)
    assert html.count("Simulated data.</strong>") == html.count("<figcaption>")


def test_measured_data_are_not_called_simulated(undrawn, loss_fit):
    measured = replace(loss_fit, conventions={"n_params": "with_head", "nll": "sum"}, warnings=())
    shown = render(measured, plan(measured, train_flops=2.56e19, inference_flops=2e9))
    assert "imulated" not in re.sub(r'href="data:[^"]*"', "", shown)  # the file of the fit holds its data's own words


def test_names_from_data_are_escaped(undrawn, loss_fit, simulated, tmp_path):
    nasty = "<script>alert('x')</script>&\"task"
    curves = replace(loss_fit.curves, run_id=tuple(f"<img src=x>{name}" for name in loss_fit.curves.run_id))
    bad = replace(
        loss_fit,
        task=nasty,
        curves=curves,
        warnings=("<b>warning</b>",),
        conventions={**loss_fit.conventions, "n_params": "<i>count</i>", "statement": "<u>law</u>"},
    )
    path = report(bad, path=tmp_path / "r.html", train_flops=2.56e19, inference_flops=2e9, command="t2 <em>")
    html = path.read_text(encoding="utf-8")
    for raw in ("<script>alert", "<img src=x>", "<b>warning", "<i>count", "<u>law", "<em>"):
        assert raw not in html
    page = Page(html)
    assert page.scripts == 2  # the planner and its data
    assert any(nasty in piece for piece in page.text)


def test_downloads_are_the_artefacts_themselves(html, loss_fit, accuracy_fit, recommended, tmp_path):
    first, second, *fits, runs = downloads(html)
    plans = [first, second]
    (tmp_path / "plan.json").write_text(plans[0])
    assert Plan.load(tmp_path / "plan.json").n_params == recommended.n_params
    loaded = [FitResult.from_dict(json.loads(text)) for text in fits]
    assert [one.law for one in loaded[:2]] == [loss_fit.law, accuracy_fit.law]
    assert [one.task for one in loaded[2:]] == ["causal", "lambada_openai"]  # what a mix is planned with
    rows = list(csv.DictReader(io.StringIO(runs)))
    assert len(rows) == 106 * len(loss_fit.curves.k)
    assert float(rows[0]["n_params"]) == loss_fit.curves.N[0]
    assert float(rows[-1]["pass_at_k"]) == pytest.approx(loss_fit.curves.pass_at_k[-1, -1], rel=1e-8)


def test_csv_leaves_undefined_values_empty(loss_fit):
    value = loss_fit.curves.value.copy()
    value[0, -1] = np.nan
    text = runs_csv(replace(loss_fit.curves, value=value))
    rows = list(csv.DictReader(io.StringIO(text)))
    assert rows[len(loss_fit.curves.k) - 1]["mean_neg_log"] == ""
    assert "nan" not in text


def test_the_policy_admits_the_page_s_own_script_alone(html):
    code = html.partition("<script>")[2].partition("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    assert f"script-src &#39;sha256-{digest}&#39;" in html
    assert "default-src &#39;none&#39;" in html


def test_the_planner_starts_at_the_plan(html, loss_fit):
    text = html.partition('id="planner-data">')[2].partition("</script>")[0]
    data = json.loads(unescape(text))
    assert data["start"]["train"] == pytest.approx(2.56e19, rel=1e-9)
    assert data["start"]["serve"] == 2e9
    assert [(law["name"], law["task"]) for law in data["laws"]] == [
        ("loss", "macro"), ("accuracy", "macro"), ("loss", "causal"), ("loss", "lambada_openai"),
    ]  # fmt: skip
    assert data["tasks"] == [2, 3]
    assert len({law["file"] for law in data["laws"]}) == 4
    assert data["laws"][0]["parameters"] == pytest.approx(loss_fit.law.parameters, rel=1e-12)


def test_page_of_a_chinchilla_law_speaks_of_no_samples(chinchilla_fit):
    recommended = plan(chinchilla_fit, train_flops=2.56e19)
    html = render(chinchilla_fit, recommended)
    page = Page(html)
    assert page.open == []
    assert recommended.sentence() in " ".join(page.text)
    assert "draw " not in recommended.sentence()


def test_page_from_a_lifetime_budget(undrawn, loss_fit, accuracy_fit):
    recommended = plan(loss_fit, total_flops=1e20, tokens_served=1e10)
    html = render(loss_fit, recommended, extra_fits=[accuracy_fit])
    assert "over the model's life" in unescape(html)
    other = analysis.further_plans(recommended, [accuracy_fit])[0]
    assert 6 * other.n_params * other.n_tokens + 2 * other.n_params * other.k * 1e10 == pytest.approx(1e20, rel=1e-6)


def test_page_of_another_strategy_and_another_cost(undrawn, accuracy_fit):
    """The page says what the plan assumed, in its units, and not the paper's accounting."""
    checked = plan(accuracy_fit, train_flops=2.56e19, inference_flops=2e9, strategy="verifier:tpr=.9,fpr=.05")
    html = unescape(render(accuracy_fit, checked))
    assert f"This plan is for: {checked.strategy.label}." in html
    assert f"{checked.strategy.label} {format_value(checked.metric, checked.value)}" in html
    served = plan(
        accuracy_fit, train_flops=2.56e19, serve_budget=1.0, cost=Serving(prompt_tokens=200, answer_tokens=300)
    )
    html = unescape(render(accuracy_fit, served))
    assert "GPU-seconds per query" in html
    assert f"are counted as: {served.cost.label}." in html
    assert "1 GPU-seconds per query" in html


def test_the_command_takes_a_strategy(undrawn, tmp_path, capsys):
    argv = [
        "report",
        "pythia/gsm8k-accuracy",
        "-o",
        str(tmp_path / "page.html"),
        "--strategy",
        "verifier:tpr=.9,fpr=.05",
    ]
    assert run([*argv, "--train-flops", "1e21", "--inference-flops", "2e10"]) == 0
    assert "This plan is for: verifier (TPR 0.9, FPR 0.05)." in unescape((tmp_path / "page.html").read_text())
    assert run([*argv, "--plan", "plan.json"]) == 2
    assert "`--strategy` and `--plan` both say" in capsys.readouterr().err


def test_page_from_counts(simulated, rng):
    """Counts instead of likelihoods: −log of a question with no success is infinite, the mean pass@k is not."""
    import polars as pl

    from t2scaling.observations import Observations

    frame = simulated.frame().filter(pl.col("task") == "lambada_openai")
    correct = rng.binomial(400, np.exp(-frame["nll"].to_numpy()))
    counts = frame.drop("nll").with_columns(n_samples=pl.lit(400), n_correct=pl.Series(correct))
    fitted = fit(Observations.from_frame(counts), law="accuracy", inference_flops=2e9)
    html = render(fitted, plan(fitted, train_flops=2.56e19, inference_flops=2e9))
    assert Page(html).open == []
    assert "NaN" not in html.partition("<script>")[0]


def test_held_out_law_has_not_seen_the_overtrained_runs(loss_fit):
    held = hold_out(loss_fit)
    assert len(held.curves.N) == 85
    assert not held.curves.overtrained.any()
    np.testing.assert_array_equal(held.curves.k, loss_fit.curves.k)
    assert hold_out(replace(loss_fit, curves=replace(loss_fit.curves, overtrained=None))) is None


def test_tasks_are_planned_one_by_one(simulated, loss_fit, recommended):
    rows = analysis.per_task(simulated, loss_fit, recommended)
    assert [row.task for row in rows] == ["causal", "lambada_openai"]
    alone = fit(simulated, law="loss", task="causal", k=loss_fit.curves.k)
    assert rows[0].plan.n_params == pytest.approx(plan(alone, train_flops=2.56e19, inference_flops=2e9).n_params)


def test_warnings_are_said_once_and_name_their_law(loss_fit, accuracy_fit):
    fits = [replace(loss_fit, warnings=("both", "one")), replace(accuracy_fit, warnings=("both",))]
    plans = [plan(one, train_flops=2.56e19, inference_flops=2e9) for one in fits]
    said = warnings(fits, plans, names(fits))
    assert said.count("both") == 1
    assert "T² loss law: one" in said


def test_fits_stand_side_by_side(simulated, accuracy_fit):
    other = fit(simulated, law="accuracy", task="causal", k=accuracy_fit.curves.k, quality=False)
    made = plan(accuracy_fit, train_flops=2.56e19, inference_flops=2e9)
    html = render(accuracy_fit, made, extra_fits=[other], compare=["a", "b"])
    page = Page(html)
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    text = " ".join(page.text)
    for one in (made, plan(other, train_flops=2.56e19, inference_flops=2e9)):
        assert one.sentence() in text
    assert "T² accuracy law, causal" in text
    assert "Residuals: T² accuracy law, macro" in text


def test_laws_are_told_apart_by_what_differs(loss_fit, accuracy_fit):
    task = replace(loss_fit, task="sciq")
    assert names([loss_fit, accuracy_fit]) == ["T² loss law", "T² accuracy law"]
    assert names([loss_fit, task]) == ["T² loss law, macro", "T² loss law, sciq"]
    assert names([loss_fit, loss_fit], ["new", "old"]) == ["T² loss law, macro (new)", "T² loss law, macro (old)"]
    assert names([loss_fit, loss_fit]) == ["T² loss law, macro (1)", "T² loss law, macro (2)"]


def test_a_report_needs_a_budget(loss_fit, tmp_path):
    with pytest.raises(ValueError, match="`plan` or `train_flops`"):
        report(loss_fit, path=tmp_path / "r.html")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (13452.3, "13,452"), (-9.23031, "−9.2303"), (9.7795e20, "9.7795e20"), (3e-7, "3e−7")],
)
def test_parameters_are_written_for_people(value, text):
    assert parameter_text(value) == text


def test_values_are_written_with_their_metric():
    assert value_text("pass_at_k", 0.1957) == "pass@k 19.6%"
    assert value_text("neg_log_pass_at_k", 6.487) == "−log pass@k 6.487 nats"
    assert value_text("loss", math.nan) == "—"
