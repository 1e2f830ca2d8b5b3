"""Logs of lm-evaluation-harness, written here as it writes them, and read with the traps they hold."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from t2scaling.errors import ArgumentError, DataError
from t2scaling.observations import lm_eval_metric, read
from t2scaling.observations.lm_eval.blocks import SamplesFile
from t2scaling.observations.lm_eval.outcomes import Loglikelihood

Write = Callable[..., Path]
KNOWN = {"metadata": {"train_tokens": 1e9}}


def likelihood(doc: int, logp: Any, **more: Any) -> dict[str, Any]:
    return {"doc_id": doc, "target": "x", "resps": [[[logp, "False"]]], "filter": "none", "metrics": ["acc"], **more}


def choices(doc: int, target: Any, logps: list[float], texts: list[str] | None = None, **more: Any) -> dict[str, Any]:
    texts = texts or ["1", "2", "3", "4"][: len(logps)]
    return {
        "doc_id": doc,
        "target": str(target),
        "arguments": {f"gen_args_{i}": {"arg_0": "q", "arg_1": f" {text}"} for i, text in enumerate(texts)},
        "resps": [[[str(value), "False"]] for value in logps],
        "filter": "none",
        "metrics": ["acc", "acc_norm"],
        "acc": 0.0,
        **more,
    }


def sampled(doc: int, target: str, responses: list[str], filter: str = "none", **more: Any) -> dict[str, Any]:
    row = {"doc_id": doc, "target": target, "resps": [responses], "filtered_resps": responses[:1], "filter": filter}
    return {**row, "metrics": ["exact_match"], "exact_match": 0.0, **more}


def outcomes(path: Path, **options: Any) -> pl.DataFrame:
    return read(path.parent, **options).outcomes


def test_loglikelihood_is_negated_and_perplexity_is_not_believed(lm_eval_log: Write) -> None:
    rows = [likelihood(0, "-5.9", perplexity=-5.9), likelihood(1, -2.5, perplexity=-2.5)]
    found = read(lm_eval_log("words", rows, config={"output_type": "loglikelihood", **KNOWN}))
    assert found.outcomes["nll"].to_list() == [5.9, 2.5]
    assert found.runs.row(0, named=True) == {"run_id": "tiny", "stage": "base", "n_params": 38752.0, "n_tokens": 1e9}
    assert found.conventions == {"n_params": "total", "nll": "sum"}


def test_impossible_answer_is_refused(lm_eval_log: Write) -> None:
    path = lm_eval_log("words", [likelihood(0, "-5.9"), likelihood(1, "-inf")], config=KNOWN)
    with pytest.raises(DataError, match=r"NaN or infinite.*question `1`"):
        read(path)


@pytest.mark.parametrize("typed", [True, False])
def test_gold_choice_by_position(lm_eval_log: Write, typed: bool) -> None:
    """Row 1's target "1" is the position of the second choice and the text of the first."""
    rows = [choices(0, 0, [-1.0, -2.0, -3.0, -4.0], acc=1.0), choices(1, 1, [-1.0, -2.0, -3.0, -4.0])]
    config = {"output_type": "multiple_choice", **KNOWN} if typed else KNOWN
    assert outcomes(lm_eval_log("arc", rows, config=config))["nll"].to_list() == [1.0, 2.0]


def test_gold_choice_by_text(lm_eval_log: Write) -> None:
    rows = [
        choices(0, "blue", [-1.0, -2.0], ["red", "blue"]),
        choices(1, "red", [-1.0, -2.0], ["red", "blue"], acc=1.0),
    ]
    assert outcomes(lm_eval_log("colours", rows, config=KNOWN))["nll"].to_list() == [2.0, 1.0]


def test_ambiguous_gold_choice_goes_with_acc(lm_eval_log: Write) -> None:
    """Every target is a position and a text: only `acc` tells that it is a text here."""
    texts = ["1", "0"]
    rows = [
        choices(0, "0", [-1.0, -2.0], texts, acc=0.0),
        choices(1, "1", [-1.0, -2.0], texts, acc=1.0),
        choices(2, "0", [-3.0, -2.0], texts, acc=1.0),
    ]
    assert outcomes(lm_eval_log("bits", rows, config=KNOWN))["nll"].to_list() == [2.0, 1.0, 2.0]


