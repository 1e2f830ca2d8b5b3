"""The page in a real browser, from disk and without a network: it plans as the command does, and names are text."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest

import t2scaling as t2
from t2scaling.costs import Serving
from t2scaling.report import report

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="no chromium and chromedriver: the page is not opened"),
]
LAWS = ("accuracy", "loss", "bottleneck", "naive")
TASKS = ("causal", "spatial")
HOSTILE = "<script>window.hurt = 1</script>\"'\u202e" + "x" * 5000


@pytest.fixture(scope="module")
def fits() -> list[Any]:
    suite = t2.load_suite("world-0.1.0")  # which stays as it is
    means = [t2.fit(suite, law=law, task="macro", k=[1, 4, 16, 64], bootstrap=20) for law in LAWS]
    return means + [t2.fit(suite, law=LAWS[0], task=task, k=[1, 4, 16, 64], quality=False) for task in TASKS]


@pytest.fixture(scope="module")
def page(fits: list[Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    plan = t2.plan(fits[0], train_flops=5e12, inference_flops=1e6)
    return report(fits[0], plan, path=path, extra_fits=fits[1:])


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    selenium = pytest.importorskip("selenium", reason="selenium is not installed: the page is not opened")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    assert selenium
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (
        "headless",
        "no-sandbox",
        "disable-gpu",
        "disable-dev-shm-usage",
        "no-first-run",
        "disable-background-networking",
        "disable-component-update",
        "disable-sync",
        "host-resolver-rules=MAP * ~NOTFOUND",
    ):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    driver.set_page_load_timeout(300)
    driver.set_script_timeout(300)
    yield driver
    driver.quit()


def opened(browser: Any, page: Path, **state: Any) -> dict[str, Any]:
    """The page's plan under some settings."""
    browser.get(f"file://{page}#{urlencode(state)}")
    browser.execute_script(
        "location.hash = arguments[0]; window.dispatchEvent(new Event('hashchange'))", urlencode(state)
    )
    return dict(json.loads(browser.find_element("id", "planner").get_attribute("data-plan")))


def settings(rng: np.random.Generator) -> tuple[dict[str, Any], dict[str, Any]]:
    """Random settings, and the arguments of `plan` that mean the same; numbers as the page writes them."""
    law = int(rng.integers(len(LAWS)))
    train = float(f"{10 ** rng.uniform(10, 13.5):.3g}")
    state: dict[str, Any] = {"law": law, "train": train}
    asked: dict[str, Any] = {"train_flops": train}
    lifetime = rng.random() < 0.2
    if lifetime:
        state = {"law": law, "mode": "life", "total": train, "served": float(f"{10 ** rng.uniform(4, 8):.3g}")}
        asked = {"total_flops": train, "tokens_served": state["served"]}
    elif rng.random() < 0.5:
        state["serve"] = asked["inference_flops"] = float(f"{10 ** rng.uniform(5, 8):.3g}")
    else:
        precision, batch = str(rng.choice(["bf16", "fp8"])), rng.choice(["max", "32"])
        prompt, answer = int(rng.integers(50, 900)), int(rng.integers(20, 700))
        serve = Serving(
            gpu="h100", weights=precision, prompt_tokens=prompt, answer_tokens=answer, unit="dollars",
            batch="max" if batch == "max" else float(batch),
        )  # fmt: skip
        query = float(f"{float(serve.serve(1e5, 1.0)) * 10 ** rng.uniform(0.5, 2.5):.3g}")
        state |= {"mode": "gpu", "precision": precision, "batch": batch, "query": query}
        state |= {"prompt": prompt, "answer": answer}
        asked |= {"cost": serve, "serve_budget": query}
    choice = rng.random()
    if LAWS[law] in ("accuracy", "bottleneck") and choice < 0.3 and not lifetime:
        state |= {"strategy": "verifier", "tpr": 0.9, "fpr": 0.05}
        asked["strategy"] = "verifier:tpr=.9,fpr=.05"
    elif choice < 0.45:
        state["sizes"], asked["sizes"] = "10K, 50K, 200K", (1e4, 5e4, 2e5)
    elif choice < 0.6:
        state["maxTokens"] = asked["max_tokens"] = 2e7
    elif choice < 0.75:
        state["integerK"], asked["integer_k"] = "true", True
    return state, asked


def test_the_page_plans_as_the_command_does(
    browser: Any, page: Path, fits: list[Any], rng: np.random.Generator
) -> None:
    for _ in range(50):
        state, asked = settings(rng)
        found = opened(browser, page, **state)
        expected = t2.plan(fits[state["law"]], **asked)
        told = f"{state}"
        if not expected.optimum.exists:
            assert found["best"] is None, told
            assert found["status"] == str(expected.status.value), told
            continue
        for theirs, ours in (("N", "n_params"), ("D", "n_tokens"), ("k", "k"), ("value", "value")):
            assert found["best"][theirs] == pytest.approx(getattr(expected.optimum, ours), rel=2e-6), (theirs, told)
        rival = expected.chinchilla  # flat along the share that it is given of a lifetime budget
        assert found["rival"]["N"] == pytest.approx(rival.n_params, rel=1e-4 if "total" in state else 2e-6), told
        assert found["status"] == str(expected.status.value), told


