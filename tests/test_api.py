"""Python takes what the command takes: names, paths, frames, text for numbers; what is wrong is a T2Error."""

from __future__ import annotations

import numpy as np
import pytest

import t2scaling as t2


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(0)
    rows = []
    for N in (1e7, 4e7, 1.6e8, 6.4e8):
        for ratio in (5, 50, 500):
            loss = 1 + 400 * N**-0.34 + 1200 * (N * ratio) ** -0.37
            for q in range(6):
                nll = loss * np.exp(0.2 * rng.standard_normal())
                rows.append((f"{N:g}x{ratio}", N, N * ratio, "toy", f"q{q}", nll))
    names = ("run_id", "n_params", "n_tokens", "task", "question_id", "nll")
    return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))


def test_any_form_of_the_same_measurements_gives_the_same_fit(frame, tmp_path):
    import polars as pl

    table = pl.DataFrame(frame)
    table.write_csv(tmp_path / "runs.csv")
    laws = [
        t2.fit(data, law="loss", k="1,2,4,8").law
        for data in (frame, table, tmp_path / "runs.csv", str(tmp_path / "runs.csv"), t2.read(table))
    ]
    assert all(law == laws[0] for law in laws)
    assert t2.fit(frame, law="loss", k=[1, 2, 4, 8]).law == laws[0]


def test_a_suite_by_name_and_budgets_as_text():
    named = t2.fit("simulated", law="loss", task="sciq", inference_flops="2e9")
    assert named.law == t2.fit(t2.load_suite("simulated"), law="loss", task="sciq", inference_flops=2e9).law


def test_a_table_of_losses_for_a_law_without_k(tmp_path):
    path = tmp_path / "losses.csv"
    law = t2.ChinchillaLaw(1.7, 400, 0.34, 1200, 0.37)
    N, D = (part.ravel() for part in np.meshgrid(np.geomspace(1e7, 1e9, 5), np.geomspace(1e8, 1e11, 4)))
    rows = "\n".join(f"{n},{d},{x}" for n, d, x in zip(N, D, law.predict(N, D), strict=True))
    path.write_text(f"n_params,n_tokens,loss\n{rows}\n")
    found = t2.fit(path, law="chinchilla").law
    assert list(found.parameters.values()) == pytest.approx(list(law.parameters.values()), rel=1e-6)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"law": "los"}, "did you mean loss"),
        ({"solvr": "varpro"}, "did you mean solver"),
        ({"solver": "newton"}, "`solver` = 'newton'"),
        ({"k": "0.5"}, "`k` = 0.5"),
        ({"k": "many"}, "many"),
        ({"inference_flops": "cheap"}, "cheap"),
        ({"seed": -1}, "`seed` = -1"),
        ({"bounds": (1, 0.5)}, "`bounds`"),
        ({"bootstrap": 1}, "`bootstrap` = 1"),
        ({"weights": "some"}, "`weights` = 'some'"),
        ({"task": "other"}, "other"),
    ],
)
def test_what_is_wrong_is_named(frame, options, words):
    with pytest.raises(t2.T2Error, match=words) as refused:
        t2.fit(frame, **options)
    assert isinstance(refused.value, ValueError)


@pytest.mark.parametrize("data", ["no-such-file.csv", 7, None])
def test_data_that_is_none(data):
    with pytest.raises((t2.T2Error, OSError)):
        t2.fit(data)
