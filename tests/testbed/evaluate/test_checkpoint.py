from __future__ import annotations

import json
from pathlib import Path

import pytest

from t2scaling.errors import ArgumentError, DataError, PrerequisiteError
from t2scaling.testbed.evaluate import open_run
from t2scaling.testbed.evaluate.checkpoint import count_params


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
