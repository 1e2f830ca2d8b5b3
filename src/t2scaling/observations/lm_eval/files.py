"""Which logs a folder holds, and what the results file of each says about its run and its task."""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field, StrictStr

from t2scaling.errors import DataError
from t2scaling.foreign import read_json, validate
from t2scaling.observations.facts import facts_from_metadata
from t2scaling.observations.report import ReportBuilder
from t2scaling.run_record import RunRecord, read_run_record

_TIME = r"\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}(?:\.\d+)?"
_SAMPLES = re.compile(rf"samples_(?P<task>.+?)(?:_(?P<time>{_TIME}))?\.jsonl")
_STEP = re.compile(r"step[-_]?(\d+)", re.IGNORECASE)
# What the harness makes of a model's name, to have a folder's name.
_UNSAFE = re.compile(r'["<>:/|\\?*\[\]]+')
# Last parts of a checkpoint's path that do not name it.
_VAGUE = re.compile(r"model|hf|hf_model|final|last|best|main|(checkpoint|step|ckpt|iter)[-_]?\d*", re.IGNORECASE)
MAIN_REVISIONS = (None, "", "main", "None")
_CUT = "The log was cut off, or edited. Write or copy it again."


class TaskConfig(BaseModel):
    """What a results file says of one task; what other versions of the harness write there is nobody's business."""

    output_type: StrictStr | None = None
    metadata: Any = None
    generation_kwargs: Any = None
    filter_list: Any = None

    @property
    def filters(self) -> list[str]:
        """Names of the task's filters."""
        listed = self.filter_list if isinstance(self.filter_list, list) else []
        names = [entry.get("name") for entry in listed if isinstance(entry, dict)]
        return [name for name in names if isinstance(name, str)]

    @property
    def greedy(self) -> bool:
        """Whether the task was decoded without sampling."""
        drawn = self.generation_kwargs if isinstance(self.generation_kwargs, dict) else {}
        return drawn.get("do_sample") is False or drawn.get("temperature") in (0, 0.0)


class Settings(BaseModel):
    """What a results file says of the model; `model_args` is a dict, or text such as `pretrained=…,revision=…`."""

    model_args: Any = None
    model_revision: Any = None
    model_num_parameters: Annotated[float, Field(allow_inf_nan=False)] | None = None

    @property
    def arguments(self) -> dict[str, Any]:
        """The model's arguments by name."""
        if isinstance(self.model_args, str):
            return dict(pair.split("=", 1) for pair in self.model_args.split(",") if "=" in pair)
        return self.model_args if isinstance(self.model_args, dict) else {}

    @property
    def source(self) -> str | None:
        """The name or the path that the model was loaded from."""
        source = self.arguments.get("pretrained")
        return source if isinstance(source, str) and source else None

    @property
    def revision(self) -> str | None:
        """The model's revision where it is not the main one, from where the harness keeps it."""
        for revision in (self.arguments.get("revision"), self.model_revision):
            if revision not in MAIN_REVISIONS:
                return str(revision)
        return None


class Results(BaseModel):
    """The parts of a results file that are read."""

    configs: dict[str, TaskConfig] = {}
    config: Settings = Settings()


@dataclass(frozen=True)
class Log:
    """One samples file and its context.

    run_id       name of the run, unique among those read: that of its run.json, or the readable part of the model's
                 name, with @revision where it is not main, and with folders where the name alone stands for several
    name         what a table calls it: as run_id, but stages of one checkpoint bear one name
    suffix       the @revision at the end of run_id
    task         name of the task
    time         when it was written, as in the file's name; sorts as text
    config       the task's configuration
    facts        what the log says of the run: n_params, n_tokens, step, …
    counted_n    the harness' own count of all parameters, embeddings included, or None
    convention   how run.json counts n_params, or None where there is no run.json
    """

    path: Path
    run_id: str
    name: str
    suffix: str
    task: str
    time: str
    config: TaskConfig = field(default_factory=TaskConfig)
    facts: Mapping[str, Any] = field(default_factory=dict)
    counted_n: float | None = None
    convention: str | None = None


def is_samples_file(path: Path) -> bool:
    """True for a file name that the harness gives to logged samples."""
    return _SAMPLES.fullmatch(path.name) is not None


def find_logs(paths: Iterable[Path], report: ReportBuilder) -> list[Log]:
    """Logs behind some samples files, the newest of each run and task; older ones are reported as superseded."""
    newest: dict[tuple[str, str], Log] = {}
    logs = _tell_apart([_open(path) for path in paths], report)
    for log in sorted(logs, key=lambda log: (log.time, str(log.path))):
        before = newest.get((log.run_id, log.task))
        if before is not None:
            rows = count_lines(before.path)
            report.drop(
                str(before.path), rows, f"superseded by the newer log of the same run and task, {log.path.name}"
            )
        newest[log.run_id, log.task] = log
    return list(newest.values())


