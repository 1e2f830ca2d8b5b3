"""The suite: what is to be trained, on what text, how, and measured on which tasks.

A `Suite` is plain data. Recipes (`recipes.py`) make one, `suite.json` is its written form, and every later step reads
nothing else. It is checked when it is made, so an impossible suite stops before anything is trained.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ConfigDict

from t2scaling import artefacts
from t2scaling.costs import CONVENTIONS, Convention
from t2scaling.errors import SuiteError
from t2scaling.foreign import parse_json, read_text, safe_name, validate
from t2scaling.testbed.suite.grid import Cell
from t2scaling.testbed.suite.training import TrainingConfig
from t2scaling.units import check_seed


@dataclass(frozen=True)
class Suite:
    """A named set of runs.

    name             for tables and folders
    cells            the runs, by rising budget
    training         optimiser, schedule and losses, the same for all runs
    corpus           the text: {"kind": "builtin"}, {"kind": "files", "path": …} or {"kind": "hub", "name": …}
    corpus_tokens    tokens of text to prepare; longer runs begin a second epoch
    heldout_tokens   tokens kept from training, on which the validation loss is taken
    seq_len          tokens per sequence
    vocab_size       size of the tokenizer, the same as every shape's
    tasks            names of the tasks that the runs are measured on
    seed             of initial weights and of the order of the text; what it says has a seed of its own, in `corpus`
    convention       the convention that n_params follows

    Raises SuiteError for a suite that cannot be carried out.
    """

    name: str
    cells: tuple[Cell, ...]
    training: TrainingConfig
    corpus: dict[str, Any] = field(default_factory=lambda: {"kind": "builtin"})
    corpus_tokens: int = 1_000_000
    heldout_tokens: int = 65_536
    seq_len: int = 128
    vocab_size: int = 512
    tasks: tuple[str, ...] = ()
    seed: int = 0
    convention: Convention = "with_head"

    # How pydantic reads suite.json: a key that is no field is refused.
    __pydantic_config__ = ConfigDict(extra="forbid", allow_inf_nan=False)

    def __post_init__(self) -> None:
        for name in (self.name, *self.tasks):
            safe_name(name, "a name of the suite")
        if not self.cells:
            raise SuiteError(f"suite `{self.name}` has no cells: a grid needs at least one size and one budget.")
        twice = [run_id for run_id, count in Counter(cell.run_id for cell in self.cells).items() if count > 1]
        if twice:
            raise SuiteError(f"suite `{self.name}`: run_id `{twice[0]}` stands for two cells; each needs its own.")
        if self.convention not in CONVENTIONS:
            raise SuiteError(f"`convention` = {self.convention!r} is unknown: use one of {', '.join(CONVENTIONS)}.")
        for seed in {self.seed, *map(self.run_seed, self.cells)}:
            check_seed(seed)
        for name in ("seq_len", "vocab_size", "corpus_tokens"):
            if getattr(self, name) < 1:
                raise SuiteError(f"`{name}` = {getattr(self, name)!r} must be at least 1.")
        for cell in self.cells:
            self._check(cell)
        if self.training.schedule == "wsd":
            self._check_trunks()

    def _check(self, cell: Cell) -> None:
        def fail(reason: str) -> SuiteError:
            return SuiteError(f"suite `{self.name}`, cell `{cell.run_id}`: {reason}")

        if cell.shape.vocab_size != self.vocab_size:
            raise fail(f"its shape has vocab_size = {cell.shape.vocab_size}, the suite has {self.vocab_size}.")
        expected = cell.shape.n_params(self.convention)
        if cell.n_params != expected:
            raise fail(f"n_params = {cell.n_params}, but its shape has {expected} ({self.convention}).")
        per_step = cell.batch_size * self.seq_len
        if cell.batch_size < 1 or cell.n_tokens < per_step or cell.n_tokens % per_step:
            raise fail(
                f"n_tokens = {cell.n_tokens} is no whole number of steps of {cell.batch_size} × {self.seq_len} tokens."
            )
        safe_name(cell.run_id, f"`run_id` of a cell of suite `{self.name}`")

    def _check_trunks(self) -> None:
        for shape in {cell.shape for cell in self.cells}:
            sizes = sorted({cell.batch_size for cell in self.cells if cell.shape == shape})
            if len(sizes) > 1:
                raise SuiteError(
                    f"suite `{self.name}`: cells of {shape.name} have batch sizes {sizes}, but under `schedule` = wsd "
                    "they share a trunk and need the same one (see `share_batches`)."
                )

    def cell(self, run_id: str) -> Cell:
        """The cell named `run_id`; raises SuiteError, suggesting the nearest name, where there is none."""
        names = [cell.run_id for cell in self.cells]
        if run_id in names:
            return self.cells[names.index(run_id)]
        near = get_close_matches(run_id, names, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"its runs are {', '.join(names[:3])}, …"
        raise SuiteError(f"`{run_id}` is no run of suite `{self.name}`: {hint}")

    def run_seed(self, cell: Cell) -> int:
        """Seed of a cell's initial weights and of its order of the text."""
        return self.seed + cell.seed

    @property
    def text_seed(self) -> int:
        """Seed of what the built-in text says, and of the questions about it."""
        return int(self.corpus.get("seed", 0))

    def steps(self, cell: Cell) -> int:
        """Optimiser steps of a cell."""
        return cell.n_tokens // (cell.batch_size * self.seq_len)

    @property
    def train_flops(self) -> float:
        """6·N·D over all cells: the cost with one run per cell."""
        return sum(cell.train_flops for cell in self.cells)

    def to_json(self) -> str:
        """The suite as JSON text; `Suite.from_json` makes it again."""
        return artefacts.dumps(_plain(self), indent=2) + "\n"

    def save(self, path: str | Path) -> Path:
        """Write suite.json in one step and return its path."""
        return artefacts.write_text(path, self.to_json())

    @classmethod
    def from_json(cls, text: str, source: str = "suite") -> Suite:
        """Read JSON text. Raises SuiteError naming `source` and the key that is unknown, missing or impossible."""
        where = f"`{source}`"
        return validate(cls, parse_json(text.encode(), where, SuiteError), where, SuiteError)

    @classmethod
    def load(cls, path: str | Path) -> Suite:
        """Read suite.json; raises SuiteError where it cannot be carried out as written."""
        return cls.from_json(read_text(path, error=SuiteError), str(path))


def _plain(suite: Suite) -> dict[str, Any]:
    content: dict[str, Any] = {item.name: getattr(suite, item.name) for item in fields(suite)}
    content["training"] = suite.training.to_dict()
    content["cells"] = [
        {item.name: getattr(cell, item.name) for item in fields(cell)} | {"shape": cell.shape.to_dict()}
        for cell in suite.cells
    ]
    return content
