"""From a study file to its jobs: what is checked before anything starts, and what is left to do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from t2scaling.artefacts import write_json, write_text
from t2scaling.errors import ArgumentError, SuiteError
from t2scaling.testbed.study import describe, open_study
from t2scaling.testbed.study.jobs import PREPARE, Study, make_jobs, train_seconds
from t2scaling.testbed.study.starters import places
from t2scaling.testbed.suite import gpus_needed, tiny


def opened(tmp_path: Path, text: str = "suite: {recipe: tiny}", seed: int | None = None) -> Study:
    path = tmp_path / "trial.yaml"
    path.write_text(text)
    return open_study(path, tmp_path / "out", seed=seed)


def finish_cell(study: Study, run_id: str) -> None:
    """Put down what a done cell leaves."""
    write_json(study.layout.run(run_id) / "run.json", {"stage": "base", "train_flops": 2e9, "seconds": 4.0})
    for task, mode in study.measurements():
        write_text(study.layout.measurement(run_id, task, mode), "")


def missing(study: Study) -> list[str]:
    """Ids of the jobs that are not done."""
    return [job.id for job in make_jobs(study) if not job.done]


def prepare(study: Study) -> None:
    write_json(study.layout.corpus / "corpus.json", {})
    for task in study.all_tasks:
        write_text(study.layout.task(task), "")


def test_a_new_study_has_a_job_for_each_cell_after_the_preparation(tmp_path):
    study = opened(tmp_path)
    first, *cells = make_jobs(study)
    assert first.id == PREPARE
    assert [job.id for job in cells] == [cell.run_id for cell in study.suite.cells]
    assert all(job.after == (PREPARE,) for job in cells)
    assert not study.layout.root.exists()


def test_only_what_is_missing_is_done(tmp_path):
    study = opened(tmp_path)
    prepare(study)
    names = [cell.run_id for cell in study.suite.cells]
    assert missing(study) == names
    finish_cell(study, names[0])
    finish_cell(study, names[1])
    study.layout.measurement(names[1], "causal").unlink()
    assert missing(study) == names[1:]
    finish_cell(study, names[1])
    for name in names[2:]:
        finish_cell(study, name)
    assert missing(study) == []


def test_post_training_follows_its_cell(tmp_path):
    study = opened(tmp_path, "suite: {recipe: tiny}\nposttrain: {tasks: [spatial], modes: [sft]}")
    prepare(study)
    name = study.suite.cells[0].run_id
    jobs = {job.id: job for job in make_jobs(study)}
    assert jobs[f"{name}-sft-spatial"].after == (name, PREPARE)
    finish_cell(study, name)
    assert name not in missing(study)
    write_json(study.layout.run(f"{name}-sft-spatial") / "run.json", {})
    write_text(study.layout.tuned_measurement(name, "spatial", "sft"), "")
    assert f"{name}-sft-spatial" not in missing(study)


def test_post_training_may_be_of_the_highest_budgets_alone(tmp_path):
    study = opened(tmp_path, "suite: {recipe: world}\nposttrain: {tasks: [spatial], modes: [sft, ft], levels: 2}")
    tuned = {job.after[0] for job in make_jobs(study) if job.function.endswith(":tune")}
    highest = sorted({cell.level for cell in study.suite.cells})[-2:]
    assert tuned == {cell.run_id for cell in study.suite.cells if cell.level in highest and not cell.seed}


def test_samples_are_measured_beside_likelihoods(tmp_path):
    study = opened(tmp_path, "suite: {recipe: tiny}\nevaluate: {tasks: [causal], samples: 4}")
    assert study.measurements() == [("causal", "nll"), ("causal", "sample")]


def test_vllm_measures_in_jobs_of_their_own_on_workers_with_a_gpu(tmp_path):
    text = "suite: {recipe: tiny}\nevaluate: {engine: vllm}\nposttrain: {tasks: [spatial], modes: [sft], levels: 1}"
    study = opened(tmp_path, text)
    name = max(study.suite.cells, key=lambda cell: cell.level).run_id
    jobs = {job.id: job for job in make_jobs(study)}
    tuned = f"{name}-sft-spatial"
    assert [jobs[job].gpus for job in (name, f"{name}-evaluate", tuned, f"{tuned}-evaluate")] == [0, 1, 0, 1]
    assert jobs[f"{name}-evaluate"].after == (name, PREPARE)
    assert jobs[f"{tuned}-evaluate"].after == (tuned, PREPARE)
    assert jobs[name].makes == (str(study.layout.run_facts(name)),)
    finish_cell(study, name)
    assert not {name, f"{name}-evaluate"} & set(missing(study))
    on_cpu = opened(tmp_path, text + "\ndevice: cpu")
    assert {job.gpus for job in make_jobs(on_cpu)} == {0}


def test_a_run_that_one_gpu_does_not_hold_asks_for_more(tmp_path, monkeypatch):
    text = "suite: {recipe: paper}\ngpu_memory: 8e9"
    study = opened(tmp_path, text)
    jobs = {job.id: job for job in make_jobs(study)}
    cells = sorted(study.suite.cells, key=lambda cell: cell.n_params)
    assert jobs[cells[0].run_id].gpus == 0
    assert jobs[cells[-1].run_id].gpus == gpus_needed(cells[-1].shape, study.suite.seq_len, 8e9) > 1
    assert {job.gpus for job in make_jobs(opened(tmp_path, "suite: {recipe: paper}"))} == {0}
    from t2scaling.testbed.study import flow

    with pytest.raises(SuiteError, match="--on slurm:gpus=N"):
        flow._workers(study, "slurm", False, {}, print)
    said: list[str] = []
    assert flow._workers(study, "slurm", True, {}, said.append)[0].gpus == 0
    assert "left to others" in said[0]
    assert {place.gpus for place in flow._workers(study, "slurm", False, {"gpus": "8"}, print)} == {8}
    monkeypatch.setattr(places, "gpus", lambda: list("01234567"))
    most = max(job.gpus for job in jobs.values())
    assert [place.gpus for place in flow._workers(study, "local", False, {}, print)] == [most] * (8 // most)


def test_runs_of_one_size_wait_for_each_other_where_they_share_a_trunk(tmp_path):
    study = opened(tmp_path, "suite: {recipe: tiny, arguments: {schedule: wsd}}")
    prepare(study)
    jobs = {job.id: job for job in make_jobs(study)}
    by_size: dict[object, list] = {}
    for cell in sorted(study.suite.cells, key=lambda cell: cell.n_tokens):
        by_size.setdefault(cell.shape, []).append(cell.run_id)
    for names in by_size.values():
        assert [jobs[name].behind for name in names] == [(), *((name,) for name in names[:-1])]


def test_the_outline_counts_and_foretells(tmp_path):
    study = opened(tmp_path)
    outline = describe(study)
    assert outline.flops == pytest.approx(study.suite.train_flops)
    assert outline.seconds is not None
    first, *others = study.suite.cells
    finish_cell(study, first.run_id)
    after = describe(study)
    assert after.seconds is not None
    assert [done for _, done in after.cells].count(True) == 1
    assert f"{len(others)} of {len(study.suite.cells)} cells" in after.sentence()
    # The cell that is done took 4 s: the others are expected to be off by the same factor.
    slower = 4.0 / train_seconds(study.suite, first)
    costs = [job.cost for job in make_jobs(study) if not job.done]
    assert after.seconds == pytest.approx(slower * max(sum(costs) / after.n_workers, *costs))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("suite: {recipe: tinny}", "unknown recipe `tinny`: did you mean `tiny`"),
        ("suite: {recipe: tiny, arguments: {sed: 1}}", "unknown key `sed`: did you mean `seed`"),
        ("suite: {recipe: tiny, arguments: {schedule: linear}}", "`schedule` = 'linear'"),
        ("suite: {recipe: tiny}\nevaluate: {tasks: [casual]}", "unknown task `casual`: did you mean `causal`"),
        ("suite: {recipe: tiny}\nposttrain: {tasks: [arithmetics]}", "did you mean `arithmetic`"),
        ("suite: {recipe: tiny}\nposttrain: {tasks: [lambada_openai]}", "lambada_openai has no training questions"),
        ("suite: {recipe: tiny}\nfit: {laws: [nearest]}", "`nearest` cannot be planned with: put another first"),
        ("suite: {recipe: tiny}\nfit: {task: sciq}", "`fit.task` = 'sciq' is not measured here"),
    ],
)
def test_a_study_that_cannot_be_is_refused_before_anything_is_written(tmp_path, text, message):
    with pytest.raises(SuiteError) as error:
        opened(tmp_path, text)
    assert message in str(error.value)
    assert not (tmp_path / "out").exists()


def test_a_folder_keeps_its_suite(tmp_path):
    tiny(seed=1).save(tmp_path / "out" / "suite.json")
    with pytest.raises(SuiteError, match="holds the runs of another suite"):
        opened(tmp_path)


def test_a_seed_replaces_the_suites_alone(tmp_path):
    study = opened(tmp_path, seed=5)
    assert study.suite == replace(tiny(), seed=5)
    assert study.suite.text_seed == tiny().text_seed
    with pytest.raises(ArgumentError, match="`seed` = -1"):
        opened(tmp_path, seed=-1)


def test_a_suite_file_is_found_beside_the_study_file(tmp_path):
    suite = tiny(seed=7)
    suite.save(tmp_path / "mine.json")
    assert opened(tmp_path, "suite: {file: mine.json}").suite == suite