def test_a_mix_of_tasks_is_planned_as_the_command_does(browser: Any, page: Path, fits: list[Any]) -> None:
    found = opened(browser, page, law=len(fits), weights="3, 1", train=2e12, serve=1e6)
    expected = t2.plan(t2.mix(fits[len(LAWS) :], [3, 1]), train_flops=2e12, inference_flops=1e6)
    for theirs, ours in (("N", "n_params"), ("D", "n_tokens"), ("k", "k"), ("value", "value")):
        assert found["best"][theirs] == pytest.approx(getattr(expected.optimum, ours), rel=2e-6)
    assert "--weights 3,1" in browser.find_element("id", "p-command").text
    assert browser.find_element("id", "p-weights").is_displayed()


def test_a_fit_that_the_command_refuses_is_refused(browser: Any, fits: list[Any], tmp_path: Path) -> None:
    poor = replace(fits[3], status=t2.FitStatus.POOR)
    path = report(fits[0], path=tmp_path / "r.html", extra_fits=[poor], train_flops=2e12, inference_flops=1e6)
    found = opened(browser, path, law=1)
    assert found["best"] is None
    assert poor.status.value in found["sentence"]


def test_plans_side_by_side(browser: Any, fits: list[Any], tmp_path: Path) -> None:
    path = report(
        fits[4], path=tmp_path / "r.html", extra_fits=fits[5:], train_flops=2e12, inference_flops=1e6, compare=True
    )
    assert path.stat().st_size < 2_000_000
    opened(browser, path)
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 1440, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    )
    left, right = browser.find_elements("css selector", ".headline")
    assert left.rect["y"] == right.rect["y"]
    assert left.rect["x"] + left.rect["width"] <= right.rect["x"]
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_it_is_silent_and_asks_for_nothing(browser: Any, page: Path) -> None:
    browser.get_log("performance")
    browser.get_log("browser")
    opened(browser, page)
    requests = [
        json.loads(entry["message"])["message"]["params"]["request"]["url"]
        for entry in browser.get_log("performance")
        if '"Network.requestWillBeSent"' in entry["message"]
    ]
    assert {url.partition(":")[0] for url in requests} <= {"file", "data", "blob"}
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_a_move_redraws_everything(browser: Any, page: Path) -> None:
    opened(browser, page)
    before = browser.find_element("id", "p-sentence").text
    browser.execute_script(
        "const s = document.getElementById('p-train'); s.value = Number(s.value) - 1; "
        "s.dispatchEvent(new Event('input'))"
    )
    assert browser.find_element("id", "p-sentence").text != before
    assert "train=" in browser.current_url
    assert len(browser.find_elements("css selector", "#p-figures figure")) >= 4


@pytest.mark.parametrize("width", [1440, 768, 390])
def test_nothing_is_cut_off(browser: Any, page: Path, width: int) -> None:
    browser.set_window_size(max(width, 500), 900)
    screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    opened(browser, page)
    wide = browser.execute_script(
        "return [document.documentElement.scrollWidth, [...document.querySelectorAll('body *')].filter("
        "n => n.getBoundingClientRect().right > innerWidth + 1 && !n.closest('svg'))"
        ".map(n => n.tagName + '.' + n.className)]"
    )
    assert wide[0] <= width + 1, wide[1][:5]


def test_every_control_has_a_name_and_is_reached_from_the_keyboard(browser: Any, page: Path) -> None:
    opened(browser, page, mode="gpu", strategy="verifier")
    unnamed = browser.execute_script(
        "return [...document.querySelectorAll('input, select, button')].filter(n => !(n.labels?.length || "
        "n.getAttribute('aria-label') || n.textContent.trim())).map(n => n.id)"
    )
    assert unnamed == []
    hidden = browser.execute_script(
        "return [...document.querySelectorAll('#planner input, #planner select, #planner button')].filter("
        "n => n.offsetParent && n.tabIndex < 0).length"
    )
    assert hidden == 0


def test_an_audit_of_access_finds_nothing_serious(browser: Any, page: Path) -> None:
    axe = pytest.importorskip("axe_core_python", reason="axe-core is not installed: the page is not audited")
    opened(browser, page)
    browser.execute_cdp_cmd("Page.setBypassCSP", {"enabled": True})
    browser.refresh()
    browser.execute_script((Path(axe.__file__).parent / "axe.min.js").read_text(encoding="utf-8"))
    found = browser.execute_async_script("axe.run().then(arguments[0])")
    bad = [v for v in found["violations"] if v["impact"] in ("serious", "critical")]
    serious = [(v["id"], v["nodes"][0]["html"][:120]) for v in bad]
    browser.execute_cdp_cmd("Page.setBypassCSP", {"enabled": False})
    assert serious == []


def test_hostile_names_are_text(browser: Any, fits: list[Any], tmp_path: Path) -> None:
    fit = fits[0]
    runs = tuple(f"{HOSTILE}{i}" for i in range(len(fit.curves.run_id)))
    bad = replace(fit, task=HOSTILE[:200], curves=replace(fit.curves, run_id=runs))
    path = report(bad, path=tmp_path / "r.html", train_flops=5e12, inference_flops=1e6)
    opened(browser, path)
    assert browser.execute_script("return window.hurt") is None
    assert "<script>window.hurt" in browser.find_element("id", "p-notes").text