def test_gold_choice_that_is_not_logged_is_told_by_acc(lm_eval_log: Write) -> None:
    """Tasks whose context varies log the shared continuation as target, which names no choice."""
    texts = ["is warm", "is warm"]
    rows = [
        choices(0, "is warm", [-1.0, -2.0], texts, acc=1.0),
        choices(1, "is warm", [-1.0, -2.0], texts, acc=0.0),
    ]
    found = read(lm_eval_log("pronouns", rows, config=KNOWN))
    assert found.outcomes["nll"].to_list() == [1.0, 2.0]
    assert "told by `acc`" in found.report.sources[0].how


def test_gold_choice_that_cannot_be_told(lm_eval_log: Write) -> None:
    rows = [choices(0, "elsewhere", [-1.0, -2.0, -3.0]), choices(1, "9", [-1.0, -2.0, -3.0])]
    with pytest.raises(DataError, match="gold choice cannot be told"):
        read(lm_eval_log("arc", rows, config=KNOWN))


def test_questions_with_more_choices_than_the_first(lm_eval_log: Write) -> None:
    rows = [choices(0, 1, [-1.0, -2.0]), choices(1, 4, [-1.0, -2.0, -3.0, -4.0, -5.0], ["a", "b", "c", "d", "e"])]
    assert outcomes(lm_eval_log("arc", rows, config=KNOWN))["nll"].to_list() == [2.0, 5.0]


def test_repeats_are_graded_one_by_one(lm_eval_log: Write) -> None:
    """The harness' own exact_match of take_first is 0 or 1 for the first response alone."""
    rows = [sampled(0, "4", [" 4", "5", "4\n", "x"], exact_match=1.0), sampled(1, "5", ["4", "", "x", "y"])]
    found = read(lm_eval_log("sums", rows, config={"repeats": 4, **KNOWN}))
    assert found.outcomes["n_samples"].to_list() == [4, 4]
    assert found.outcomes["n_correct"].to_list() == [2, 0]
    assert "each response graded: exact" in found.report.sources[0].how


def test_repeats_graded_by_number_and_by_a_function(lm_eval_log: Write, tmp_path: Path) -> None:
    rows = [sampled(0, "so #### 4", ["2 + 2 = 4", "it is 5", "4.0", "four"])]
    path = lm_eval_log("gsm", rows, config=KNOWN)
    assert outcomes(path, score="numeric")["n_correct"].to_list() == [2]
    (tmp_path / "g.py").write_text("def short(response, target):\n    return len(response) < 6\n")
    assert outcomes(path, score=f"{tmp_path / 'g.py'}:short")["n_correct"].to_list() == [2]
    plain = read(path)
    assert plain.outcomes["n_correct"].to_list() == [0]
    assert any("no response of task `gsm`" in note and "--score numeric" in note for note in plain.report.notes)


def test_filter_that_kept_every_response_is_graded(lm_eval_log: Write) -> None:
    row = sampled(0, "4", ["The answer is 4", "I say 4", "5"], "extract", filtered_resps=[["4", "4", "5"]])
    assert outcomes(lm_eval_log("gsm", [row], config=KNOWN))["n_correct"].to_list() == [2]


def test_counts_of_the_log_are_taken_as_they_are(lm_eval_log: Write) -> None:
    rows = [
        sampled(doc, "4", ["x"] * 4, n_samples=4, n_correct=doc, metrics=["n_samples", "n_correct"]) for doc in range(3)
    ]
    path = lm_eval_log("code", rows, config=KNOWN)
    for options in ({}, {"score": "exact"}):
        assert outcomes(path, **options)["n_correct"].to_list() == [0, 1, 2]


