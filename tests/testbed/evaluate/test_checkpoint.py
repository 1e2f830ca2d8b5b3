from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from safetensors.torch import load_file, save_file

from t2scaling.cli.main import run
from t2scaling.errors import ArgumentError, DataError, PrerequisiteError
from t2scaling.testbed.evaluate import evaluate, open_run
from t2scaling.testbed.evaluate.checkpoint import count_params
from t2scaling.testbed.evaluate.model import load
from t2scaling.testbed.tasks import Task, save


def test_a_plain_folder_needs_its_tokens(hf_folder: Path) -> None:
    with pytest.raises(DataError, match="--n-tokens"):
        open_run(hf_folder)
    run = open_run(hf_folder, n_tokens=3e11)
    assert (run.run_id, run.stage, run.n_tokens, run.convention) == ("tiny", "base", 3e11, "with_head")
    named = open_run(hf_folder, n_tokens=3e11, n_params=7e9, run_id="mine")
    assert (named.run_id, named.n_params, named.convention) == ("mine", 7_000_000_000, "unstated")


def test_parameters_are_counted_with_the_head_and_without_the_embedding(hf_folder: Path, tmp_path: Path) -> None:
    w, ff, vocab, heads, kv, d = 32, 64, 320, 4, 2, 8
    block = w * d * (heads + 2 * kv) + heads * d * w + 3 * w * ff + 2 * w + 2 * d
    assert count_params(hf_folder) == 2 * block + w + vocab * w
    config = json.loads((hf_folder / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"tie_word_embeddings": True}))
    assert count_params(tmp_path) == 2 * block + w + vocab * w


def test_a_run_tells_its_facts(run_dir: Path) -> None:
    run = open_run(run_dir, run_id="renamed")
    assert (run.run_id, run.n_params, run.n_tokens, run.convention) == ("renamed", 27_000, 1_000_000, "with_head")
    assert run.facts == {"train_flops": 1.62e11, "seed": 3, "overtrained": False}
    with pytest.raises(ValueError, match="leave out --n-params"):
        open_run(run_dir, n_tokens=1e9)


def test_what_is_no_checkpoint(run_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(PrerequisiteError, match="holds no finished checkpoint"):
        open_run(tmp_path / "nothing")
    record = json.loads((run_dir / "run.json").read_text())
    (run_dir / "run.json").write_text(json.dumps({**record, "n_tokens": None}))
    with pytest.raises(DataError, match="`n_tokens` is None"):
        open_run(run_dir)
    (run_dir / "run.json").write_text("{")
    with pytest.raises(DataError, match="is not JSON"):
        open_run(run_dir)


def whole_copy(run_dir: Path, to: Path) -> Path:
    """The run with weights of its own, which may be harmed."""
    (to / "model").mkdir(parents=True)
    for file in (run_dir / "model").iterdir():
        (to / "model" / file.name).write_bytes(file.read_bytes())
    (to / "run.json").write_bytes((run_dir / "run.json").read_bytes())
    return to


def test_damaged_final_weights_are_refused(run_dir: Path, tmp_path: Path) -> None:
    run = whole_copy(run_dir, tmp_path / "copy")
    assert open_run(run).fingerprint == open_run(run_dir).fingerprint
    weights = run / "model" / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-5] ^= 4
    weights.write_bytes(content)
    with pytest.raises(DataError, match=r"weights in `.*model` are not those of run\.json"):
        open_run(run)


