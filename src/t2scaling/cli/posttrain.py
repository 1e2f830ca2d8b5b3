"""`t2 posttrain`: fine-tune pretrained runs on a task's training questions."""

from pathlib import Path
from typing import Annotated

import typer

from t2scaling.cli.common import JsonFlag, Seed, emit, folder_option, note, number_option, progress


def command(
    runs: Annotated[list[Path], typer.Argument(help="Folders of pretrained runs (each with run.json).")],
    task: Annotated[str, typer.Option("--task", help="Task with a training split, by name or as a .jsonl file.")],
    mode: Annotated[str, typer.Option(help="ft (loss on everything) or sft (loss on the answer only).")] = "ft",
    output: Annotated[Path, folder_option("Folder of the tuned runs.")] = Path("runs"),
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the training questions.")] = 6,
    batch_size: Annotated[int, typer.Option(min=1, help="Questions per step.")] = 8,
    learning_rate: Annotated[
        float | None,
        number_option("Constant rate.", "--learning-rate", default_text="2e-5, scaled by the run's own peak over 3e-3"),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    threads: Annotated[int, typer.Option(min=1, help="CPU threads per run.")] = 1,
    seed: Seed = 0,
    json: JsonFlag = False,
) -> None:
    """Fine-tune pretrained runs into OUTPUT/<run_id>-<mode>-<task>/, the same number of steps for each."""
    from t2scaling.testbed import need_training_extra

    need_training_extra("post-training")
    import torch

    from t2scaling.testbed.posttrain import posttrain
    from t2scaling.testbed.pretrain import read_run

    torch.set_num_threads(threads)
    for run in runs:
        read_run(run)
    done = []
    with progress("post-training", len(runs), quiet=json) as advance:
        for run in runs:
            folder = posttrain(
                run,
                task,
                mode,
                output,
                epochs=epochs,
                batch_size=batch_size,
                learning_rate=learning_rate,
                seed=seed,
                device=device,
            )
            facts = read_run(folder)
            done.append({"run_id": facts["run_id"], "path": str(folder), "loss": facts["loss"]})
            if not json:
                note(f"{facts['run_id']}: training loss {facts['loss']['train']:.4f}")
            advance()
    emit(done, as_json=json, show=f"{len(done)} runs in {output}")
