"""`t2 pretrain`: train runs of a suite, one after another, each resumable at any moment."""

from pathlib import Path
from typing import Annotated, Any

import typer

from t2scaling.cli.common import JsonFlag, console, emit, folder_option, note


def command(
    suite: Annotated[str, typer.Argument(help="suite.json, or a recipe: tiny, world, gpu_hour, paper, english.")],
    run: Annotated[
        list[str] | None, typer.Option("--run", help="Run to train; repeat for several. All that are not done.")
    ] = None,
    output: Annotated[Path, folder_option("Folder of the runs.")] = Path("runs"),
    corpus: Annotated[
        Path | None,
        typer.Option(help="Folder of the prepared corpus; made there if absent.", show_default="OUTPUT/../corpus"),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    threads: Annotated[int, typer.Option(min=1, help="CPU threads per run; one is fastest for small models.")] = 1,
    seed: Annotated[
        int | None, typer.Option("--seed", help="Seed of weights and data order.", show_default="the suite's")
    ] = None,
    track: Annotated[
        list[str] | None, typer.Option(help="Also log to tensorboard or trackio (must be installed).")
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Train a suite's runs into OUTPUT/<run_id>/: a Hugging Face folder, metrics.jsonl, and run.json at the end."""
    from dataclasses import replace

    from t2scaling.testbed import need_training_extra

    need_training_extra("pretraining")
    import torch

    from t2scaling.testbed.pretrain import check_plan, prepare_corpus, pretrain, read_run
    from t2scaling.testbed.suite import load_suite

    plan = load_suite(suite) if seed is None else replace(load_suite(suite), seed=seed)
    run_ids = [plan.cell(name).run_id for name in run] if run else [cell.run_id for cell in plan.cells]
    torch.set_num_threads(threads)
    corpus_dir = corpus or output.parent / "corpus"
    check_plan(plan, run_ids, output)
    prepare_corpus(plan, corpus_dir)
    done = []
    for number, run_id in enumerate(run_ids, 1):
        with _bar(plan, run_id, f"{number}/{len(run_ids)}", quiet=json) as report:
            folder = pretrain(
                plan, run_id, output, corpus_dir, device=device, trackers=tuple(track or ()), report=report
            )
        facts = read_run(folder)
        done.append({"run_id": run_id, "path": str(folder), "loss": facts["loss"], "seconds": facts["seconds"]})
        if not json:
            note(f"{run_id}: validation loss {facts['loss']['validation']:.4f}, {facts['seconds']:.1f} s")
    emit(done, as_json=json, show=f"{len(done)} runs in {output}")


def _bar(plan: Any, run_id: str, counter: str, quiet: bool) -> Any:
    from t2scaling.testbed.pretrain.progress import run_progress

    err = console(stderr=True)
    return run_progress(plan, run_id, counter, err, disable=quiet or not err.is_terminal)