def test_pass_at_1_of_a_list_metric_gives_the_count(lm_eval_log: Write) -> None:
    rows = [sampled(doc, "4", ["x"] * 3, **{"pass@1": doc / 3}) for doc in range(3)]
    path = lm_eval_log("code", rows, config=KNOWN)
    assert outcomes(path)["n_correct"].to_list() == [0, 1, 2]
    path = lm_eval_log("code", [sampled(0, "4", ["x"] * 3, **{"pass@1": 0.5})], config=KNOWN)
    with pytest.raises(DataError, match=r"`pass@1` of question 0 is no number of correct samples.*1.5 of 3"):
        read(path)


def test_one_response_is_judged_by_the_task(lm_eval_log: Write) -> None:
    rows = [sampled(0, "4", ["so it is 4"], exact_match=1.0), sampled(1, "5", ["4"], exact_match=0.0)]
    path = lm_eval_log("gsm", rows, config=KNOWN)
    assert outcomes(path)["n_correct"].to_list() == [1, 0]
    assert outcomes(path, score="exact")["n_correct"].to_list() == [0, 0]


def test_filters_of_one_document_count_once(lm_eval_log: Write) -> None:
    rows = [
        sampled(doc, "4", ["so 4"], name, exact_match=float(name == "flexible"))
        for name in ("strict", "flexible")
        for doc in range(2)
    ]
    config = {**KNOWN, "filter_list": [{"name": "strict"}, {"name": "flexible"}]}
    path = lm_eval_log("gsm", rows, config=config)
    found = read(path)
    assert found.outcomes["n_correct"].to_list() == [0, 0]
    assert [(drop.rows, "flexible" in drop.reason) for drop in found.report.dropped] == [(2, True)]
    assert outcomes(path, filter="flexible")["n_correct"].to_list() == [1, 1]
    with pytest.raises(DataError, match=r"no task has a filter `flexibel`.*did you mean `flexible`"):
        read(path, filter="flexibel")


def test_rolling_likelihood_is_dropped_with_the_reason(lm_eval_log: Write) -> None:
    lm_eval_log("words", [likelihood(0, "-1.0")], config=KNOWN)
    rolling = {"doc_id": 0, "target": "t", "resps": [["-39.9"]], "filter": "none", "word_perplexity": [-39.9, 6]}
    path = lm_eval_log(
        "wikitext", [rolling], config={"output_type": "loglikelihood_rolling"}, time="2026-01-03T00-00-00"
    )
    found = read(path.parent)
    assert found.tasks == ("words",)
    assert [drop.rows for drop in found.report.dropped] == [1]
    assert "no answer" in found.report.dropped[0].reason
    with pytest.raises(DataError, match=r"none of 1 logs.*loglikelihood_rolling"):
        read(path)


def test_greedy_repeats_are_pointed_out(lm_eval_log: Write) -> None:
    config = {**KNOWN, "generation_kwargs": {"do_sample": False}}
    found = read(lm_eval_log("sums", [sampled(0, "4", ["4", "4"])], config=config))
    assert any("decoded greedily" in note for note in found.report.notes)


def test_newest_log_of_a_run_and_task_counts(lm_eval_log: Write) -> None:
    lm_eval_log("words", [likelihood(0, "-1.0")] * 3, config=KNOWN, time="2026-01-01T00-00-00.5")
    path = lm_eval_log("words", [likelihood(0, "-2.0")], config=KNOWN, time="2026-01-02T00-00-00.5")
    found = read(path.parent)
    assert found.outcomes["nll"].to_list() == [2.0]
    assert [(drop.rows, "superseded" in drop.reason) for drop in found.report.dropped] == [(3, True)]


def test_checkpoints_of_one_folder_name_stay_apart(lm_eval_log: Write) -> None:
    for run, logp in (("a", "-1.0"), ("b", "-2.0")):
        lm_eval_log("words", [likelihood(0, logp)], model=f"{run}/model", config=KNOWN)
    path = lm_eval_log("more", [likelihood(0, "-3.0")], model="b/model", config=KNOWN)
    found = read(path.parents[2])
    rows = found.outcomes.select("run_id", "task", "nll").rows()
    assert rows == [("b/model", "more", 3.0), ("a/model", "words", 1.0), ("b/model", "words", 2.0)]
    assert any("named after their folders" in note for note in found.report.notes)


