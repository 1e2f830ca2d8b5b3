"""Making a corpus: tokenizer, token files, manifest. Safe to interrupt, to repeat, and to start twice.

    settings.json    what is being made, written first; a folder holds one corpus
    tokenizer/       trained on the first documents
    tokens-*.bin     each the tokens of a fixed range of documents, renamed into place when complete
    corpus.json      sizes and checksums, written last

A second process waits at the lock and then finds the work done; after a crash the files that exist are kept. Documents
of the built-in source cost nothing to skip, so its files are made by several processes at once; other sources are
read once, in order.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from t2scaling import artefacts
from t2scaling.errors import ArgumentError, DataError, SuiteError
from t2scaling.foreign import read_json
from t2scaling.testbed.corpus.sources import BuiltinSource, Source
from t2scaling.testbed.corpus.sources import source as as_source
from t2scaling.testbed.corpus.store import MANIFEST, Corpus, open_corpus, shard_name, token_dtype
from t2scaling.testbed.corpus.tokenizer import END_OF_TEXT, load_fast, train_tokenizer
from t2scaling.testbed.lease import held

SETTINGS = "settings.json"
_BATCH = 512  # documents tokenised at once
_SHARD_TOKENS = (1 << 18, 1 << 26)  # smallest and largest aim for a token file
_SHARDS = 32  # files aimed at in between


def prepare(
    out_dir: str | Path,
    source: str | dict[str, Any] | Source = "builtin",
    vocab_size: int = 1024,
    n_tokens: int = 10_000_000,
    seed: int = 0,
    *,
    jobs: int | None = None,
) -> Corpus:
    """Make the corpus of these settings in `out_dir`, or open it if it is there.

    source       a specification (see `corpus.source`) or a source
    vocab_size   entries of the tokenizer
    n_tokens     tokens wanted; a source that ends before gives fewer, and `Corpus.n_tokens` says how many
    seed         seed of the built-in source
    jobs         processes (built-in source only); None is one per core that this process may use
    Raises SuiteError if the folder holds a corpus of other settings or the disk is too full, DataError for a source
    without text.
    """
    out_dir = Path(out_dir)
    text = as_source(source, seed)
    settings = {"source": text.to_dict(), "vocab_size": int(vocab_size), "n_tokens": int(n_tokens)}
    if n_tokens < 1:
        raise ArgumentError(f"`n_tokens` must be at least 1, got {n_tokens}.")
    out_dir.mkdir(parents=True, exist_ok=True)
    with held(out_dir / ".lease", wait=True):
        _claim(out_dir, settings)
        if not (out_dir / MANIFEST).is_file():
            for torn in out_dir.glob(".tokens-*.tmp"):  # of a process that was killed
                torn.unlink(missing_ok=True)
            _check_disk(out_dir, n_tokens, vocab_size)
            if not (out_dir / "tokenizer" / "tokenizer.json").is_file():
                train_tokenizer(text.documents(), vocab_size, out_dir / "tokenizer")
            _write_shards(out_dir, text, settings, jobs)
            _finish(out_dir, settings)
    return open_corpus(out_dir)


def _claim(out_dir: Path, settings: dict[str, Any]) -> None:
    """Write the settings into a new folder, or check that they are the folder's."""
    file = out_dir / SETTINGS
    if not file.is_file():
        artefacts.write_json(file, settings)
        return
    have = read_json(file, way_out="Delete the folder and prepare the corpus again.")
    differing = [key for key in settings if have.get(key) != settings[key]]
    if differing:
        key = differing[0]
        raise SuiteError(
            f"`{out_dir}` holds a corpus with {key} = {have.get(key)}, asked for was {settings[key]}: "
            "choose another folder, or delete this one."
        )


def _check_disk(out_dir: Path, n_tokens: int, vocab_size: int) -> None:
    stat = os.statvfs(out_dir)
    free, needed = stat.f_bavail * stat.f_frsize, n_tokens * token_dtype(vocab_size).itemsize
    if needed * 1.05 > free:
        raise SuiteError(
            f"`{out_dir}` has {free / 1e9:.1f} GB free, {n_tokens:,} tokens need {needed / 1e9:.1f} GB: "
            "ask for fewer tokens, or choose another disk."
        )