def test_other_weights_are_measured_anew(run_dir: Path, task: Task, tmp_path: Path) -> None:
    """Also where run.json holds no hash: the weights' own is part of what a table is known by."""
    run = whole_copy(run_dir, tmp_path / "copy")
    record = json.loads((run / "run.json").read_text())
    del record["sha256"]
    (run / "run.json").write_text(json.dumps(record))
    first = pl.read_parquet(evaluate(run, task, tmp_path / "evals", device="cpu"))
    weights = load_file(run / "model" / "model.safetensors")
    weights["lm_head.weight"] *= 0.5
    save_file(weights, run / "model" / "model.safetensors", metadata={"format": "pt"})
    second = pl.read_parquet(evaluate(run, task, tmp_path / "evals", device="cpu"))
    assert not np.allclose(first["nll"], second["nll"])


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("model.safetensors", b""),
        ("model.safetensors", b"\xff" * 200),
        ("config.json", b"{"),
        ("config.json", b"[]"),
        ("config.json", b'{"model_type": "nothing"}'),
        ("config.json", b'{"model_type": "qwen3", "hidden_size": "wide"}'),
        ("config.json", b'{"model_type": "qwen3", "hidden_size": 64, "vocab_size": 320}'),
        ("tokenizer.json", b"{"),
        ("tokenizer.json", b'{"model": 3}'),
    ],
)
def test_a_damaged_folder_is_one_paragraph(
    hf_folder: Path, task: Task, tmp_path: Path, file: str, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for part in hf_folder.iterdir():
        (folder / part.name).write_bytes(part.read_bytes())
    (folder / file).write_bytes(content)
    save(task, tmp_path / "toy.jsonl")
    command = ["evaluate", str(folder), "--tasks", str(tmp_path / "toy.jsonl"), "-o", str(tmp_path / "evals")]
    assert run([*command, "--n-tokens", "1B", "--device", "cpu"]) == 2
    told = capsys.readouterr().err
    assert str(folder) in told
    assert "Traceback" not in told
    assert len(told) < 1000


@pytest.mark.parametrize(("key", "value"), [("max_position_embeddings", -3), ("rms_norm_eps", "small")])
def test_a_config_whose_model_cannot_run_is_refused(hf_folder: Path, tmp_path: Path, key: str, value: object) -> None:
    for part in hf_folder.iterdir():
        (tmp_path / part.name).write_bytes(part.read_bytes())
    config = json.loads((hf_folder / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {key: value}))
    with pytest.raises(DataError, match=r"config or weights of .* Check that the folder is whole"):
        load(tmp_path, "cpu")


def test_weights_cut_short_are_refused(hf_folder: Path, tmp_path: Path) -> None:
    for part in hf_folder.iterdir():
        (tmp_path / part.name).write_bytes(part.read_bytes())
    weights = load_file(tmp_path / "model.safetensors")
    del weights["lm_head.weight"]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(DataError, match=r"lacks 1 of its model's weights, such as lm_head\.weight"):
        load(tmp_path, "cpu")
    (tmp_path / "model.safetensors").write_bytes((hf_folder / "model.safetensors").read_bytes()[:-9])
    with pytest.raises(DataError, match="weights of"):
        load(tmp_path, "cpu")


def test_weights_that_the_model_has_no_place_for_are_told_of(hf_folder: Path, tmp_path: Path) -> None:
    for part in hf_folder.iterdir():
        (tmp_path / part.name).write_bytes(part.read_bytes())
    weights = load_file(tmp_path / "model.safetensors")
    weights["other.head.weight"] = weights["lm_head.weight"].clone()
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.warns(UserWarning, match=r"1 of its weights, such as other\.head\.weight, are not used"):
        load(tmp_path, "cpu")


def test_nothing_is_unpickled(hf_folder: Path, tmp_path: Path) -> None:
    for part in hf_folder.iterdir():
        if part.suffix != ".safetensors":
            (tmp_path / part.name).write_bytes(part.read_bytes())
    torch.save(load_file(hf_folder / "model.safetensors"), tmp_path / "pytorch_model.bin")
    with pytest.raises(PrerequisiteError, match="no weights in safetensors"):
        open_run(tmp_path, n_tokens=1e9)
    with pytest.raises(DataError, match="weights of"):
        load(tmp_path, "cpu")


def test_code_in_a_folder_is_not_run(hf_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither silently nor after a question, which `yes |` would answer."""
    for part in hf_folder.iterdir():
        (tmp_path / part.name).write_bytes(part.read_bytes())
    trace = tmp_path / "ran"
    (tmp_path / "own.py").write_text(f"open({str(trace)!r}, 'w').close()")
    config = json.loads((tmp_path / "config.json").read_text())
    own = {"AutoConfig": "own.Config", "AutoModelForCausalLM": "own.Model"}
    (tmp_path / "config.json").write_text(json.dumps(config | {"model_type": "own", "auto_map": own}))
    monkeypatch.setattr("builtins.input", lambda *_: "y")
    for read in (lambda: load(tmp_path, "cpu"), lambda: count_params(tmp_path)):
        with pytest.raises(DataError, match="brings code of its own, which is never run here"):
            read()
    assert not trace.exists()


def test_a_fingerprint_follows_the_weights(hf_folder: Path, tmp_path: Path) -> None:
    for file in hf_folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    before = open_run(tmp_path, n_tokens=1)
    assert open_run(tmp_path, n_tokens=1).fingerprint == before.fingerprint
    with (tmp_path / "model.safetensors").open("ab") as file:
        file.write(b" ")
    assert open_run(tmp_path, n_tokens=1).fingerprint != before.fingerprint


@pytest.mark.parametrize("field", ["run_id", "base_run_id", "stage"])
@pytest.mark.parametrize("name", ["../../elsewhere", "/etc/passwd", "a\x1b[2J", ".hidden", 5, ["a"]])
def test_no_name_in_run_json_leads_out_of_the_folder(run_dir, field, name):
    record = json.loads((run_dir / "run.json").read_text())
    (run_dir / "run.json").write_text(json.dumps({**record, field: name}))
    with pytest.raises(DataError, match=f"`{field}`"):
        open_run(run_dir)


def test_no_name_that_is_typed_leads_out_of_the_folder(run_dir):
    with pytest.raises(ArgumentError, match="run_id"):
        open_run(run_dir, run_id="../elsewhere")


@pytest.mark.parametrize("content", ["[1, 2]", "5", "null", "[" * 900, '{"run_id": "a", "run_id": "b"}'])
def test_run_json_that_is_no_record(run_dir, content):
    (run_dir / "run.json").write_text(content)
    with pytest.raises(DataError, match=r"run.json"):
        open_run(run_dir)
