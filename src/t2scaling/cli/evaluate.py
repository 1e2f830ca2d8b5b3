"""`t2 evaluate`: measure checkpoints on tasks, as likelihoods or as graded samples."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from t2scaling.cli.common import JsonFlag, Seed, emit, folder_option, grid, note, number_option, progress
from t2scaling.errors import ArgumentError

if TYPE_CHECKING:
    from t2scaling.testbed.evaluate.table import Measured


def command(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN", help="Directories of `t2 pretrain` runs, or Hugging Face folders.")
    ],
    tasks: Annotated[
        str, typer.Option(help="Names, NAME=PATH for local copies, or JSONL files, separated by commas; or `all`.")
    ],
    mode: Annotated[str, typer.Option(help="nll: likelihood of the correct answer; sample: graded samples.")] = "nll",
    samples: Annotated[int, typer.Option(help="Samples per question; more than before adds to those drawn.")] = 64,
    temperature: Annotated[float, typer.Option(help="Temperature of the samples.")] = 1.0,
    grader: Annotated[
        str | None,
        typer.Option(
            help="module:function or file.py:function, (question, completion) -> bool; exact match if not given.",
            show_default=False,
        ),
    ] = None,
    max_new_tokens: Annotated[int, typer.Option(help="Longest completion shown to a grader.")] = 64,
    stop: Annotated[
        list[str] | None, typer.Option(help="String that ends a completion shown to a grader (repeatable); a newline.")
    ] = None,
    count_answers: Annotated[
        bool, typer.Option("--count-answers", help="Draw samples to their end and count the distinct wrong answers.")
    ] = False,
    output: Annotated[Path, folder_option("Folder of evaluations.")] = Path("evals"),
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, …")] = "auto",
    dtype: Annotated[str, typer.Option(help="Of the weights: auto (as stored), float32, bfloat16, float16.")] = "auto",
    backend: Annotated[str, typer.Option(help="transformers or vllm.")] = "transformers",
    n_params: Annotated[
        float | None, number_option("Parameters of a plain Hugging Face folder; counted if not given.", "--n-params")
    ] = None,
    n_tokens: Annotated[
        float | None, number_option("Training tokens of a plain Hugging Face folder, like 300B.", "--n-tokens")
    ] = None,
    run_id: Annotated[
        str | None, typer.Option(help="Name in the table; the run's own if not given.", show_default=False)
    ] = None,
    task_seed: Annotated[int, typer.Option(help="Seed of the questions of the generated tasks.")] = 0,
    seed: Seed = 0,
    json: JsonFlag = False,
) -> None:
    """Measure runs on tasks: OUTPUT/<run_id>/<task>.parquet, one row per question. What is there already is kept."""
    from dataclasses import asdict

    from t2scaling.testbed.evaluate import Settings, evaluate_tasks, open_run

    settings = Settings(
        mode=mode,
        n_samples=samples,
        temperature=temperature,
        seed=seed,
        grader=grader,
        max_new_tokens=max_new_tokens,
        stop=tuple(stop or ("\n",)),
        dtype=dtype,
        backend=backend,
        count_answers=count_answers,
    )
    if run_id is not None and len(runs) > 1:
        raise ArgumentError(f"`--run-id` {run_id} names one run, but {len(runs)} are given: evaluate them one by one.")
    opened = [open_run(run, run_id=run_id, n_params=n_params, n_tokens=n_tokens) for run in runs]
    names = _names(tasks)
    measured: list[Measured] = []
    for run in opened:
        with _Bars(run.run_id, quiet=json) as bars:
            measured += evaluate_tasks(
                run, names, output, settings, device=device, task_seed=task_seed, watch=bars.watch
            )
    for one in measured:
        if one.n_truncated:
            note(
                f"{one.run_id}, {one.task}: {one.n_truncated} of {one.n_questions} prompts are longer than the model's "
                "context and lost their beginning (column prompt_tokens_dropped)."
            )
    emit([asdict(one) for one in measured], as_json=json, show=_table(measured, output))


def _names(tasks: str) -> list[str]:
    if tasks.strip() == "all":
        from t2scaling.testbed.tasks import NAMES

        return list(NAMES)
    names = [name.strip() for name in tasks.split(",") if name.strip()]
    if not names:
        raise ArgumentError(f"`--tasks` {tasks!r} names no task: write knowledge,arithmetic or all or file.jsonl.")
    return names


class _Bars:
    """One progress bar at a time, a new one for each task."""

    def __init__(self, run_id: str, quiet: bool) -> None:
        self._run_id, self._quiet, self._stack = run_id, quiet, ExitStack()

    def __enter__(self) -> _Bars:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def watch(self, task: str, total: int) -> Any:
        """Close the bar of the task before and open one for this."""
        self._stack.close()
        return self._stack.enter_context(progress(f"{self._run_id} · {task}", total, quiet=self._quiet))


def _table(measured: Sequence[Measured], output: Path) -> Any:
    sampled = any(one.n_samples for one in measured)
    title = f"{'Samples' if sampled else 'Likelihoods'} in {output}"
    if any(one.reused for one in measured):
        title += " (* measured before)"
    rows = []
    for one in measured:
        middle = str(one.n_samples) if sampled else f"{one.mean_nll:.3f}"
        task = f"{one.task} *" if one.reused else one.task
        rows.append((one.run_id, task, f"{one.n_questions:,}", middle, f"{one.pass_at_1:.4f}"))
    head = ("run", "task", "questions", "samples" if sampled else "mean NLL, nats", "pass@1")
    return grid(title, head, rows, left=2)
