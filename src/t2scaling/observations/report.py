"""What an import read, what it left out, and why: gathered by the readers, shown by `t2 import`."""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Dropped:
    """Rows or files that were left out.

    what    the file, task or run
    rows    how many rows
    reason  one sentence
    """

    what: str
    rows: int
    reason: str


@dataclass(frozen=True)
class Source:
    """One file that was read.

    path    the file
    format  csv, parquet, jsonl, lm-eval, inspect or frame
    rows    rows in it
    kept    canonical rows that came of it
    how     how an outcome was read off a row, such as "−log p of the gold choice"
    """

    path: str
    format: str
    rows: int
    kept: int
    how: str


@dataclass(frozen=True)
class ImportReport:
    """Everything that a person should know before trusting an imported table.

    sources   files read
    dropped   what was left out, with the reason
    notes     sentences about the rest: conventions assumed, manifest rules without a run, repeats that are greedy
    """

    sources: tuple[Source, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain dicts and lists, for `--json`."""
        return asdict(self)


@dataclass
class ReportBuilder:
    """The report while readers still write to it."""

    sources: list[Source] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def drop(self, what: str, rows: int, reason: str) -> None:
        """Record that `rows` rows of `what` were left out; nothing where rows is 0."""
        if rows:
            self.dropped.append(Dropped(what, rows, reason))

    def build(self) -> ImportReport:
        """The finished report."""
        return ImportReport(tuple(self.sources), tuple(self.dropped), tuple(dict.fromkeys(self.notes)))
