"""`read`: whatever holds measurements → `Observations`; `collect`: what `t2 evaluate` wrote → one file.

A path is a table (CSV, Parquet, JSONL), a log (`samples_*.jsonl` of lm-evaluation-harness, `.eval` of Inspect AI) or
a folder of them. Every file becomes a part, the parts become one table, the manifest adds what logs do not know
about their runs, and the checks decide.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from t2scaling.errors import ArgumentError, DataError
from t2scaling.foreign import check_parquet
from t2scaling.observations.aliases import Naming, name_columns
from t2scaling.observations.lm_eval.logs import Options
from t2scaling.observations.manifest import Manifest, attach, load_manifest, renaming
from t2scaling.observations.parts import Part, part_from_log, part_from_sheet
from t2scaling.observations.readers import READERS, TABLE, kind_of, sort_files
from t2scaling.observations.report import ReportBuilder, Source
from t2scaling.observations.results import Results, find_columns, read_results
from t2scaling.observations.suites import SUITES, load_observations
from t2scaling.observations.table import Observations
from t2scaling.observations.tabular import SUFFIXES, Sheet, open_sheet, sheet_of


def read(
    data: Any,
    runs: str | Path | Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    *,
    format: str = "auto",
    score: str | None = None,
    filter: str | None = None,
    columns: Mapping[str, str] | None = None,
    names: str | Mapping[str, str] | None = None,
    nll_unit: str | None = None,
    n_params_convention: str | None = None,
    task: str | None = None,
) -> Observations:
    """Read measurements, check them, and say what they mean.

    data      a path or a list of paths: CSV, Parquet or JSONL with the canonical columns, a folder of logs of
              lm-evaluation-harness, .eval logs of Inspect AI, or a folder of any of these; or a polars, pandas or
              Arrow table, or a dict of columns; or the name of a suite that ships with the package
    runs      a manifest (YAML or CSV file, or the same structure) that gives N, D and other facts about runs
    format    what the paths hold, where their names do not tell: a reader's name, or "table"
    score     how sampled responses of lm-eval logs are graded: exact, numeric or module:function
    filter    lm-eval filter, or Inspect scorer, to take where there are several
    columns   canonical column → the name it has in the table; usual names (`aliases.ALIASES`) are found without
    names     run → what it is to be called, or just the name where there is one run
    task      name of the task, for tables that have no column for it
    nll_unit  "sum" or "mean_per_token", where the file does not say it
    n_params_convention  how n_params is counted, such as "with_head", "non_embedding" or "total"
    Raises DataError, in one paragraph, for anything that cannot be used.
    """
    if isinstance(data, str) and data in SUITES and not Path(data).exists():
        shipped = load_observations(data)
        if nll_unit not in (None, shipped.conventions["nll"]):
            raise ArgumentError(
                f"`nll_unit` = {nll_unit} has no place here: the suite `{data}` says that its nll is "
                f"{shipped.conventions['nll']}. Leave it out."
            )
        return shipped
    report = ReportBuilder()
    manifest = renaming(load_manifest(runs) if runs is not None else Manifest(()), names)
    naming = partial(name_columns, given=columns, task=task)
    if isinstance(data, str | Path) or (isinstance(data, list | tuple) and data and isinstance(data[0], str | Path)):
        paths = [data] if isinstance(data, str | Path) else data
        found = sort_files([Path(path) for path in paths], format)
        parts = [
            part_from_log(reader.read(files, Options(score, filter), report), f"the {reader.name} logs")
            for reader in READERS
            if (files := found[reader.name])
        ]
        sheets = _open_sheets(found[TABLE])
    else:
        parts, sheets = [], [sheet_of(data)]
    for sheet in sheets:
        if find_columns(sheet.columns, columns) is not None:
            raise DataError(
                f"{sheet.where} holds means over questions and no outcomes per question: `t2 fit` and `t2 validate` "
                "take it as it is. Give the outcomes per question for anything else."
            )
    parts += [_read_sheet(sheet, naming, report) for sheet in sheets]
    given = {"nll": nll_unit, "n_params": n_params_convention}
    where = parts[0].where if len(parts) == 1 else "the files together"
    if all(part.from_log for part in parts):
        _require_facts(parts, manifest, where)
    overrides = {name: value for name, value in given.items() if value}
    return Observations.from_parts(parts, report, manifest, overrides, where)


def as_observations(data: Any, **options: Any) -> Observations:
    """`data` as Observations, whatever it is: Observations already, or anything that `read` takes.

    options  of `read`, for data that has to be read
    Raises DataError where it cannot be used.
    """
    return data if isinstance(data, Observations) else read(data, **options)


def as_fittable(
    data: Any, *, columns: Mapping[str, str] | None = None, task: str | None = None, **options: Any
) -> Observations | Results:
    """`data` as something that a law can be fitted to: Observations, or the `Results` that a table of means holds.

    columns  canonical column → the name it has in the table
    task     name of the task, for a table that has no column for it
    options  of `read`, for outcomes per question
    Raises DataError where it cannot be used.
    """
    if isinstance(data, Observations | Results):
        return data
    sheet = None
    if isinstance(data, str | Path):
        path = Path(data)
        if path.is_file() and kind_of(path) == TABLE:
            (sheet,) = _open_sheets([path])
    elif not (isinstance(data, list) and data and isinstance(data[0], str | Path)):
        sheet = sheet_of(data)
    found = find_columns(sheet.columns, columns) if sheet is not None else None
    if sheet is not None and found is not None:
        return read_results(sheet, found, task)
    return read(data if sheet is None else sheet, columns=columns, task=task, **options)


def _require_facts(parts: Sequence[Part], manifest: Manifest, where: str) -> None:
    """Logs of which none says N, or none says D, are no table with a column misnamed: say where to put it."""
    runs = pl.concat([part.runs for part in parts], how="diagonal")
    known, _ = attach(runs, manifest, ReportBuilder())
    missing = [name for name in ("n_params", "n_tokens") if name not in known.columns]
    if missing:
        names = runs["run_id"].unique().sort().to_list()
        more = f" and {len(names) - 3:,} more" if len(names) > 3 else ""
        named, facts = ", ".join(f"`{run}`" for run in names[:3]), " and ".join(f"`{name}`" for name in missing)
        raise DataError(
            f"{where} do not say {facts} of {named}{more}. Give them with a --runs manifest, whose rules are like "
            f"{{match: {names[0]}, n_params: 1B, n_tokens: 20B}}, or state them as metadata of the evaluation.",
            names,
        )


def _open_sheets(paths: Sequence[Path]) -> list[Sheet]:
    for path in paths:
        if SUFFIXES.get(path.suffix.lower()) == "parquet" and path.stat().st_size:
            check_parquet(path)
    return [open_sheet(path) for path in paths]


def _read_sheet(sheet: Sheet, naming: Callable[..., Naming], report: ReportBuilder) -> Part:
    part = part_from_sheet(sheet, naming(sheet.columns, where=sheet.where), report)
    path = "a dataframe" if sheet.format == "frame" else sheet.where.strip("`")
    rows = len(part.outcomes)
    report.sources.append(Source(path, sheet.format, rows, rows, "canonical columns"))
    return part


def collect(evals_dir: str | Path, out: str | Path) -> Observations:
    """Gather `evals_dir`/<run>/<task>.parquet, as `t2 evaluate` writes them, into one canonical Parquet at `out`.

    Likelihoods and sampled counts of the same question come to stand in one row. Raises DataError where there is no
    such table, and where the tables contradict one another.
    """
    folder = Path(evals_dir)
    tables = sorted(path for path in folder.glob("*/*.parquet") if not path.name.startswith("."))
    if not tables:
        raise DataError(f"`{folder}` holds no <run>/<task>.parquet: evaluate some runs into it first (t2 evaluate).")
    observations = read(tables)
    observations.write(out)
    return observations
