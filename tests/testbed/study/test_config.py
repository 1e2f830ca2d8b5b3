"""Study files: what they may say, and how they are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from t2scaling.errors import SuiteError
from t2scaling.testbed.study import open_study
from t2scaling.testbed.study.config import StudyConfig, read_config
from t2scaling.testbed.suite import english


def read(tmp_path: Path, text: str) -> StudyConfig:
    path = tmp_path / "trial.yaml"
    path.write_text(text)
    return read_config(path)


def test_a_recipe_is_a_whole_study(tmp_path):
    config = read(tmp_path, "suite: {recipe: tiny}")
    assert (config.name, config.out) == ("trial", Path("out/trial"))
    assert config.jobs is None
    assert config.fit.laws == ("loss", "accuracy")


def test_numbers_are_read_as_people_write_them(tmp_path):
    config = read(tmp_path, "suite: {recipe: tiny}\njobs: auto\nplan: {train_flops: 1e13, inference_flops: 2M}")
    assert config.plan.train_flops == 1e13
    assert config.plan.inference_flops == 2e6
    assert config.jobs is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("suit: {recipe: tiny}", "`suit` is not known (did you mean `suite`?)"),
        ("suite: {recip: tiny}", "`suite.recip` is not known (did you mean `recipe`?)"),
        ("suite: {recipe: tiny}\nposttrain: {mode: [ft]}", "`posttrain.mode` is not known (did you mean `modes`?)"),
        ("suite: {recipe: tiny}\nfit: {task: macro, lws: [loss]}", "did you mean `laws`"),
        ("suite: {recipe: tiny, file: x.json}", "name a `recipe` or a `file`"),
        ("suite: {recipe: tiny}\nplan: {inference_flops: lots}", "`plan.inference_flops`: `lots` is not a number"),
        ("suite: {recipe: tiny}\nevaluate: {samples: 4, temperature: 0}", "`evaluate.temperature` is 0"),
        ("suite: {recipe: tiny}\nevaluate: {samples: 10000000000}", "`evaluate.samples` is 10000000000"),
        ("suite: {recipe: tiny}\nvalidate: {seeds: 2000}", "`validate.seeds` is 2000"),
        ("suite: {recipe: tiny}\nfit: {bootstrap: 1}", "`fit.bootstrap`: `bootstrap` = 1 gives no interval"),
        ("suite: {recipe: tiny}\nplan: {train_flops: 1e30}", "`plan.train_flops`: `train_flops` = 1e30 is over"),
        ("suite: {recipe: tiny}\njobs: 0", "`jobs` is 0: it should be greater than 0"),
        ("jobs: 1", "`suite` is missing"),
        ("a: [", "is not YAML"),
        ("", "holds no keys"),
    ],
)
def test_what_a_study_file_cannot_say(tmp_path, text, message):
    with pytest.raises(SuiteError, match=r"trial\.yaml") as error:
        read(tmp_path, text)
    assert message in str(error.value)


@pytest.mark.parametrize("key", ["fit", "plan", "validate"])
def test_an_inference_budget_that_buys_no_sample_is_said_before_training(tmp_path, key):
    budget = "[1K]" if key == "validate" else "1K"
    read(tmp_path, f"suite: {{recipe: tiny}}\n{key}: {{inference_flops: {budget}}}")
    with pytest.raises(SuiteError, match=rf"`{key}\.inference_flops` = 1e3 buys no sample .*smallest model \(2·N = "):
        open_study(tmp_path / "trial.yaml")


def test_a_binary_file_is_refused(tmp_path):
    path = tmp_path / "trial.yaml"
    path.write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(SuiteError, match="is UTF-16 text"):
        read_config(path)


def test_text_and_questions_are_named_from_the_files_folder(tmp_path, monkeypatch):
    text = "suite: {recipe: custom, arguments: {text: TEXT}}\nevaluate: {paths: {sciq: questions/sciq.jsonl}}"
    config = read(tmp_path, text.replace("TEXT", "books"))
    assert config.suite.arguments["text"] == str(tmp_path / "books")
    assert config.evaluate.paths == {"sciq": tmp_path / "questions/sciq.jsonl"}
    config = read(tmp_path, text.replace("TEXT", "{kind: files, path: books, field: body}"))
    assert config.suite.arguments["text"] == {"kind": "files", "path": str(tmp_path / "books"), "field": "body"}
    with pytest.raises(SuiteError, match=r"`evaluate.paths.sciq` = .*sciq\.jsonl: there is no such file"):
        open_study(tmp_path / "trial.yaml")


def test_the_english_study_is_whole_once_its_text_and_questions_are_there(tmp_path):
    copy = tmp_path / "english.yaml"
    copy.write_text((Path(__file__).parents[3] / "examples" / "english.yaml").read_text())
    for name in ("arc_easy", "openbookqa", "sciq", "lambada_openai"):
        (tmp_path / "questions" / name).mkdir(parents=True)
    study = open_study(copy, out=tmp_path / "out")
    assert study.suite == english(str(tmp_path / "text"))
    assert study.tasks == study.suite.tasks
    assert not (tmp_path / "out").exists()
    config = copy.read_text().replace("sciq: ", "sqiq: ")
    copy.write_text(config)
    with pytest.raises(SuiteError, match=r"`evaluate.paths`: unknown task `sqiq`: did you mean `sciq`"):
        open_study(copy)