def test_facts_of_one_log_serve_the_other_logs_of_its_run(lm_eval_log: Write) -> None:
    lm_eval_log("words", [likelihood(0, "-1.0")], config={}, time="2026-01-01T00-00-00.5")
    path = lm_eval_log("more", [likelihood(0, "-2.0")], config=KNOWN, time="2026-01-02T00-00-00.5")
    assert read(path.parent).runs["n_tokens"].to_list() == [1e9]
    lm_eval_log("third", [likelihood(0, "-2.0")], config={"metadata": {"n_tokens": "2B"}}, time="2026-01-03T00-00-00.5")
    with pytest.raises(DataError, match="run `tiny` has two values of `n_tokens`"):
        read(path.parent)


def test_metadata_can_state_n_params_and_more(lm_eval_log: Write) -> None:
    told = {"n_params": "30K", "train_tokens": 1e9, "family": "toys", "seed": 7, "stage": "sft", "overtrained": True}
    found = read(lm_eval_log("words", [likelihood(0, "-1.0")], config={"metadata": told}))
    assert found.conventions["n_params"] == "unstated"
    assert found.runs.row(0, named=True) == {
        "run_id": "tiny", "stage": "sft", "n_params": 30000.0, "n_tokens": 1e9, "family": "toys", "seed": 7,
        "overtrained": True,
    }  # fmt: skip


@pytest.mark.parametrize("arguments", [{"revision": "step1000"}, "pretrained=p,revision=step1000", {}])
def test_revision_names_the_run_and_gives_the_step(lm_eval_log: Write, arguments: Any) -> None:
    settings = {"model_args": arguments, "model_revision": "step1000" if not arguments else "main"}
    path = lm_eval_log("words", [likelihood(0, "-1.0")], settings=settings)
    found = read(path, {"tokens_per_step": "2M", "runs": []})
    assert found.runs["run_id"].to_list() == ["tiny@step1000"]
    assert found.runs["n_tokens"].to_list() == [2e9]
    with pytest.raises(DataError, match=r"`n_tokens`"):
        read(path)


def test_log_without_results_file(lm_eval_log: Write) -> None:
    path = lm_eval_log("sums", [sampled(0, "4", ["4", "5"])], results=False)
    found = read(path, [{"run_id": "tiny", "n_params": "40K", "n_tokens": "1B"}])
    assert found.outcomes["n_correct"].to_list() == [1]
    with pytest.raises(DataError, match=r"do not say `n_params` and `n_tokens` of `tiny`.*--runs"):
        read(path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no rows"),
        ("\n\n", "no rows"),
        (json.dumps(likelihood(0, "-1.0")) + '\n{"doc_id": 1, "tar', "line 2 is not JSON.*truncated"),
        (json.dumps(likelihood(0, "-1.0")) + "\n\n" + '{"target": "x"}\n', "line 3 has no `doc_id`"),
        (
            json.dumps(likelihood(0, "-1.0")) + "\n" + json.dumps({"doc_id": 1, "resps": 3}) + "\n",
            "line 2: `resps` is 3",
        ),
        ("[]\n", r"line 1 is \[\], no object"),
    ],
)
def test_broken_samples_name_file_and_line(lm_eval_log: Write, text: str, says: str) -> None:
    path = lm_eval_log("words", text, config={"output_type": "loglikelihood", **KNOWN})
    with pytest.raises(DataError, match=f"samples_words.*{says}"):
        read(path)


def test_broken_results_file(lm_eval_log: Write) -> None:
    path = lm_eval_log("words", [likelihood(0, "-1.0")])
    results = next(path.parent.glob("results*"))
    results.write_text(results.read_text()[:-10])
    with pytest.raises(DataError, match=r"results_.*json` is not JSON"):
        read(path)


def test_repeated_document_is_refused(lm_eval_log: Write) -> None:
    path = lm_eval_log("words", [likelihood(3, "-1.0"), likelihood(3, "-1.0")], config=KNOWN)
    with pytest.raises(DataError, match="question `3` stands 2 times"):
        read(path)


