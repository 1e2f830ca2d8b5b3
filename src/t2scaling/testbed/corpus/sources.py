"""Where documents come from: the built-in world, local files, or a dataset of the Hugging Face hub.

A source is a frozen dataclass with `documents(start)`, an iterator from document `start` on, and `to_dict()`, which
`source(...)` reads back. The built-in source is endless and each of its documents is a function of (seed, index).
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import count, islice
from pathlib import Path
from typing import Any, ClassVar, Protocol

from t2scaling.errors import DataError, PrerequisiteError, SuiteError
from t2scaling.foreign import guard_polars, read_jsonl_rows, read_text, scan_parquet

REFINEDWEB = {"kind": "hub", "name": "tiiuae/falcon-refinedweb", "field": "content"}
_PARQUET_ROWS = 10_000  # rows of a .parquet file in memory at once
_SUFFIXES = (".txt", ".md", ".jsonl", ".parquet")


class Source(Protocol):
    """Documents in a fixed order."""

    kind: ClassVar[str]

    def documents(self, start: int = 0) -> Iterator[str]:
        """Documents `start`, `start` + 1, …"""

    def to_dict(self) -> dict[str, Any]:
        """The specification that `source` reads back."""


@dataclass(frozen=True)
class BuiltinSource:
    """The procedural corpus of `t2scaling.testbed.corpus.world`: endless, and the same for a seed on every machine.

    version   raised whenever the documents of a seed change; release 0.1.0 made version 1
    """

    seed: int = 0
    version: int = 2

    kind: ClassVar[str] = "builtin"

    def __post_init__(self) -> None:
        if self.version != type(self).version:
            raise SuiteError(
                f"`version` = {self.version} of the built-in text: this release makes version {type(self).version} "
                "alone (0.1.0 made version 1). Leave the key out, or train with the release that made it."
            )

    def document(self, index: int) -> str:
        """Document `index`."""
        from t2scaling.testbed.corpus.world import document

        return document(self.seed, index)

    def documents(self, start: int = 0) -> Iterator[str]:
        """Documents from `start` on, without end."""
        return map(self.document, count(start))

    def to_dict(self) -> dict[str, Any]:
        """The specification that `source` reads back."""
        return {"kind": self.kind, **asdict(self)}


@dataclass(frozen=True)
class FilesSource:
    """Local text: a file or a folder of .txt, .md (one document each), .jsonl and .parquet (one per row).

    path    file or folder, searched recursively in the order of names
    field   the key or column that holds the text of a .jsonl or .parquet row
    """

    path: str
    field: str = "text"

    kind: ClassVar[str] = "files"

    def files(self) -> list[Path]:
        """The files read, in order. Raises PrerequisiteError if there are none."""
        root = Path(self.path)
        found = [root] if root.is_file() else sorted(p for p in root.rglob("*") if p.suffix in _SUFFIXES)
        if not found:
            raise PrerequisiteError(
                f"no text at `{self.path}`: give a file, or a folder with {', '.join(_SUFFIXES)} files in it."
            )
        return found

    def documents(self, start: int = 0) -> Iterator[str]:
        """Documents from `start` on. Raises DataError for a row without the field, PrerequisiteError for no files."""
        every = (text for file in self.files() for text in self._read(file))
        return islice(every, start, None)

    def _read(self, file: Path) -> Iterator[str]:
        if file.suffix == ".jsonl":
            return self._read_jsonl(file)
        if file.suffix == ".parquet":
            return self._read_parquet(file)
        return iter([read_text(file)])

    def _read_jsonl(self, file: Path) -> Iterator[str]:
        for number, row in read_jsonl_rows(file):
            yield self._text(row, f"{file}, line {number}")

    def _read_parquet(self, file: Path) -> Iterator[str]:
        import polars as pl

        lazy = scan_parquet(file)
        if self.field not in lazy.collect_schema():
            raise DataError(f"`{file}` has no column `{self.field}`: name the text's column with `field`.")
        with guard_polars(f"`{file}` cannot be read as Parquet"):
            n_rows, step = lazy.select(pl.len()).collect().item(), _PARQUET_ROWS
            for offset in range(0, n_rows, step):
                yield from lazy.select(self.field).slice(offset, step).collect()[self.field].drop_nulls()

    def _text(self, row: Any, where: str) -> str:
        text = row.get(self.field) if isinstance(row, dict) else None
        if not isinstance(text, str):
            raise DataError(f"no text under `{self.field}` in {where}: name the text's key with `field`.")
        return text

    def to_dict(self) -> dict[str, Any]:
        """The specification that `source` reads back."""
        return {"kind": self.kind, **asdict(self)}


@dataclass(frozen=True)
class HubSource:
    """A dataset of the Hugging Face hub, read in streaming mode.

    name       such as `tiiuae/falcon-refinedweb`
    field      the column that holds the text (`content` there)
    config     the dataset's configuration, where it has several
    split      which split
    revision   branch, tag or commit; None is the newest
    """

    name: str
    field: str = "text"
    config: str | None = None
    split: str = "train"
    revision: str | None = None

    kind: ClassVar[str] = "hub"

    def documents(self, start: int = 0) -> Iterator[str]:
        """Documents from `start` on.

        Raises PrerequisiteError where `datasets` is not installed or the hub does not answer, DataError for a row
        without the field.
        """
        for row in open_hub(self.name, self.config, self.split, self.revision, streaming=True).skip(start):
            if not isinstance(row.get(self.field), str):
                have = ", ".join(row)
                raise DataError(f"`{self.name}` has no text under `{self.field}`: set `field` to one of {have}.")
            yield row[self.field]

    def to_dict(self) -> dict[str, Any]:
        """The specification that `source` reads back."""
        return {"kind": self.kind, **asdict(self)}


def open_hub(name: str, config: str | None, split: str, revision: str | None, streaming: bool) -> Any:
    """`datasets.load_dataset`, with a PrerequisiteError that names the way out where it cannot be had."""
    try:
        import datasets
    except ImportError as error:
        raise PrerequisiteError(
            "reading hub datasets needs the `datasets` package: pip install 't2scaling[train]', or use a local copy."
        ) from error
    try:
        return datasets.load_dataset(name, config, split=split, revision=revision, streaming=streaming)
    except (OSError, ValueError, RuntimeError) as error:
        reason = str(error).strip().split("\n")[0]
        raise PrerequisiteError(
            f"the dataset `{name}` (split `{split}`) could not be had from the hub: {reason}. Check its name and the "
            "network, or give the path of a local copy (JSONL or Parquet)."
        ) from error


_KINDS: dict[str, Any] = {"builtin": BuiltinSource, "files": FilesSource, "hub": HubSource}


def source(spec: str | dict[str, Any] | Source = "builtin", seed: int = 0) -> Source:
    """The source of a specification.

    spec   "builtin"; a path; "hub:NAME"; or a dict with `kind` (builtin, files or hub) and that kind's fields, such as
           {"kind": "hub", "name": "tiiuae/falcon-refinedweb", "field": "content"}; a source is returned as it is
    seed   seed of the built-in corpus, where the specification has none
    Raises SuiteError for an unknown kind or field.
    """
    if not isinstance(spec, str | dict):
        return spec
    if isinstance(spec, str):
        spec = _from_text(spec)
    fields = {key: value for key, value in spec.items() if key != "kind"}
    kind = spec.get("kind")
    if kind not in _KINDS:
        raise SuiteError(f"`kind` = {kind!r} is no kind of corpus: use one of {', '.join(_KINDS)}.")
    known = set(_KINDS[kind].__dataclass_fields__)
    if unknown := sorted(set(fields) - known):
        raise SuiteError(f"`{unknown[0]}` is no field of a {kind} corpus: it has {', '.join(sorted(known))}.")
    if kind == "builtin":
        fields.setdefault("seed", seed)
    missing = {"files": "path", "hub": "name"}.get(kind)
    if missing and not fields.get(missing):
        raise SuiteError(f"a {kind} corpus needs `{missing}`.")
    return _KINDS[kind](**fields)


def _from_text(spec: str) -> dict[str, Any]:
    if spec == "builtin":
        return {"kind": "builtin"}
    if spec.startswith("hub:"):
        return {"kind": "hub", "name": spec[len("hub:") :]}
    return {"kind": "files", "path": spec}
