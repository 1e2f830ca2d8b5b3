"""One trial: an input is made from a seed, read by this package, and judged.

Outcomes: `read`; `refused` (a T2Error that names the file and a way out); `poor` (a refusal that lacks either);
`differs` (read, but not as the second reader reads it); `uncaught` (any other exception); the pool adds `hung` and
`memory`. Nothing here draws on anything but the kind and the seed, so each trial can be run again.
"""

from __future__ import annotations

import json
import random
import re
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mutations as spoil
import originals
import witnesses

from t2scaling.errors import T2Error

WAY_OUT = re.compile(
    r"\b(add|ask|attach|call|check|choose|convert|copy|correct|count|cut|delete|did you mean|"
    r"drop|end|fit|give|import|keep|leave|log|look|"
    r"lower|make|map|may|measure|must|name|needs?|number|pass|put|read|recover|rename|run|save|say|score|should|split|"
    r"state|take|train|try|unpack|use|was it|widen|write)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Trial:
    """What is done with one hostile input.

    act      reads it; a T2Error is a refusal, which must name one of `names`
    use      works with what was read; a T2Error is no fault any more
    witness  compares what was read with a second reader's
    """

    act: Callable[[], Any]
    names: tuple[str, ...]
    use: Callable[[Any], Any] = lambda read: None
    witness: Callable[[Any], str | None] = lambda read: None


Make = Callable[[random.Random, Path, Path], Trial]


def run(kind: str, seed: int, shared: Path, work: Path) -> dict[str, Any]:
    """The outcome of one trial, with the message or the traceback. `work` is an empty folder."""
    rng = random.Random(f"{kind}:{seed}")
    trial = (INPUTS | ARTEFACTS | BOMBS)[kind](rng, work, shared)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            read = trial.act()
    except T2Error as error:
        message = str(error)
        if not any(name in message for name in trial.names):
            return {"outcome": "poor", "message": f"names no file: {message[:400]}"}
        if not WAY_OUT.search(message.partition("`: ")[2] or message):
            return {"outcome": "poor", "message": f"names no way out: {message[:400]}"}
        return {"outcome": "refused", "message": message[:300]}
    except MemoryError:
        return {"outcome": "memory", "message": "MemoryError"}
    except BaseException as error:
        return _uncaught(error)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            trial.use(read)
    except T2Error:
        pass
    except MemoryError:
        return {"outcome": "memory", "message": "MemoryError"}
    except BaseException as error:
        return _uncaught(error)
    difference = trial.witness(read)
    return {"outcome": "differs", "message": difference} if difference else {"outcome": "read", "message": ""}


def _uncaught(error: BaseException) -> dict[str, Any]:
    if isinstance(error, KeyboardInterrupt):
        raise error
    frames = traceback.extract_tb(error.__traceback__)
    place = next((f for f in reversed(frames) if "t2scaling" in f.filename), frames[-1])
    where = f"{Path(place.filename).name}:{place.lineno} {place.name}"
    return {"outcome": "uncaught", "message": f"{type(error).__name__}: {str(error)[:300]} in {where}"}


def _use_observations(observations: Any) -> None:
    from t2scaling.observations.summary import summarise

    repr(observations)
    summarise(observations)


def _observations(path: Path, witness: Callable[[Any], str | None], **options: Any) -> Trial:
    import t2scaling as t2

    return Trial(lambda: t2.read(path, **options), (str(path), path.name), _use_observations, witness)


def _text_table(suffix: str, separator: str) -> Make:
    def make(rng: random.Random, work: Path, shared: Path) -> Trial:
        rows = originals.table(counts=rng.random() < 0.5)
        lines = [separator.join(rows[0])] + [separator.join(map(str, row.values())) for row in rows]
        text = "\n".join(lines) + "\n"
        content = spoil.spoil_lines(rng, text, separator).encode("utf-8", "surrogatepass")
        if rng.random() < 0.4:
            content = spoil.spoil_bytes(rng, text.encode() if rng.random() < 0.7 else content)
        path = work / f"table{suffix}"
        path.write_bytes(content)

        def witness(read: Any) -> str | None:
            given = witnesses.csv_rows(path, separator)
            return None if given is None else witnesses.table(read, given)

        return _observations(path, witness)

    return make


def _jsonl(rng: random.Random, work: Path, shared: Path) -> Trial:
    path = work / "table.jsonl"
    path.write_bytes(spoil.spoil_jsonl(rng, originals.table(counts=rng.random() < 0.5)))

    def witness(read: Any) -> str | None:
        given = witnesses.jsonl_rows(path)
        return None if given is None else witnesses.table(read, given)

    return _observations(path, witness)


def _parquet(rng: random.Random, work: Path, shared: Path) -> Trial:
    path = work / "table.parquet"
    path.write_bytes(spoil.spoil_parquet(rng, originals.table(counts=rng.random() < 0.5)))

    def witness(read: Any) -> str | None:
        given = witnesses.parquet_rows(path)
        return None if given is None else witnesses.table(read, given)

    return _observations(path, witness)


def _lm_eval(rng: random.Random, work: Path, shared: Path) -> Trial:
    kind = rng.choice(("multiple_choice", "loglikelihood", "generate_until"))
    path, results = work / f"samples_t_{originals.TIME}.jsonl", work / f"results_{originals.TIME}.json"
    rows, said = originals.lm_eval_rows(kind), originals.lm_eval_results(kind)
    in_rows = rng.random() < 0.7
    path.write_bytes(
        spoil.spoil_jsonl(rng, rows) if in_rows else b"".join(json.dumps(r).encode() + b"\n" for r in rows)
    )
    results.write_bytes(json.dumps(said).encode() if in_rows else spoil.spoil_json(rng, said))
    trial = _observations(work, lambda read: witnesses.lm_eval(read, path, kind), n_params_convention="total")
    return Trial(trial.act, (*trial.names, path.name, results.name, "the lm-eval logs"), trial.use, trial.witness)


def _inspect(rng: random.Random, work: Path, shared: Path) -> Trial:
    path = work / "log.eval"
    path.write_bytes(spoil.spoil_zip(rng, originals.inspect_members()))
    trial = _observations(path, lambda read: witnesses.inspect(read, path))
    return Trial(trial.act, (*trial.names, "the Inspect logs", "the inspect logs"), trial.use, trial.witness)


def _manifest(suffix: str) -> Make:
    def make(rng: random.Random, work: Path, shared: Path) -> Trial:
        import t2scaling as t2

        path = work / f"runs{suffix}"
        if suffix == ".csv":
            text = spoil.spoil_lines(rng, originals.MANIFEST_CSV, ",").encode("utf-8", "surrogatepass")
            path.write_bytes(spoil.spoil_bytes(rng, text) if rng.random() < 0.3 else text)
        else:
            path.write_bytes(spoil.spoil_yaml(rng, originals.MANIFEST))

        def witness(read: Any) -> str | None:
            import yaml

            try:
                content = witnesses.csv_rows(path, ",") if suffix == ".csv" else yaml.safe_load(path.read_bytes())
            except (yaml.YAMLError, ValueError):
                return None
            rules = content.get("runs") if isinstance(content, dict) else content
            known = {rule["match"]: "" for rule in originals.MANIFEST["runs"] if "match" in rule}
            return witnesses.manifest(read, rules, known)

        return Trial(
            lambda: t2.read(originals.table(counts=False), runs=path), (str(path),), _use_observations, witness
        )

    return make


def _suite(rng: random.Random, work: Path, shared: Path) -> Trial:
    from t2scaling.testbed.suite import Suite

    path = work / "suite.json"
    path.write_bytes(spoil.spoil_json(rng, json.loads((shared / "suite.json").read_text())))

    def witness(suite: Any) -> str | None:
        read = {"seed": suite.seed, "seq_len": suite.seq_len, "training.learning_rate": suite.training.learning_rate}
        read |= {f"cells.{i}.n_tokens": cell.n_tokens for i, cell in enumerate(suite.cells)}
        return witnesses.values(read, _plain(path))

    return Trial(lambda: Suite.load(path), (str(path),), lambda suite: suite.to_json(), witness)


def _study(rng: random.Random, work: Path, shared: Path) -> Trial:
    from t2scaling.testbed.study.flow import open_study

    path = work / "study.yaml"
    path.write_bytes(spoil.spoil_yaml(rng, originals.STUDY))

    def witness(study: Any) -> str | None:
        import yaml

        config = study.config
        read = {"evaluate.samples": config.evaluate.samples, "seed": config.seed, "fit.bootstrap": config.fit.bootstrap}
        try:
            return witnesses.values(read, yaml.safe_load(path.read_bytes()))
        except yaml.YAMLError:  # the parser in Python refuses some of what the one in C takes
            return None

    return Trial(lambda: open_study(path, out=work / "out"), (str(path), path.name), lambda study: repr(study), witness)


def _questions(rng: random.Random, work: Path, shared: Path) -> Trial:
    from t2scaling.testbed import tasks

    path = work / "task.jsonl"
    path.write_bytes(spoil.spoil_jsonl(rng, originals.questions()))

    def witness(task: Any) -> str | None:
        given = witnesses.jsonl_rows(path)
        read = {q.question_id: (q.prompt, q.answer) for split in task.splits.values() for q in split}
        wanted = {row["question_id"]: (row["prompt"], row["answer"]) for row in given or [] if row}
        return f"{wanted} stands there, {read} was read" if given is not None and read != wanted else None

    return Trial(lambda: tasks.read(path), (str(path),), lambda task: tasks.save(task, work / "again.jsonl"), witness)


def _checkpoint(rng: random.Random, work: Path, shared: Path) -> Trial:
    import shutil

    from t2scaling.testbed.evaluate.checkpoint import open_run
    from t2scaling.testbed.evaluate.model import load

    folder = work / "run"
    shutil.copytree(shared / "checkpoint", folder)
    spoilt = rng.choice([path for path in (folder / "model").iterdir() if path.suffix in (".json", ".safetensors")])
    content = spoilt.read_bytes()
    if spoilt.suffix == ".json" and rng.random() < 0.7:
        spoilt.write_bytes(spoil.spoil_json(rng, json.loads(content)))
    else:
        spoilt.write_bytes(spoil.spoil_bytes(rng, content))

    def act() -> Any:
        found = open_run(folder)
        return load(found.folder, "cpu")

    return Trial(act, (str(folder),))


def _fit(rng: random.Random, work: Path, shared: Path) -> Trial:
    import t2scaling as t2

    path = work / "fit.json"
    law = rng.choice(("loss", "accuracy", "chinchilla"))
    path.write_bytes(spoil.spoil_json(rng, json.loads((shared / f"fit-{law}.json").read_text())))

    def use(fit: Any) -> None:
        repr(fit), fit.explain(), fit.to_json()
        if law != "chinchilla":
            fit.predict(1e7, 1e9, 4.0)
            t2.plan(fit, train_flops=1e17, inference_flops=1e8)

    def witness(fit: Any) -> str | None:
        read = {f"law.parameters.{name}": value for name, value in fit.law.parameters.items()}
        return witnesses.values({**read, "seed": fit.seed}, _plain(path))

    return Trial(lambda: t2.FitResult.load(path), (str(path),), use, witness)


def _plan(rng: random.Random, work: Path, shared: Path) -> Trial:
    import t2scaling as t2

    path = work / "plan.json"
    law = rng.choice(("loss", "accuracy"))
    path.write_bytes(spoil.spoil_json(rng, json.loads((shared / f"plan-{law}.json").read_text())))

    def use(plan: Any) -> None:
        repr(plan), plan.sentence(), plan.to_json()

    def witness(plan: Any) -> str | None:
        read = {"optimum.n_params": plan.n_params, "optimum.n_tokens": plan.n_tokens, "optimum.k": plan.k}
        return witnesses.values(read, _plain(path))

    return Trial(lambda: t2.Plan.load(path), (str(path),), use, witness)


def _record(rng: random.Random, work: Path, shared: Path) -> Trial:
    from t2scaling.run_record import read_run_record

    (work / "run.json").write_bytes(spoil.spoil_json(rng, originals.RECORD))

    def witness(record: Any) -> str | None:
        return witnesses.values({"n_params": record.n_params, "n_tokens": record.n_tokens}, _plain(work / "run.json"))

    return Trial(lambda: read_run_record(work), (str(work / "run.json"),), lambda record: record.facts, witness)


def _plain(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return None


def _bomb(rng: random.Random, work: Path, shared: Path) -> Trial:
    """Small files that want much: each is to be refused at once."""
    import gzip
    import io
    import zipfile

    header = b"run_id,n_params,n_tokens,task,question_id,nll\n"
    wide = b"".join(b'{"k%d": 1}\n' % i for i in range(20_000))
    whole = json.dumps(originals.table(False)[0]).encode()

    def archive() -> bytes:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as members:
            members.writestr("header.json", json.dumps(originals.inspect_members()["header.json"]))
            with members.open("summaries.json", "w", force_zip64=True) as member:
                for _ in range(400):
                    member.write(b" " * (1 << 20))
        return file.getvalue()

    bombs: dict[str, Callable[[], bytes]] = {
        "a.csv": lambda: gzip.compress(header + b"a,1e6,1e9,t,q,1\n" * 20_000_000, 1),
        "b.jsonl": lambda: whole[:-1] + b', "x": ' + b"[" * 900 + b"]" * 900 + b"}\n",
        "c.jsonl": lambda: b'{"a": ' * 100_000,
        "d.jsonl": lambda: wide,
        "e.eval": archive,
        "f.jsonl": lambda: b"[" + b"[]," * 20_000_000 + b"[]]",
        "g.csv": lambda: header + b"a" * (200 << 20),
        "h.csv": lambda: b",".join(b"c%d" % i for i in range(200_000)) + b"\n" + b"," * 199_999 + b"\n",
        "i.yaml": lambda: b"a: &a [x]\n" + b"".join(b"k%d: &k%d [*a, *a]\n" % (i, i) for i in range(50)),
        "j.yaml": lambda: b"runs: " + b"[" * 100_000,
        "k.yaml": lambda: b"runs:\n- {match: '" + b"(a+)+" * 100 + b"$', n_params: 1}\n",
        "l.json": lambda: b'{"version": 2, "eval": ' + b"[" * 5000,
    }
    name = rng.choice(sorted(bombs))
    path = work / name
    path.write_bytes(bombs[name]())
    if name.endswith(".yaml"):
        import t2scaling as t2

        long = [{**row, "run_id": "a" * 5000 + row["run_id"]} for row in originals.table(counts=False)]
        return Trial(lambda: t2.read(long, runs=path), (str(path),))
    return _observations(path, lambda read: None, **({"format": "inspect"} if name.endswith(".json") else {}))


INPUTS: dict[str, Make] = {
    "csv": _text_table(".csv", ","),
    "tsv": _text_table(".tsv", "\t"),
    "jsonl": _jsonl,
    "parquet": _parquet,
    "lm-eval": _lm_eval,
    "inspect": _inspect,
    "manifest.yaml": _manifest(".yaml"),
    "manifest.csv": _manifest(".csv"),
    "suite.json": _suite,
    "study.yaml": _study,
    "questions": _questions,
    "checkpoint": _checkpoint,
}
ARTEFACTS: dict[str, Make] = {"fit.json": _fit, "plan.json": _plan, "run.json": _record}
BOMBS: dict[str, Make] = {"bombs": _bomb}