def _tell_apart(logs: list[Log], report: ReportBuilder) -> list[Log]:
    """Runs by their folders where one name stands for several models, or for the same task in several folders.

    Checkpoints evaluated from folders of one name (`model`, `final`) get logs of one name; only where those lie tells
    them apart. A model whose tasks were logged in several folders, each task once, is one run.
    """
    folders: dict[str, set[str]] = {}
    for log in logs:
        folders.setdefault(log.run_id, set()).add(log.path.parent.resolve().name)
    plain = {run for run, names in folders.items() if len(names) > 1}
    logs = [_named(log, log.path.parent.resolve().name) if log.run_id in plain else log for log in logs]
    places: dict[tuple[str, str], set[Path]] = {}
    for log in logs:
        places.setdefault((log.run_id, log.task), set()).add(log.path.parent.resolve())
    torn = {run for (run, _), found in places.items() if len(found) > 1}
    if not torn:
        return logs
    report.notes.append(
        f"several folders hold logs of the same task under the name {', '.join(f'`{run}`' for run in sorted(torn))}: "
        "taken as different runs, named after their folders. Name them as you like with --name."
    )
    root = os.path.commonpath({log.path.parent.resolve() for log in logs if log.run_id in torn})
    return [
        _named(log, str(log.path.parent.resolve().relative_to(root))) if log.run_id in torn else log for log in logs
    ]


def _named(log: Log, name: str) -> Log:
    """The log under another name, unless its run.json names it."""
    if log.convention is not None:
        return log
    return replace(log, run_id=name + log.suffix, name=name + log.suffix)


def count_lines(path: Path) -> int:
    """Lines of a file that are not blank."""
    with path.open("rb") as file:
        return sum(1 for line in file if line.strip())


def _open(path: Path) -> Log:
    found = _SAMPLES.fullmatch(path.name)
    assert found is not None, path
    results_path = _results_beside(path, found["time"])
    where = f"`{results_path}`"
    results = validate(Results, read_json(results_path, way_out=_CUT), where) if results_path else Results()
    config, settings = results.configs.get(found["task"], TaskConfig()), results.config
    facts = facts_from_metadata(config.metadata if isinstance(config.metadata, dict) else {}, where)
    revision = settings.revision
    step = _STEP.search(revision or "")
    if step and "step" not in facts and len(step[1]) < 16:
        facts["step"] = float(step[1])
    counted, record = settings.model_num_parameters, _record(settings.source)
    folder, suffix = path.parent.resolve().name, f"@{revision}" if revision else ""
    name = (_readable(settings.source, folder) if record is None else record.run_id) + suffix
    log = Log(path, name, name, suffix, found["task"], found["time"] or "", config, facts)
    if record is not None:
        return _recorded(log, record, where)
    return replace(log, counted_n=counted if counted is not None and counted > 0 else None)


def _recorded(log: Log, record: RunRecord, where: str) -> Log:
    """The log with what run.json beside the checkpoint says; what the log's metadata says must agree with it."""
    told = {"n_params": float(record.n_params), "n_tokens": record.n_tokens, "stage": record.stage or "base"}
    told |= record.facts
    for name, value in told.items():
        if log.facts.get(name, value) != value:
            raise DataError(
                f"{where} says `{name}` = {log.facts[name]!r} of `{log.run_id}`, and run.json beside its checkpoint "
                f"says {value!r}. Leave `{name}` out of the metadata, or correct it there."
            )
    return replace(
        log,
        name=record.checkpoint + log.suffix,
        facts={**log.facts, **told},
        convention=record.convention or "unstated",
    )


def _record(source: str | None) -> RunRecord | None:
    """run.json of the checkpoint that a model was loaded from, where it is a run of this package on this disk."""
    for folder in (Path(source), Path(source).parent) if source else ():
        try:
            if (record := read_run_record(folder)) is not None:
                return record
        except OSError:  # a name that no file can have
            continue
    return None


def _readable(source: str | None, folder: str) -> str:
    """`pythia-70m` for EleutherAI/pythia-70m, `a/checkpoint-10` for runs/a/checkpoint-10; else the folder's name."""
    if source is None or _UNSAFE.sub("__", source) != folder:
        return folder
    parts = [part for part in re.split(r"[/\\]", source) if part not in ("", ".", "..")]
    kept = parts[-1:]
    while kept and _VAGUE.fullmatch(kept[0]) and len(kept) < len(parts):
        kept = parts[-len(kept) - 1 :]
    if len(kept) > 1 and not any(character.isdigit() for character in kept[-1]):
        kept = kept[:-1]  # a/model says no more than a
    return "/".join(kept) or folder


def _results_beside(samples: Path, time: str | None) -> Path | None:
    """The results file of the same moment, or of the last one where the name carries no time."""
    if time is not None:
        exact = samples.with_name(f"results_{time}.json")
        return exact if exact.is_file() else None
    return max(samples.parent.glob("results*.json"), default=None, key=lambda path: path.name)
