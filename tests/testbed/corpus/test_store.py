"""Prepared corpora: right tokens, exact batches, and safety against interruption and a second process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from itertools import islice

import numpy as np
import pytest

from t2scaling import artefacts
from t2scaling.errors import DataError, PrerequisiteError, SuiteError
from t2scaling.testbed import corpus
from t2scaling.testbed.corpus import shards
from t2scaling.testbed.corpus.tokenizer import END_OF_TEXT, load_fast

VOCABULARY, TOKENS = 512, 60_000


@pytest.fixture(scope="module")
def small_shards():
    patch = pytest.MonkeyPatch()
    patch.setattr(shards, "_SHARD_TOKENS", (10_000, 20_000))
    yield
    patch.undo()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory, small_shards):
    return corpus.prepare(tmp_path_factory.mktemp("corpus"), "builtin", VOCABULARY, TOKENS, seed=3, jobs=1)


def stream(source, tokenizer, n: int) -> list[int]:
    ids: list[int] = []
    for document in source.documents():
        ids += [*tokenizer.encode(document).ids, tokenizer.token_to_id(END_OF_TEXT)]
        if len(ids) >= n:
            return ids[:n]
    return ids


def test_tokens_are_those_of_the_documents(prepared):
    expected = stream(corpus.source("builtin", 3), load_fast(prepared.tokenizer_dir), TOKENS)
    assert prepared.n_tokens == TOKENS == sum(prepared.shard_tokens)
    assert len(prepared.shard_tokens) > 3
    assert prepared.tokens(0, TOKENS).tolist() == expected


def test_manifest_says_what_was_made(prepared):
    manifest = json.loads((prepared.dir / "corpus.json").read_text())
    assert manifest["source"] == {"kind": "builtin", "seed": 3, "version": 2}
    assert manifest["vocab_size"] == VOCABULARY == prepared.vocab_size
    for number, shard in enumerate(manifest["shards"]):
        assert artefacts.sha256(prepared.dir / f"tokens-{number:05d}.bin") == shard["sha256"]


def test_an_epoch_covers_every_block_once(prepared):
    seq_len, batch_size = 100, 7
    n_blocks = prepared.n_blocks(seq_len)
    everything = prepared.tokens(0, n_blocks * seq_len + 1)
    n_steps = n_blocks // batch_size
    rows = np.concatenate([prepared.batch(step, batch_size, seq_len, seed=1) for step in range(n_steps)])
    blocks = np.stack([everything[i * seq_len : (i + 1) * seq_len + 1] for i in range(n_blocks)])
    found = {tuple(row) for row in rows}
    assert len(rows) == n_steps * batch_size
    assert len(found) == len(rows)
    assert found <= {tuple(block) for block in blocks}


def test_batch_is_a_function_of_its_arguments(prepared):
    again = corpus.open_corpus(prepared.dir)
    step = 3 * prepared.n_blocks(64) // 8  # in the fourth epoch, or across two
    assert np.array_equal(prepared.batch(step, 8, 64, 0), again.batch(step, 8, 64, 0))
    assert not np.array_equal(prepared.batch(0, 8, 64, 0), prepared.batch(0, 8, 64, 1))
    assert not np.array_equal(prepared.batch(0, 8, 64, 0), prepared.batch(1, 8, 64, 0))
    assert prepared.batch(0, 8, 64, 0).dtype == np.int64
    assert prepared.batch(0, 8, 64, 0).shape == (8, 65)


def test_epochs_differ_and_unique_tokens_are_counted(prepared):
    n_blocks = prepared.n_blocks(60)
    assert not np.array_equal(prepared.batch(0, n_blocks, 60, 0), prepared.batch(1, n_blocks, 60, 0))
    assert prepared.unique_tokens(1000, 60) == 1000
    assert prepared.unique_tokens(10**9, 60) == n_blocks * 60


def test_parallel_processes_write_the_same_files(prepared, tmp_path, small_shards):
    again = corpus.prepare(tmp_path, "builtin", VOCABULARY, TOKENS, seed=3, jobs=2)
    assert again.manifest == prepared.manifest


def test_a_second_call_changes_nothing(prepared):
    before = {file: file.stat().st_mtime_ns for file in prepared.dir.rglob("*.*") if file.name != ".lock"}
    again = corpus.prepare(prepared.dir, "builtin", VOCABULARY, TOKENS, seed=3)
    assert again.manifest == prepared.manifest
    assert {file: file.stat().st_mtime_ns for file in before} == before


def test_resumes_after_an_interruption(prepared, tmp_path, small_shards, monkeypatch):
    real, written = shards.tokenise, []

    def breaks_off(out_dir, documents, number):
        if number == 2:
            raise KeyboardInterrupt
        written.append(number)
        real(out_dir, documents, number)

    monkeypatch.setattr(shards, "tokenise", breaks_off)
    with pytest.raises(KeyboardInterrupt):
        corpus.prepare(tmp_path, "builtin", VOCABULARY, TOKENS, seed=3, jobs=1)
    with pytest.raises(PrerequisiteError, match="no finished corpus"):
        corpus.open_corpus(tmp_path)
    monkeypatch.setattr(shards, "tokenise", lambda *args: (written.append(args[2]), real(*args)))
    assert corpus.prepare(tmp_path, "builtin", VOCABULARY, TOKENS, seed=3, jobs=1).manifest == prepared.manifest
    assert written == list(range(len(prepared.shard_tokens)))


def test_a_killed_process_leaves_nothing_half_done(prepared, tmp_path, small_shards):
    code = (
        "import sys; from t2scaling.testbed.corpus import shards; shards._SHARD_TOKENS = (10_000, 20_000); "
        f"shards.prepare(sys.argv[1], 'builtin', {VOCABULARY}, {TOKENS}, seed=3, jobs=1)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)])
    while not (tmp_path / "tokens-00001.bin").is_file() and process.poll() is None:
        time.sleep(0.002)
    process.kill()
    process.wait()
    (tmp_path / ".tokens-00003.bin.x.tmp").write_bytes(b"torn")
    again = corpus.prepare(tmp_path, "builtin", VOCABULARY, TOKENS, seed=3, jobs=1)
    assert again.manifest == prepared.manifest
    assert not list(tmp_path.glob(".*.tmp"))


def test_two_processes_at_once_make_one_corpus(tmp_path):
    code = (
        "import sys; from t2scaling.testbed import corpus; "
        "print(corpus.prepare(sys.argv[1], 'builtin', 512, 20_000, jobs=1).manifest['shards'][0]['sha256'])"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    outputs = [process.communicate(timeout=600)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert outputs[0] == outputs[1] != ""
    assert not list(tmp_path.glob(".*.tmp"))


def test_other_settings_are_refused(prepared):
    with pytest.raises(SuiteError, match="holds a corpus with vocab_size = 512, asked for was 600"):
        corpus.prepare(prepared.dir, "builtin", 600, TOKENS, seed=3)
    with pytest.raises(SuiteError, match="holds a corpus with source"):
        corpus.prepare(prepared.dir, "builtin", VOCABULARY, TOKENS, seed=4)


def test_finite_source_gives_what_it_has(tmp_path):
    lines = [json.dumps({"text": document}) for document in islice(corpus.source().documents(), 300)]
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    made = corpus.prepare(tmp_path / "out", str(tmp_path / "in.jsonl"), 300, 10**7)
    everything = stream(corpus.source(str(tmp_path / "in.jsonl")), load_fast(made.tokenizer_dir), 10**7)
    assert made.tokens(0, made.n_tokens).tolist() == everything


def test_empty_source_and_full_disk_are_refused(tmp_path, monkeypatch):
    (tmp_path / "in.txt").write_text("")
    with pytest.raises(ValueError, match="more than the text gives"):
        corpus.prepare(tmp_path / "out", str(tmp_path / "in.txt"), 300, 1000)
    full = os.statvfs_result((4096, 4096, 100, 0, 1, 0, 0, 0, 0, 255))
    monkeypatch.setattr(shards.os, "statvfs", lambda path: full)
    with pytest.raises(SuiteError, match=r"0\.0 GB free, 10,000,000 tokens need 0\.0 GB"):
        corpus.prepare(tmp_path / "new", "builtin", 512, 10**7)


def test_damaged_corpus_is_noticed(tmp_path):
    made = corpus.prepare(tmp_path, "builtin", 300, 5000, jobs=1)
    file = tmp_path / "tokens-00000.bin"
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(DataError, match="missing or cut short"):
        corpus.open_corpus(tmp_path)
    with pytest.raises(ValueError, match="not all in the corpus of 5,000"):
        made.tokens(4999, 2)
    with pytest.raises(ValueError, match="`seq_len` = 9000 needs at least 9001 tokens"):
        made.batch(0, 1, 9000, 0)


def test_wide_tokens_take_four_bytes():
    from t2scaling.testbed.corpus.store import token_dtype

    assert token_dtype(65_536) == np.dtype("<u2")
    assert token_dtype(65_537) == np.dtype("<u4")