def test_bare_nan_in_a_row_does_not_matter(lm_eval_log: Write) -> None:
    path = lm_eval_log("words", [likelihood(0, "-1.0", odd=float("nan")), likelihood(1, "-2.0")], config=KNOWN)
    assert "NaN" in path.read_text()
    assert outcomes(path)["nll"].to_list() == [1.0, 2.0]


@pytest.mark.parametrize("block_bytes", [1, 100, 1000, 10**6])
def test_blocks_hold_every_row_in_order(lm_eval_log: Write, block_bytes: int) -> None:
    rows = [likelihood(doc, f"-{doc}.5") for doc in range(37)]
    path = lm_eval_log("words", "\n".join(json.dumps(row) for row in rows))  # no newline at the end
    blocks = list(SamplesFile(path, Loglikelihood().schema, block_bytes))
    assert pl.concat(blocks)["doc_id"].to_list() == [str(doc) for doc in range(37)]
    assert len(blocks) >= min(37, path.stat().st_size // (block_bytes + 200))


@pytest.mark.parametrize("block_bytes", [1, 10**6])
def test_responses_are_read_as_they_were_written(lm_eval_log: Write, block_bytes: int) -> None:
    responses = [["1", "2"], ['a", "b', "]]"], ["x\ny\t"], ["\\nu"], ["\u2028é😀", ""], [], ["[[]]", "\x00"]]
    path = lm_eval_log("sums", [sampled(doc, "1", texts) for doc, texts in enumerate(responses)])
    schema = {"doc_id": pl.String, "resps": pl.List(pl.List(pl.String))}
    assert pl.concat(SamplesFile(path, schema, block_bytes))["resps"].to_list() == [[texts] for texts in responses]


def test_a_text_that_looks_like_responses_is_none(lm_eval_log: Write) -> None:
    path = lm_eval_log("sums", [sampled(0, "1", ["1", "2"]), {**sampled(1, "1", []), "resps": '[["1", "2"]]'}])
    with pytest.raises(DataError, match=r"line 2: `resps` is .* not how rows of this task's type look"):
        read(path)


def test_metric_for_tasks() -> None:
    assert lm_eval_metric(["4"], [["4", " 4 ", "5"]]) == {"n_samples": 3, "n_correct": 2}
    assert lm_eval_metric(["4"], ["4"]) == {"n_samples": 1, "n_correct": 1}


def test_real_logs_match_the_logs_read_by_hand(shared_data: Path) -> None:
    """Each samples file is read here with json alone, and compared row by row."""
    folder = shared_data / "harness_logs" / "lm_eval"
    found = read(folder)
    assert found.runs["run_id"].to_list() == ["tiny-gpt2"]
    assert found.runs["n_params"].to_list() == [38752.0]
    assert found.runs["n_tokens"].to_list() == [1e9]
    by_hand = {}
    for path in folder.rglob("samples_*.jsonl"):
        for row in map(json.loads, path.read_text().splitlines()):
            key, resps = (row_task(path), str(row["doc_id"])), row["resps"]
            if row_task(path) == "t_ll":
                by_hand[key] = (-float(resps[0][0][0]), None, None)
            elif row_task(path) == "t_mc":
                by_hand[key] = (-float(resps[row["doc"]["gold"]][0][0]), None, None)
            elif row_task(path) == "t_genk":
                by_hand[key] = (None, row["n_samples"], row["n_correct"])
            elif row_task(path) in ("t_gen", "t_genem"):
                right = sum(text.strip() == row["doc"]["answer"] for text in resps[0])
                by_hand[key] = (None, len(resps[0]), right)
    rows = found.outcomes.select("task", "question_id", "nll", "n_samples", "n_correct").rows()
    assert {(task, name): tuple(values) for task, name, *values in rows} == by_hand
    assert sum(c for _, n, c in by_hand.values() if n) == 2


def row_task(path: Path) -> str:
    return path.name.removeprefix("samples_").rsplit("_", 1)[0]


def test_chance_is_that_of_a_guess_among_the_choices(lm_eval_log: Write) -> None:
    rows = [choices(0, 0, [-1.0, -2.0]), choices(1, 2, [-1.0, -2.0, -3.0, -4.0])]
    assert outcomes(lm_eval_log("mc", rows, config=KNOWN))["chance"].to_list() == [0.5, 0.25]


def test_requests_without_the_question_are_no_choices(lm_eval_log: Write) -> None:
    row = choices(0, 1, [-3.0, -2.0, -0.1, -0.1], ["a", "b"], metrics=["acc", "acc_mutual_info"], acc=1.0)
    found = outcomes(lm_eval_log("mc", [row], config=KNOWN))
    assert found.select("nll", "chance").row(0) == (2.0, 0.5)


@pytest.mark.parametrize(
    ("score", "responses", "expected"),
    [
        (None, ["4", " 5", "5 ", "6", "", "x" * 100], (6, 1, [2, 1])),  # nothing, and prose, have no vote
        ("numeric", ["is 4", "so 5.", "$5.0", "6", "none", "4"], (6, 2, [2, 1])),
        ("numeric", ["a", "b"], (2, 0, None)),
    ],
)
def test_wrong_answers_are_counted_in_the_graders_form(
    lm_eval_log: Write, score: str | None, responses: list[str], expected: tuple[Any, ...]
) -> None:
    path = lm_eval_log("sums", [sampled(0, "4", responses)], config=KNOWN)
    found = outcomes(path, score=score)
    assert tuple(found.row(0, named=True).get(name) for name in ("n_samples", "n_correct", "wrong_counts")) == expected


def test_wrong_answers_are_those_of_a_filter_that_kept_all(lm_eval_log: Write) -> None:
    responses = ["so #### 5", "I say #### 5", "hm", "#### 4"]
    row = sampled(0, "4", responses, filtered_resps=[["5", "5", "[invalid]", "4"]])
    assert outcomes(lm_eval_log("sums", [row], config=KNOWN))["wrong_counts"].to_list() == [[2]]


def test_wrong_answers_of_a_log_that_counts_are_known_where_the_grading_agrees(lm_eval_log: Write) -> None:
    rows = [
        sampled(0, "4", ["4", "5", "5"], n_samples=3, n_correct=1),
        sampled(1, "4", ["four", "5", "5"], n_samples=3, n_correct=1),
    ]
    assert outcomes(lm_eval_log("sums", rows, config=KNOWN))["wrong_counts"].to_list() == [[2], None]


@pytest.mark.parametrize(
    ("source", "folder", "name"),
    [
        ("EleutherAI/pythia-70m", "EleutherAI__pythia-70m", "pythia-70m"),
        ("runs/w64-d3/model", "runs__w64-d3__model", "w64-d3"),
        ("out/a/checkpoint-10", "out__a__checkpoint-10", "a/checkpoint-10"),
        ("elsewhere/b", "tiny", "tiny"),
    ],
)
def test_runs_bear_the_part_of_a_models_name_that_tells(
    lm_eval_log: Write, source: str, folder: str, name: str
) -> None:
    settings = {"model_args": {"pretrained": source}}
    path = lm_eval_log("words", [likelihood(0, "-1.0")], model=folder, config=KNOWN, settings=settings)
    assert read(path).runs["run_id"].to_list() == [name]
    assert read(path, names="mine").runs["run_id"].to_list() == ["mine"]
    assert read(path, names={name: "mine"}).runs["run_id"].to_list() == ["mine"]
    with pytest.raises(ArgumentError, match=f"`name` = other is no run that was read: there is `{name}`"):
        read(path, names={"other": "mine"})


def test_models_of_one_last_name_stay_apart(lm_eval_log: Write) -> None:
    for group, task in (("a", "words"), ("b", "other")):
        settings = {"model_args": f"pretrained={group}/m"}
        lm_eval_log(task, [likelihood(0, "-1.0")], model=f"{group}__m", config=KNOWN, settings=settings)
    path = lm_eval_log("words", [likelihood(0, "-1.0")], model="c", config=KNOWN)
    found = read(path.parent.parent)
    assert sorted(found.runs["run_id"]) == ["a__m", "b__m", "c"]
    with pytest.raises(DataError, match="is for one run, but 3 were read"):
        read(path.parent.parent, names="mine")


@pytest.mark.parametrize("where", [".", "model"])
def test_run_json_beside_the_checkpoint_tells_n_and_d(lm_eval_log: Write, tmp_path: Path, where: str) -> None:
    run = tmp_path / "runs" / "w8-d1"
    (run / "model").mkdir(parents=True)
    record = {"run_id": "w8-d1-ft-sums", "base_run_id": "w8-d1", "stage": "ft", "n_params": 1234, "n_tokens": 5e6,
              "convention": "with_head", "seed": 3, "shape": {"width": 8}}  # fmt: skip
    (run / "run.json").write_text(json.dumps(record))
    settings = {"model_args": {"pretrained": str(run / where)}}
    path = lm_eval_log("words", [likelihood(0, "-1.0")], settings=settings)
    found = read(path)
    assert found.runs.select("run_id", "stage", "n_params", "n_tokens", "seed").row(0) == ("w8-d1", "ft", 1234, 5e6, 3)
    assert found.conventions["n_params"] == "with_head"
    path = lm_eval_log("words", [likelihood(0, "-1.0")], settings=settings, config=KNOWN)
    with pytest.raises(DataError, match="says `n_tokens`"):
        read(path)


@pytest.mark.parametrize(
    "broken",
    [
        {"resps": 5}, {"resps": []}, {"resps": {}}, {"resps": [5]}, {"resps": "x"}, {"filter": ["a"]}, {"metrics": 5},
        {"metrics": [5]}, {"filtered_resps": 5}, {"arguments": [1]}, {"target": {"a": [1]}}, {"doc_id": [1]},
    ],
)  # fmt: skip
@pytest.mark.parametrize("row", [likelihood(0, "-1.0"), choices(0, 0, [-1.0, -2.0]), sampled(0, "4", ["4", "5"])])
@pytest.mark.parametrize("first", [True, False])
def test_rows_of_other_types_are_read_or_refused(
    lm_eval_log: Write, row: dict[str, Any], broken: dict[str, Any], first: bool
) -> None:
    rows = [{**row, **broken}] if first else [{**row, "doc_id": 7}, {**row, **broken}]
    path = lm_eval_log("words", rows, config=KNOWN)
    with suppress(DataError):
        read(path)
        return
    with pytest.raises(DataError, match=r"samples_words|lm-eval logs"):
        read(path)


@pytest.mark.parametrize(
    "results",
    [[], {"configs": 5}, {"configs": {"words": 5}}, {"config": []}, {"config": {"model_num_parameters": "many"}},
     {"configs": {"words": {"output_type": 5}}}],
)  # fmt: skip
def test_results_of_other_types_are_refused(lm_eval_log: Write, results: Any) -> None:
    path = lm_eval_log("words", [likelihood(0, "-1.0")])
    next(path.parent.glob("results*")).write_text(json.dumps(results))
    with pytest.raises(DataError, match=r"results_.*json`: "):
        read(path)


def test_nesting_halves_and_keys_that_stand_twice_are_refused(lm_eval_log: Write) -> None:
    good = json.dumps(likelihood(0, "-1.0"))
    for spoilt in (
        good.replace('"x"', "[" * 900 + "]" * 900),
        good.replace('"x"', '"\\ud800"'),
        good.replace('"doc_id": 0', '"doc_id": 0, "doc_id": 1'),
    ):
        path = lm_eval_log("words", json.dumps(likelihood(5, "-1.0")) + "\n" + spoilt + "\n", config=KNOWN)
        with pytest.raises(DataError, match="line 2"):
            read(path)


def test_the_metric_of_one_response_does_not_judge_several(lm_eval_log: Write) -> None:
    rows = [sampled(0, "4", ["4"], exact_match=1.0), sampled(1, "5", ["5", "6", "7"], exact_match=1.0)]
    path = lm_eval_log("sums", rows, config=KNOWN)
    with pytest.raises(DataError, match="question 1 has several responses"):
        read(path)
    assert outcomes(path, score="exact").select("n_samples", "n_correct").rows() == [(1, 1), (3, 1)]
