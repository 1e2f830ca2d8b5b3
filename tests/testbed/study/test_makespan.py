"""The time that a suite takes on many GPUs, against cases worked out by hand."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from t2scaling.cli.main import run
from t2scaling.costs import Price
from t2scaling.errors import ArgumentError, SuiteError
from t2scaling.testbed.study.desk import Job
from t2scaling.testbed.study.makespan import simulate, suite_makespan
from t2scaling.testbed.suite import gpu_hour, paper, suite_cost


def job(id: str, cost: float, *after: str, gpus: int = 0, behind: tuple[str, ...] = ()) -> Job:
    return Job(id, "nowhere:nothing", after=after, behind=behind, cost=cost, gpus=gpus)


def test_the_longest_chain_goes_first() -> None:
    """Chains a 5 (a, b), c 4, b 2, d 1: one worker does a to 3 and b to 5, the other c to 4 and d to 5."""
    jobs = [job("d", 1), job("c", 4), job("a", 3), job("b", 2, "a")]
    span = simulate(jobs, [1, 1])
    assert (span.seconds, span.chain_seconds, span.even_seconds) == (5, 5, 5)
    assert span.gpu_hours == pytest.approx(10 / 3600)


def test_the_order_is_not_the_best_there_is() -> None:
    """3, 3, 2, 2, 2 on two workers: 3+2 and 3+2, then 2 more; 3+3 and 2+2+2 would take 6."""
    span = simulate([job(str(i), cost) for i, cost in enumerate((3, 3, 2, 2, 2))], [1, 1])
    assert (span.seconds, span.bound_seconds) == (7, 6)


def test_a_job_waits_for_a_worker_with_enough_gpus() -> None:
    """The pair takes the long job, then the wide one: 4 + 3. If the single one takes it, the pair does wide, small."""
    jobs = [job("long", 4), job("wide", 3, gpus=2), job("small", 2)]
    assert simulate(jobs, [2, 1]).seconds == 7
    assert simulate(jobs, [1, 2]).seconds == 5
    with pytest.raises(SuiteError, match="`wide` needs 2 GPUs"):
        simulate(jobs, [1])


def test_a_trunk_is_trained_by_one_after_another() -> None:
    assert simulate([job("a", 2), job("b", 3, behind=("a",)), job("c", 1, behind=("b",))], [1] * 8).seconds == 6


def test_a_preempted_job_goes_on_from_its_checkpoint() -> None:
    """Lost after 130 s with a checkpoint at 120; a new worker at 430 does the 880 s that are left."""
    lives = iter([130.0, math.inf])
    span = simulate([job("a", 1000)], [1], lambda gpus: next(lives), checkpoint=60)
    assert span.seconds == 430 + 880
    assert (span.preemptions, span.gpu_hours, span.lost_hours) == (
        1,
        pytest.approx(1010 / 3600),
        pytest.approx(10 / 3600),
    )


def test_another_worker_takes_a_preempted_job_when_its_lease_has_run_out() -> None:
    """Lost at 130 s; its lease ends at 130 + 100; the other worker, done at 200, waits for that: 230 + 880."""
    lives = iter([130.0, math.inf, math.inf])
    span = simulate([job("a", 1000), job("b", 200)], [1, 1], lambda gpus: next(lives), checkpoint=60)
    assert span.seconds == 230 + 880


def test_a_suite_is_as_long_as_its_bill_on_one_gpu() -> None:
    suite, price = gpu_hour(schedule="cosine"), Price("h100")
    one = suite_makespan(suite, price, 1)
    trained = suite_cost(suite, price).hours
    assert one.seconds == pytest.approx(one.even_seconds)
    assert trained < one.gpu_hours < 1.05 * trained  # measuring comes on top
    many = suite_makespan(suite, price, 64)
    assert many.bound_seconds <= many.seconds < one.seconds
    assert many.gpu_hours == pytest.approx(one.gpu_hours)


def test_cells_of_one_trunk_are_not_billed_for_it_twice() -> None:
    suite, price = gpu_hour(schedule="wsd"), Price("h100")
    span, bill = suite_makespan(suite, price, 1), suite_cost(suite, price)
    assert span.gpu_hours == pytest.approx(bill.hours, rel=0.05)
    assert (
        span.gpu_hours
        < suite_makespan(replace(suite, training=replace(suite.training, schedule="cosine")), price, 1).gpu_hours
    )


def test_preemptions_cost_time_and_are_drawn_from_the_seed() -> None:
    suite, price = paper(), Price("h100")
    calm = suite_makespan(suite, price, 64)
    rough = suite_makespan(suite, price, 64, preemptions=1.0, seed=1)
    assert rough == suite_makespan(suite, price, 64, preemptions=1.0, seed=1)
    assert rough != suite_makespan(suite, price, 64, preemptions=1.0, seed=2)
    assert rough.seconds > calm.seconds
    assert rough.preemptions == pytest.approx(rough.gpu_hours, abs=4 * math.sqrt(rough.gpu_hours))
    assert rough.gpu_hours - rough.lost_hours == pytest.approx(calm.gpu_hours)
    with pytest.raises(ArgumentError, match="`preemptions` = 1e\\+06"):
        suite_makespan(suite, price, 64, preemptions=1e6)


def test_command(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["suite", "gpu_hour", "--dry-run", "--on", "ray", "--gpus", "8"]
    assert run([*words, "--json"]) == 0
    span = json.loads(capsys.readouterr().out)["makespan"]
    assert span["seconds"] >= span["bound_seconds"] == max(span["chain_seconds"], span["even_seconds"])
    assert run(words) == 0
    assert "on 8 GPUs (ray)" in capsys.readouterr().out
    assert run(["suite", "tiny", "--dry-run", "--gpus", "8"]) == 2
    assert run(["suite", "gpu_hour", "--dry-run", "--on", "ray"]) == 2
    assert run(["suite", "gpu_hour", "--dry-run", "--on", "rya", "--gpus", "8"]) == 2
