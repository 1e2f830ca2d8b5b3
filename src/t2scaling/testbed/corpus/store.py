"""A prepared corpus on disk: token files, a tokenizer, and `corpus.json`, which is written last.

The token files are one stream, cut anywhere; each document is followed by the end-of-text token. Training reads blocks
of the stream in a random order that is a function of (seed, epoch), so that a resumed run sees the batches it would
have seen.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, PositiveInt, StrictStr

from t2scaling.errors import ArgumentError, DataError, PrerequisiteError
from t2scaling.foreign import read_json, validate
from t2scaling.testbed.corpus.shuffle import shuffled

MANIFEST = "corpus.json"


_ORDER = 4096  # blocks whose order is worked out at once


@lru_cache(maxsize=8)
def _order(part: int, n_blocks: int, seed: int, epoch: int) -> list[int]:
    """Blocks part·_ORDER … of the shuffled order of an epoch."""
    positions = np.arange(part * _ORDER, min((part + 1) * _ORDER, n_blocks), dtype=np.int64)
    return shuffled(positions, n_blocks, (seed, epoch)).tolist()


def token_dtype(vocab_size: int) -> np.dtype[Any]:
    """The little-endian type of the token files: two bytes as long as every token fits."""
    return np.dtype("<u2" if vocab_size <= 1 << 16 else "<u4")


def shard_name(number: int) -> str:
    """The file name of a shard."""
    return f"tokens-{number:05d}.bin"


@dataclass(frozen=True)
class Corpus:
    """A corpus ready for training.

    dir            its folder
    vocab_size     entries of its tokenizer
    n_tokens       tokens in its files; a run on more of them sees some again
    shard_tokens   tokens of each file
    manifest       corpus.json as read
    """

    dir: Path
    vocab_size: int
    n_tokens: int
    shard_tokens: tuple[int, ...]
    manifest: dict[str, Any]

    @property
    def tokenizer_dir(self) -> Path:
        """The folder of the tokenizer."""
        return self.dir / "tokenizer"

    @cached_property
    def _shards(self) -> list[NDArray[Any]]:
        dtype = token_dtype(self.vocab_size)
        # As plain arrays: slicing an np.memmap object costs several times as much.
        files = [self.dir / shard_name(number) for number in range(len(self.shard_tokens))]
        return [np.asarray(np.memmap(file, dtype, "r")) for file in files]

    @cached_property
    def _ends(self) -> NDArray[np.int64]:
        return np.cumsum(np.array(self.shard_tokens, dtype=np.int64))

    def tokens(self, start: int, n: int) -> NDArray[np.int64]:
        """Tokens `start` … `start` + `n` − 1 of the stream, int64 (n,)."""
        if start < 0 or start + n > self.n_tokens:
            raise ArgumentError(f"tokens {start} to {start + n} are not all in the corpus of {self.n_tokens:,}.")
        out = np.empty(n, dtype=np.int64)
        done = 0
        shard = int(np.searchsorted(self._ends, start, side="right"))
        while done < n:
            offset = start + done - (int(self._ends[shard]) - self.shard_tokens[shard])
            part = self._shards[shard][offset : offset + n - done]
            out[done : done + len(part)] = part
            done += len(part)
            shard += 1
        return out

    def n_blocks(self, seq_len: int) -> int:
        """Blocks of `seq_len` tokens in an epoch; each needs one token more as its last target."""
        blocks = (self.n_tokens - 1) // seq_len
        if blocks < 1:
            raise ArgumentError(
                f"`seq_len` = {seq_len} needs at least {seq_len + 1} tokens, the corpus has {self.n_tokens:,}."
            )
        return blocks

    def batch(self, step: int, batch_size: int, seq_len: int, seed: int) -> NDArray[np.int64]:
        """The batch of a training step: inputs are [:, :-1], targets [:, 1:].

        step         0, 1, 2, …; step s reads blocks s·batch_size … of the shuffled order, epoch after epoch
        seed         seed of the order
        Returns int64 (batch_size, seq_len + 1), a function of the arguments alone.
        """
        n_blocks = self.n_blocks(seq_len)
        sequence = np.arange(step * batch_size, (step + 1) * batch_size, dtype=np.int64)
        epoch, position = np.divmod(sequence, n_blocks)
        out = np.empty((batch_size, seq_len + 1), dtype=np.int64)
        for row, (e, p) in enumerate(zip(epoch.tolist(), position.tolist(), strict=True)):
            block = _order(p // _ORDER, n_blocks, seed, e)[p % _ORDER]
            out[row] = self.tokens(block * seq_len, seq_len + 1)
        return out

    def unique_tokens(self, n_tokens: int, seq_len: int) -> int:
        """How many different tokens of the corpus a run over `n_tokens` sees."""
        return min(n_tokens, self.n_blocks(seq_len) * seq_len)


class ManifestShard(BaseModel):
    """One token file."""

    n_tokens: PositiveInt
    sha256: StrictStr


class Manifest(BaseModel):
    """What a finished corpus says of itself; it keeps more than is read here."""

    shards: list[ManifestShard]
    vocab_size: Annotated[int, Field(gt=0, le=2**31)]
    n_tokens: PositiveInt


def open_corpus(dir: str | Path) -> Corpus:
    """Open a prepared corpus.

    Raises PrerequisiteError if there is none or it is not finished, DataError if a token file is missing or cut short.
    """
    dir = Path(dir)
    if not (dir / MANIFEST).is_file():
        raise PrerequisiteError(f"no finished corpus at `{dir}` (no {MANIFEST}): prepare it first.")
    way_out = "Delete it and prepare the corpus again."
    manifest = read_json(dir / MANIFEST, way_out=way_out)
    read = validate(Manifest, manifest, f"`{dir / MANIFEST}`", way_out=way_out)
    shard_tokens = tuple(shard.n_tokens for shard in read.shards)
    width = token_dtype(read.vocab_size).itemsize
    for number, n_tokens in enumerate(shard_tokens):
        file = dir / shard_name(number)
        if not file.is_file() or file.stat().st_size < n_tokens * width:
            raise DataError(
                f"`{file}` is missing or cut short: delete `{dir / MANIFEST}` and prepare the corpus again."
            )
    return Corpus(dir, read.vocab_size, read.n_tokens, shard_tokens, manifest)