def _write_shards(out_dir: Path, source: Source, settings: dict[str, Any], jobs: int | None) -> None:
    """Write token files until they hold `n_tokens` or the source has ended."""
    size = _documents_per_shard(out_dir, source, settings)
    if isinstance(source, BuiltinSource):
        write_shard(out_dir, source, 0, size)
        n_shards = -(-settings["n_tokens"] // max(1, _shard_size(out_dir, 0, settings)))
        _in_parallel(out_dir, size, n_shards, jobs or len(os.sched_getaffinity(0)))
    number, total, position = 0, 0, -1
    documents: Iterator[str] = iter(())
    while total < settings["n_tokens"]:
        if not (out_dir / shard_name(number)).is_file():
            if position != number:
                documents = source.documents(number * size)
            tokenise(out_dir, islice(documents, size), number)
            position = number + 1
        tokens = _shard_size(out_dir, number, settings)
        if tokens == 0:
            return
        total += tokens
        number += 1


def _documents_per_shard(out_dir: Path, source: Source, settings: dict[str, Any]) -> int:
    """Documents of one token file, from the length of the first ones; the same whenever it is asked."""
    first = list(islice(source.documents(), 200))
    if not first:
        raise DataError("the corpus has no documents: check its path, field or name.")
    tokenizer = load_fast(out_dir / "tokenizer")
    mean = sum(len(e.ids) + 1 for e in tokenizer.encode_batch_fast(first, add_special_tokens=False)) / len(first)
    low, high = _SHARD_TOKENS
    return max(1, round(min(max(settings["n_tokens"] / _SHARDS, low), high) / mean))


def _shard_size(out_dir: Path, number: int, settings: dict[str, Any]) -> int:
    return (out_dir / shard_name(number)).stat().st_size // token_dtype(settings["vocab_size"]).itemsize


def _in_parallel(out_dir: Path, size: int, n_shards: int, jobs: int) -> None:
    """Make files 1 … n_shards − 1 of the built-in source in `jobs` processes of their own."""
    jobs = min(jobs, n_shards - 1)
    if jobs < 2:
        return
    base = [sys.executable, "-m", "t2scaling.testbed.corpus.worker", str(out_dir), str(size), str(n_shards), str(jobs)]
    environment = {**os.environ, "TOKENIZERS_PARALLELISM": "false"}
    workers = [subprocess.Popen([*base, str(which)], env=environment) for which in range(jobs)]
    try:
        failed = [worker.wait() for worker in workers]
    finally:
        for worker in workers:
            worker.terminate()
    if any(failed):
        raise DataError(f"making the token files in `{out_dir}` failed; what is done is kept, so start it again.")


def write_shard(out_dir: Path, source: Source, number: int, size: int) -> None:
    """Write token file `number`, documents number·size …, unless it exists."""
    if not (out_dir / shard_name(number)).is_file():
        tokenise(out_dir, islice(source.documents(number * size), size), number)


def tokenise(out_dir: Path, documents: Iterator[str], number: int) -> None:
    """Write the tokens of `documents`, each followed by the end-of-text token, as token file `number`."""
    tokenizer = load_fast(out_dir / "tokenizer")
    dtype, end = token_dtype(tokenizer.get_vocab_size()), tokenizer.get_vocab()[END_OF_TEXT]
    with artefacts.atomic_path(out_dir / shard_name(number)) as temporary, temporary.open("wb") as file:
        while batch := list(islice(documents, _BATCH)):
            ids: list[int] = []
            for encoding in tokenizer.encode_batch_fast(batch, add_special_tokens=False):
                ids += encoding.ids
                ids.append(end)
            np.array(ids, dtype=dtype).tofile(file)


def _finish(out_dir: Path, settings: dict[str, Any]) -> None:
    """Write the manifest over the token files, the last one counted only as far as it is wanted."""
    shards, left, number = [], settings["n_tokens"], 0
    while left > 0 and (out_dir / shard_name(number)).is_file():
        n_tokens = min(left, _shard_size(out_dir, number, settings))
        if n_tokens:
            shards.append({"n_tokens": n_tokens, "sha256": artefacts.sha256(out_dir / shard_name(number))})
        left -= n_tokens
        number += 1
    manifest = {
        **settings,
        "n_tokens": settings["n_tokens"] - left,
        "tokenizer_sha256": artefacts.sha256(out_dir / "tokenizer" / "tokenizer.json"),
        "shards": shards,
    }
    artefacts.write_json(out_dir / MANIFEST, manifest)
