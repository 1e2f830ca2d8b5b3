"""A simulated suite: the cells of the T² paper's Figure 8 with outcomes drawn from a stated law.

It lets every step run with no data at hand, and since the law behind it is known, it shows how well a fit finds the
truth. It says nothing about real models; wherever its numbers are shown, the word "simulated" and `LAW` go along.

For task t, question q and run r, with z, u and e independent standard normal numbers,
    mean NLL of run r on task t   L = (E + A·N^−alpha + B·D^−beta)·exp(RUN_NOISE·u − RUN_NOISE²/2)
    nll of question q             L·exp(spread·z_q + NOISE·e − (spread² + NOISE²)/2),
so that the mean over questions and noise is Chinchilla's law exactly. z_q is the question's difficulty, the same for
every run. pass@k is then that of likelihoods, 1 − (1 − e^−nll)^k.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from t2scaling.arrays import Array
from t2scaling.costs import tokens_afforded
from t2scaling.errors import ArgumentError
from t2scaling.laws import ChinchillaLaw
from t2scaling.observations.figure8 import cells


@dataclass(frozen=True)
class TaskLaw:
    """The law of one task's mean NLL (nats, summed over the answer) and the spread of its questions."""

    E: float
    A: float
    alpha: float
    B: float
    beta: float
    spread: float

    def mean_nll(self, N: Array, D: Array) -> Array:
        """E + A·N^−alpha + B·D^−beta, nats; N and D broadcast."""
        return ChinchillaLaw(self.E, self.A, self.alpha, self.B, self.beta).surface(N, D)


RUN_NOISE = 0.01
NOISE = 0.08

# Chosen so that the mean NLL runs from 20 nats (smallest budget) to 8 and pass@k from 0.1% to 75%, as in the paper.
TASK_LAWS: dict[str, TaskLaw] = {
    "lambada_openai": TaskLaw(E=0.6, A=1000.0, alpha=0.36, B=1800.0, beta=0.34, spread=0.70),
    "arc_easy": TaskLaw(E=7.0, A=2000.0, alpha=0.31, B=3800.0, beta=0.305, spread=0.40),
    "sciq": TaskLaw(E=3.5, A=2300.0, alpha=0.33, B=4000.0, beta=0.32, spread=0.50),
    "openbookqa": TaskLaw(E=5.0, A=1800.0, alpha=0.31, B=3300.0, beta=0.305, spread=0.45),
    "knowledge": TaskLaw(E=1.5, A=3600.0, alpha=0.37, B=6400.0, beta=0.35, spread=0.60),
    "arithmetic": TaskLaw(E=0.8, A=1600.0, alpha=0.34, B=2800.0, beta=0.33, spread=0.45),
    "causal": TaskLaw(E=2.6, A=1800.0, alpha=0.33, B=3300.0, beta=0.32, spread=0.50),
    "spatial": TaskLaw(E=3.0, A=1900.0, alpha=0.33, B=3500.0, beta=0.32, spread=0.50),
}

LAW = (
    "Simulated data, no model was trained: on the 106 cells of Figure 8 of arXiv 2604.01411, each task's mean NLL is "
    f"E + A·N^−alpha + B·D^−beta with {RUN_NOISE:.0%} noise per run; questions spread log-normally around it "
    f"(0.40 to 0.70 in log NLL, {NOISE:.0%} noise per answer)."
)
CONVENTIONS = {"origin": "simulated", "statement": LAW, "n_params": "with_head", "nll": "sum"}


def simulate(seed: int = 0, questions: int = 200, tasks: list[str] | None = None, noise: float = 1.0) -> pl.DataFrame:
    """Draw the suite: one row per run, task and question, in canonical columns.

    seed       seed of everything drawn; the same seed gives the same table
    questions  questions per task
    tasks      names out of `TASK_LAWS`; None takes all eight
    noise      factor on both noises (not on the spread of questions); 0 gives the law itself

    Returns run_id, n_params, n_tokens (C / 6N), train_flops, overtrained, stage, family, task, question_id, nll.
    Raises ArgumentError for an unknown task, fewer than one question, or negative noise.
    """
    names = list(TASK_LAWS) if tasks is None else list(tasks)
    unknown = [name for name in names if name not in TASK_LAWS]
    if unknown:
        raise ArgumentError(f"`tasks` has no law for {unknown[0]!r}: use {', '.join(TASK_LAWS)}.")
    if questions < 1:
        raise ArgumentError(f"`questions` = {questions} is too few: use at least 1.")
    if noise < 0:
        raise ArgumentError(f"`noise` = {noise:g} is negative: use 0 for none, 1 for the stated noise.")
    runs = pl.DataFrame(
        [
            {
                "run_id": cell.name,
                "n_params": float(cell.n_params),
                "n_tokens": float(tokens_afforded(cell.n_params, cell.train_flops)),
                "train_flops": cell.train_flops,
                "overtrained": cell.overtrained,
                "stage": "base",
                "family": "simulated",
            }
            for cell in cells()
        ]
    )
    N, D = runs["n_params"].to_numpy(), runs["n_tokens"].to_numpy()
    return pl.concat([_task_rows(runs, name, question_nll(name, N, D, seed, questions, noise)) for name in names])


def question_nll(task: str, N: Array, D: Array, seed: int = 0, questions: int = 200, noise: float = 1.0) -> Array:
    """NLL in nats of each run (R) on each question (Q) of `task`, shape (R, Q)."""
    law = TASK_LAWS[task]
    # One stream per task, so that leaving a task out does not change the others.
    rng = np.random.default_rng([seed, list(TASK_LAWS).index(task)])
    difficulty = rng.standard_normal(questions)
    run_sd, answer_sd = RUN_NOISE * noise, NOISE * noise
    log_run = run_sd * rng.standard_normal(len(N)) - run_sd**2 / 2
    log_answer = answer_sd * rng.standard_normal((len(N), questions)) - answer_sd**2 / 2
    log_question = law.spread * difficulty - law.spread**2 / 2
    return np.exp(np.log(law.mean_nll(N, D))[:, None] + log_run[:, None] + log_question + log_answer)


def _task_rows(runs: pl.DataFrame, task: str, nll: Array) -> pl.DataFrame:
    R, Q = nll.shape
    index = np.repeat(np.arange(R), Q)
    question_ids = [f"{task}-{question:04d}" for question in range(Q)] * R
    return runs[index].with_columns(
        task=pl.lit(task), question_id=pl.Series(question_ids), nll=pl.Series(nll.reshape(-1))
    )
