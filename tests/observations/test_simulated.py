"""The simulated suite follows the law that it states, and says that it is simulated."""

from __future__ import annotations

import numpy as np
import pytest

from t2scaling.observations.simulated import CONVENTIONS, LAW, TASK_LAWS, question_nll, simulate


def test_table_is_canonical_and_complete():
    table = simulate(questions=3)
    assert table.height == 106 * 8 * 3
    assert set(table["task"]) == set(TASK_LAWS)
    assert table.select("run_id", "task", "question_id").is_duplicated().sum() == 0
    assert table["nll"].is_finite().all()
    assert (table["nll"] > 0).all()
    np.testing.assert_allclose(table["n_tokens"] * 6 * table["n_params"], table["train_flops"], rtol=1e-12)


def test_seed_decides_everything():
    assert simulate(seed=1, questions=2).equals(simulate(seed=1, questions=2))
    assert not simulate(seed=1, questions=2).equals(simulate(seed=2, questions=2))


def test_a_task_does_not_depend_on_the_others():
    alone = simulate(questions=4, tasks=["sciq"])
    together = simulate(questions=4).filter(task="sciq")
    assert alone.equals(together)


@pytest.mark.parametrize("task", list(TASK_LAWS))
def test_mean_over_questions_is_the_stated_law(task):
    """With many questions the mean NLL is E + A·N^−alpha + B·D^−beta; the tolerance is five standard errors."""
    N, D, Q = np.array([1e7, 1e9]), np.array([1e9, 1e11]), 200_000
    nll = question_nll(task, N, D, seed=3, questions=Q, noise=0.0)
    law = TASK_LAWS[task]
    error = law.mean_nll(N, D) * np.sqrt(np.expm1(law.spread**2) / Q)
    assert np.all(np.abs(nll.mean(axis=1) - law.mean_nll(N, D)) < 5 * error)
    # Without noise the questions keep their order from run to run.
    np.testing.assert_allclose(nll[0] / nll[1], np.full(Q, law.mean_nll(N, D)[0] / law.mean_nll(N, D)[1]))


def test_statement_says_simulated():
    assert CONVENTIONS["origin"] == "simulated"
    assert LAW.startswith("Simulated")
    assert CONVENTIONS["statement"] == LAW


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tasks": ["gsm8k"]}, "`tasks` has no law for 'gsm8k'"),
        ({"questions": 0}, "`questions` = 0"),
        ({"noise": -1.0}, "`noise` = -1"),
    ],
)
def test_impossible_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        simulate(**arguments)
