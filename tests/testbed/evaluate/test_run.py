from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from t2scaling.errors import DataError, PrerequisiteError, SuiteError
from t2scaling.testbed.evaluate import Settings, engine, evaluate, evaluate_tasks, open_run
from t2scaling.testbed.evaluate import run as run_module
from t2scaling.testbed.evaluate.grade import ending_tokens
from t2scaling.testbed.evaluate.graded import canonical
from t2scaling.testbed.evaluate.questions import resolve
from t2scaling.testbed.evaluate.sample import Drawing
from t2scaling.testbed.evaluate.streams import question_key
from t2scaling.testbed.evaluate.tokens import Tokenizer, encode
from t2scaling.testbed.tasks import Question, Task, save


def says_its_answer(question: Question, completion: str) -> bool:
    """A grader of the tests: the completion starts with the answer."""
    return completion.startswith(question.answer)


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which engines were loaded."""
    seen: list[str] = []

    def counting(backend: str, *arguments: Any) -> engine.Engine:
        seen.append(backend)
        return engine.open_engine(backend, *arguments)

    monkeypatch.setattr(run_module, "open_engine", counting)
    return seen


def test_likelihoods_in_canonical_columns(run_dir: Path, task: Task, tmp_path: Path) -> None:
    path = evaluate(run_dir, task, tmp_path / "evals")
    assert path == tmp_path / "evals" / "cell-1" / "toy.parquet"
    frame = pl.read_parquet(path)
    assert frame.height == 60
    assert frame["question_id"].to_list() == [question.question_id for question in task.questions("test")]
    constant = {
        "run_id": "cell-1",
        "stage": "base",
        "task": "toy",
        "n_params": 27_000,
        "n_tokens": 1e6,
        "train_flops": 1.62e11,
        "seed": 3,
        "overtrained": False,
        "prompt_tokens_dropped": 0,
    }
    assert {name: frame[name].unique().to_list() for name in constant} == {k: [v] for k, v in constant.items()}
    assert frame["nll"].min() > 0  # type: ignore[operator]
    assert set(frame["nll_tokens"]) == {1, 2, 3}
    metadata = pl.read_parquet_metadata(path)
    assert json.loads(metadata["t2scaling.conventions"]) == {"n_params": "with_head", "nll": "sum"}


def test_observations_read_what_was_written(run_dir: Path, task: Task, tmp_path: Path) -> None:
    from t2scaling.observations import read

    observations = read(evaluate(run_dir, task, tmp_path))
    assert observations.tasks == ("toy",) or list(observations.tasks) == ["toy"]
    assert observations.conventions["n_params"] == "with_head"
    measured = observations.measurements(task="toy")
    np.testing.assert_array_equal(measured.N, [27_000])


def test_done_work_is_not_done_again(run_dir: Path, task: Task, tmp_path: Path, loads: list[str]) -> None:
    run, out = open_run(run_dir), tmp_path / "evals"
    other = replace(task, name="other")
    (first,) = evaluate_tasks(run, [task], out)
    stamp = first.path.stat().st_mtime_ns
    again, new = evaluate_tasks(run, [task, other], out)
    assert (first.reused, again.reused, new.reused) == (False, True, False)
    assert again == replace(first, reused=True)
    assert first.path.stat().st_mtime_ns == stamp
    assert loads == ["transformers"] * 2
    assert all(one.reused for one in evaluate_tasks(run, [task, other], out))
    assert len(loads) == 2


def test_changed_questions_weights_or_settings_are_measured_anew(
    run_dir: Path, task: Task, tmp_path: Path, loads: list[str]
) -> None:
    out = tmp_path / "evals"
    evaluate(run_dir, task, out)
    questions = list(task.questions("test"))
    questions[0] = replace(questions[0], answer=questions[1].answer + " Anna")
    evaluate(run_dir, replace(task, splits={"test": tuple(questions)}), out)
    evaluate(run_dir, replace(task, splits={"test": tuple(questions)}), out, dtype="bfloat16")
    record = json.loads((run_dir / "run.json").read_text())
    (run_dir / "run.json").write_text(json.dumps(record | {"seed": 4}))
    evaluate(run_dir, replace(task, splits={"test": tuple(questions)}), out, dtype="bfloat16")
    assert len(loads) == 4


def test_more_samples_add_to_those_drawn(run_dir: Path, task: Task, tmp_path: Path, loads: list[str]) -> None:
    few = pl.read_parquet(evaluate(run_dir, task, tmp_path / "a", mode="sample", n_samples=16))
    path = evaluate(run_dir, task, tmp_path / "a", mode="sample", n_samples=50)
    assert path.name == "toy.samples.parquet"
    once = evaluate(run_dir, task, tmp_path / "b", mode="sample", n_samples=50)
    assert pl.read_parquet(path).equals(pl.read_parquet(once))
    assert set(pl.read_parquet(path)["n_samples"]) == {50}
    assert (pl.read_parquet(path)["n_correct"] >= few["n_correct"]).all()
    assert len(loads) == 3
    evaluate(run_dir, task, tmp_path / "a", mode="sample", n_samples=20)  # 50 are there
    assert len(loads) == 3
    other_seed = evaluate(run_dir, task, tmp_path / "c", mode="sample", n_samples=50, seed=1)
    assert not pl.read_parquet(other_seed)["n_correct"].equals(pl.read_parquet(once)["n_correct"])


def test_a_grader_sees_text(run_dir: Path, task: Task, tmp_path: Path) -> None:
    options: dict[str, Any] = {"mode": "sample", "max_new_tokens": 3, "stop": ("\n",)}
    path = evaluate(run_dir, task, tmp_path / "a", n_samples=24, grader=says_its_answer, **options)
    graded = pl.read_parquet(path)
    exact = pl.read_parquet(evaluate(run_dir, task, tmp_path / "b", mode="sample", n_samples=24))
    # What matches token by token also starts with the text; the reverse need not hold ("walk" starts " walked").
    assert (graded["n_correct"] >= exact["n_correct"]).all()
    assert exact["n_correct"].sum() > 50
    lengths = graded["completion_tokens"]
    assert 1 <= lengths.min() <= lengths.max() <= 3  # type: ignore[operator]
    more = evaluate(run_dir, task, tmp_path / "a", n_samples=40, grader=says_its_answer, **options)
    once = evaluate(run_dir, task, tmp_path / "c", n_samples=40, grader=says_its_answer, **options)
    np.testing.assert_array_equal(pl.read_parquet(more)["n_correct"], pl.read_parquet(once)["n_correct"])
    np.testing.assert_allclose(pl.read_parquet(more)["completion_tokens"], pl.read_parquet(once)["completion_tokens"])


def test_wrong_answers_are_counted(run_dir: Path, task: Task, tmp_path: Path) -> None:
    """To the same counts as without decoding; by hand from the completions; and alike in one go or in two."""
    few = replace(task, stop=".", splits={"test": task.questions("test")[:12]})
    options: dict[str, Any] = {"mode": "sample", "max_new_tokens": 6}
    counted = pl.read_parquet(evaluate(run_dir, few, tmp_path / "a", n_samples=40, count_answers=True, **options))
    exact = pl.read_parquet(evaluate(run_dir, few, tmp_path / "b", n_samples=40, **options))
    assert counted["n_correct"].to_list() == exact["n_correct"].to_list()
    assert "wrong_counts" not in exact.columns
    assert (counted["wrong_counts"].list.sum() + counted["n_correct"]).to_list() == [40] * 12
    for answers, counts in counted.select("wrong_answers", "wrong_counts").iter_rows():
        assert len(set(answers)) == len(answers) == len(counts)
        assert counts == sorted(counts, reverse=True)
        assert not any("." in answer or answer != canonical(answer) for answer in answers)
    evaluate(run_dir, few, tmp_path / "c", n_samples=15, count_answers=True, **options)
    more = pl.read_parquet(evaluate(run_dir, few, tmp_path / "c", n_samples=40, count_answers=True, **options))
    assert more.drop("completion_tokens").equals(counted.drop("completion_tokens"))
    np.testing.assert_allclose(more["completion_tokens"], counted["completion_tokens"])
    asked, loaded = resolve(few), Tokenizer.at(run_dir / "model").load()
    opened = engine.open_engine("transformers", run_dir / "model", "cpu", "auto")
    encoded = encode(asked.questions, Tokenizer.at(run_dir / "model"), opened.max_length)
    drawing = Drawing(
        [question_key(0, "toy", question.question_id) for question in asked.questions],
        np.full(12, 6),
        1.0,
        ending_tokens(loaded, opened.vocab_size, (".",)),
    )
    by_hand: list[Counter[str]] = [Counter() for _ in range(12)]
    for question, _, drawn in opened.complete(encoded, drawing, 40, first=0):
        for tokens in drawn:
            if tuple(tokens[: len(encoded.answers[question])]) != encoded.answers[question]:
                said = loaded.decode(tokens, skip_special_tokens=True).split(".")[0]
                by_hand[question][" ".join(said.split()).lower()] += 1
    told = [dict(zip(*row, strict=True)) for row in counted.select("wrong_answers", "wrong_counts").iter_rows()]
    assert told == by_hand


def test_chance_is_written_where_it_is_known(run_dir: Path, task: Task, tmp_path: Path) -> None:
    first, second, *rest = task.questions("test")
    known = replace(task, splits={"test": (replace(first, chance=0.25), replace(second, chance=0.0), *rest)})
    for mode in ("nll", "sample"):
        frame = pl.read_parquet(evaluate(run_dir, known, tmp_path, mode=mode, n_samples=2))
        assert frame["chance"].to_list() == [0.25, 0.0] + [None] * 58
        assert frame.schema["chance"] == pl.Float64


def test_prompts_beyond_the_context_are_cut_and_counted(run_dir: Path, task: Task, tmp_path: Path) -> None:
    long = replace(task.questions("test")[0], prompt="Anna walked to the river. " * 12 + "\nAnswer:")
    questions = (long, *task.questions("test")[1:5])
    with pytest.warns(UserWarning, match="1 of 5 prompts of toy are longer"):
        path = evaluate(run_dir, replace(task, splits={"test": questions}), tmp_path)
    frame = pl.read_parquet(path)
    assert frame["prompt_tokens_dropped"][0] > 0
    assert frame["prompt_tokens_dropped"][1:].to_list() == [0] * 4
    assert frame["prompt_tokens"][0] + frame["nll_tokens"][0] == 65


def test_task_files_and_names(run_dir: Path, task: Task, tmp_path: Path) -> None:
    file = save(task, tmp_path / "toy.jsonl")
    by_file = pl.read_parquet(evaluate(run_dir, file, tmp_path / "a"))
    assert by_file.equals(pl.read_parquet(evaluate(run_dir, task, tmp_path / "b")))
    with pytest.raises(PrerequisiteError, match="no task file"):
        evaluate(run_dir, tmp_path / "none.jsonl", tmp_path / "a")
    with pytest.raises(SuiteError, match="`nonsense` is no task"):
        evaluate(run_dir, "nonsense", tmp_path / "a")
    twice = replace(task, splits={"test": task.questions("test")[:1] * 2})
    with pytest.raises(DataError, match="gives the id q0 to 2 questions"):
        evaluate(run_dir, twice, tmp_path / "a")
    with pytest.raises(DataError, match="has no test questions"):
        evaluate(run_dir, replace(task, splits={"test": ()}), tmp_path / "a")


@pytest.mark.parametrize(
    "wrong",
    [
        {"mode": "guess"},
        {"n_samples": 0},
        {"temperature": 0.0},
        {"temperature": float("nan")},
        {"max_new_tokens": 0},
        {"dtype": "int8"},
        {"backend": "llama.cpp"},
        {"grader": "a:b", "mode": "nll"},
        {"count_answers": True, "mode": "nll"},
        {"seed": -1},
    ],
)
def test_impossible_settings(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong)).replace("n_samples", "samples")):
        Settings(**wrong)
