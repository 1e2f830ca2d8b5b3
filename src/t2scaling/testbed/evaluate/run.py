"""Measure a checkpoint on tasks and write one table per task.

out_dir/<run_id>/<task>.parquet holds likelihoods, out_dir/<run_id>/<task>.samples.parquet counts of correct samples;
a post-trained run bears the name of the run it comes from, and its tables their stage (<task>.sft.parquet). Each is
written in one step. A task measured before with the same settings, questions and weights is not measured again, so an
interrupted evaluation goes on where it stopped; a larger number of samples draws only the new ones.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from t2scaling.testbed import need_training_extra
from t2scaling.testbed.evaluate.checkpoint import Run, open_run
from t2scaling.testbed.evaluate.engine import Advance, Engine, open_engine
from t2scaling.testbed.evaluate.questions import Asked, resolve
from t2scaling.testbed.evaluate.settings import Settings
from t2scaling.testbed.evaluate.streams import question_key
from t2scaling.testbed.evaluate.table import Found, Measured
from t2scaling.testbed.evaluate.tokens import Encoded, Tokenizer, encode
from t2scaling.testbed.tasks import Task

RUN_OPTIONS = ("run_id", "n_params", "n_tokens")
WHERE_OPTIONS = ("device", "task_seed")


def evaluate(
    run_dir: str | Path,
    task: str | Path | Task,
    out_dir: str | Path,
    *,
    mode: str = "nll",
    n_samples: int = 64,
    temperature: float = 1.0,
    seed: int = 0,
    **options: Any,
) -> Path:
    """Measure one run on one task and return the path of its table.

    run_dir      directory of a finished run, or a Hugging Face folder (then `n_tokens` is needed)
    task         a task's name, a JSONL file of questions, or a `tasks.Task`
    out_dir      folder of evaluations; the table goes to out_dir/<run_id>/
    mode         nll: nats of the correct answer; sample: how many of `n_samples` samples are correct
    temperature  of the samples; at 1, an exact match has probability exp(−nll)
    seed         of the samples
    options      the rest of `Settings`, and `device`, `task_seed`, `run_id`, `n_params`, `n_tokens`
    Warns if prompts were cut to the model's context. Raises DataError for unusable input, PrerequisiteError for
    something that has to be installed or trained first, ValueError for impossible settings.
    """
    facts = {name: options.pop(name) for name in RUN_OPTIONS if name in options}
    where = {name: options.pop(name) for name in WHERE_OPTIONS if name in options}
    settings = Settings(mode=mode, n_samples=n_samples, temperature=temperature, seed=seed, **options)
    (measured,) = evaluate_tasks(open_run(run_dir, **facts), [task], out_dir, settings, **where)
    if measured.n_truncated and not measured.reused:
        warnings.warn(
            f"{measured.n_truncated} of {measured.n_questions} prompts of {measured.task} are longer than the model's "
            "context and lost their beginning: see the column prompt_tokens_dropped.",
            stacklevel=2,
        )
    return measured.path


def evaluate_tasks(
    run: Run,
    tasks: Sequence[str | Path | Task],
    out_dir: str | Path,
    settings: Settings | None = None,
    *,
    device: str | None = None,
    task_seed: int = 0,
    watch: Callable[[str, int], Advance] | None = None,
) -> list[Measured]:
    """Measure one run on several tasks; the model is loaded once, and only if something is missing.

    device     cpu, cuda, cuda:1, …; a GPU where there is one if not given
    task_seed  seed of the tasks that are generated: that of the corpus which the run was trained on
    watch      called with (task, questions to run); what it returns is called with each number done
    """
    from t2scaling.testbed.evaluate import table

    need_training_extra("evaluation")
    settings = settings or Settings()
    all_asked = [resolve(task, task_seed) for task in tasks]  # a task that is not there is found before any is run
    tokenizer = Tokenizer.at(run.folder)
    engine: Engine | None = None
    results = []
    for asked in all_asked:
        path = table.table_path(out_dir, run, asked.task, settings)
        made_by = table.recipe(run, asked, tokenizer, settings)
        found = table.find(path, made_by, settings)
        if found is not None and not found.missing:
            results.append(table.summary(found.frame, path, asked.task, reused=True))
            continue
        engine = engine or open_engine(settings.backend, run.folder, device, settings.dtype)
        encoded = encode(asked.questions, tokenizer, engine.max_length, settings.room)
        advance = watch(asked.task, len(encoded)) if watch else None
        outcome = _measure(engine, asked, encoded, tokenizer, settings, found, advance)
        frame = table.build(run, asked, encoded, outcome)
        table.write(frame, path, run, made_by)
        results.append(table.summary(frame, path, asked.task, reused=False))
    return results


def _measure(
    engine: Engine,
    asked: Asked,
    encoded: Encoded,
    tokenizer: Tokenizer,
    settings: Settings,
    found: Found | None,
    advance: Advance,
) -> dict[str, Any]:
    """The columns that the model has to be asked for; samples come on top of those found."""
    if settings.mode == "nll":
        return {"nll": engine.score(encoded, advance)}
    first = found.n_samples if found else 0
    fresh = replace(settings, n_samples=settings.n_samples - first)
    columns = _sample(engine, asked, encoded, tokenizer, fresh, first, advance)
    if found and settings.drawn_to_the_end:
        from t2scaling.testbed.evaluate.graded import added

        columns = added(columns, found.frame.to_dict(as_series=False), fresh.n_samples, first)
    elif found:
        columns["n_correct"] += found.frame["n_correct"].to_numpy()
    return {"n_samples": np.full(len(encoded), settings.n_samples, dtype=np.int64), **columns}


def _sample(
    engine: Engine,
    asked: Asked,
    encoded: Encoded,
    tokenizer: Tokenizer,
    settings: Settings,
    first: int,
    advance: Advance,
) -> dict[str, Any]:
    """Counts for the samples first, …, first + n_samples − 1."""
    keys = [question_key(settings.seed, asked.task, question.question_id) for question in asked.questions]
    if not settings.drawn_to_the_end:
        count = engine.count_matches(
            encoded, keys, settings.n_samples, temperature=settings.temperature, first=first, advance=advance
        )
        return {"n_correct": count}
    from t2scaling.testbed.evaluate.graded import count_graded

    return count_graded(engine, asked, encoded, keys, tokenizer.load(), settings, first=first, advance=advance)
