"""`t2 suite`: plan a suite, and see its grid and its bill before anything starts."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from t2scaling.cli.common import JsonFlag, emit, number_option, output_option, wrote
from t2scaling.errors import ArgumentError
from t2scaling.units import format_flops, format_number

if TYPE_CHECKING:
    from t2scaling.costs import Price
    from t2scaling.testbed.study.makespan import Makespan
    from t2scaling.testbed.suite import Cell, Suite, SuiteCost


def command(
    recipe: Annotated[str, typer.Argument(help="tiny, world, gpu_hour, paper, english, or a suite.json.")],
    output: Annotated[
        Path | None, output_option("Where to write suite.json.", ".json", default_text="RECIPE.json")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the grid and its bill; write nothing.")] = False,
    schedule: Annotated[
        str | None,
        typer.Option(help="cosine (a run per cell) or wsd (a shared trunk per size).", show_default="the recipe's"),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            help="Device of the bill: cpu (per thread), h100, a100, h200, b200, …",
            show_default="cpu for models below 1M, else h100",
        ),
    ] = None,
    utilisation: Annotated[float | None, number_option("Share of the device's peak reached.", "--utilisation")] = None,
    price: Annotated[float | None, number_option("Dollars per hour of the device.", "--price", positive=True)] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", help="Seed of weights and data order.", show_default="the recipe's")
    ] = None,
    on: Annotated[str | None, typer.Option(help="With --gpus: where workers run, local, ray or slurm.")] = None,
    gpus: Annotated[int | None, typer.Option(min=1, help="Play the suite through on so many GPUs.")] = None,
    preemptions: Annotated[
        float, number_option("Workers lost per GPU-hour, drawn with --seed.", "--preemptions")
    ] = 0.0,
    json: JsonFlag = False,
) -> None:
    """Plan a suite of runs and write it as suite.json: sizes by training budgets, and what they cost."""
    from dataclasses import replace

    from t2scaling.testbed.suite import load_suite, suite_cost
    from t2scaling.testbed.suite.cost import device_price

    plan = load_suite(recipe, schedule=schedule)
    if seed is not None:
        plan = replace(plan, seed=seed)
    device = device or ("cpu" if max(cell.n_params for cell in plan.cells) < 1e6 else "h100")
    priced: str | Price = device
    if device != "cpu":
        terms: dict[str, Any] = {"dollars_per_hour": price, "utilisation": utilisation}
        priced = device_price(device, **{name: value for name, value in terms.items() if value is not None})
    cost = suite_cost(plan, priced)
    span = _makespan(plan, priced, on, gpus, preemptions, seed or 0)
    path = None
    if not dry_run:
        path = plan.save(output or Path(f"{plan.name}.json"))
    content, shown = _content(plan, cost, path), [_grid(plan), _bill(plan, cost)]
    if span:
        content["makespan"] = asdict(span) | {"bound_seconds": span.bound_seconds, "on": on or "local", "gpus": gpus}
        shown.append(_span_text(span, on, gpus))
    emit(content, as_json=json, show=shown)
    if path is not None and not json:
        wrote(path)


def _makespan(
    plan: Suite, priced: str | Price, on: str | None, gpus: int | None, preemptions: float, seed: int
) -> Makespan | None:
    """The suite played through on many GPUs, where that is asked for."""
    if gpus is None:
        if on is not None or preemptions:
            raise ArgumentError("`--on` and `--preemptions` say where a suite is played through: add `--gpus`.")
        return None
    if isinstance(priced, str):
        raise ArgumentError(f"`--gpus` = {gpus}: `--device` = {priced} is no GPU; name one, such as h100.")
    from t2scaling.testbed.study.makespan import suite_makespan
    from t2scaling.testbed.study.starters import starter

    starter(on or "local")
    return suite_makespan(plan, priced, gpus, preemptions, seed)


def _span_text(span: Makespan, on: str | None, gpus: int | None) -> str:
    from t2scaling.testbed.study.status import duration

    lost = f", {span.preemptions} preemptions cost {span.lost_hours:,.1f} of them" if span.preemptions else ""
    return (
        f"\n{duration(span.seconds)} on {gpus} GPUs ({on or 'local'}), {span.gpu_hours:,.1f} GPU-hours at work{lost}\n"
        f"no schedule takes less than {duration(span.bound_seconds)}: longest chain {duration(span.chain_seconds)}, "
        f"all work shared out evenly {duration(span.even_seconds)}"
    )


_OF_CELL = ("run_id", "n_params", "n_tokens", "tokens_per_param", "train_flops", "overtrained")


def _content(plan: Suite, cost: SuiteCost, path: Path | None) -> dict[str, Any]:
    cells = [{name: getattr(cell, name) for name in _OF_CELL} | {"steps": plan.steps(cell)} for cell in plan.cells]
    bill = asdict(cost) | {"wsd_fraction": cost.wsd_fraction}
    return {"name": plan.name, "path": path, "cost": bill, "cells": cells}


def _grid(plan: Suite) -> str:
    """Tokens per parameter of each cell, a star marking the overtrained ones; lines as long as they must be."""
    sizes = sorted({cell.n_params for cell in plan.cells})
    at = {(cell.level, cell.n_params): cell for cell in plan.cells}
    rows = [["FLOPs \\ N", *(format_number(size) for size in sizes)]]
    for level in sorted({cell.level for cell in plan.cells}):
        cells = [at.get((level, size)) for size in sizes]
        rows.append([format_flops(level), *("" if cell is None else _ratio(cell) for cell in cells)])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([f"{plan.name}: tokens per parameter (* overtrained)", *lines])


def _ratio(cell: Cell) -> str:
    ratio = cell.tokens_per_param
    return (f"{ratio:.0f}" if ratio >= 10 else f"{ratio:.2g}") + "*" * cell.overtrained


def _bill(plan: Suite, cost: SuiteCost) -> str:
    over = sum(cell.overtrained for cell in plan.cells)
    levels = len({cell.level for cell in plan.cells})
    sizes = len({cell.shape for cell in plan.cells})
    time = f"{cost.hours:,.1f} h" if cost.hours >= 1 else f"{cost.hours * 60:,.1f} min"
    dollars = "" if cost.dollars is None else f", ${cost.dollars:,.2f}"
    return (
        f"\n{len(plan.cells)} cells, {levels} budgets, {sizes} sizes, {over} overtrained; "
        f"{format_number(max(cell.n_tokens for cell in plan.cells))} tokens in the longest run\n"
        f"{format_flops(cost.flops)} FLOPs with schedule {plan.training.schedule}: {time} on {cost.device}{dollars}\n"
        f"one cosine run per cell {format_flops(cost.cosine_flops)} FLOPs, shared trunks with a decay per cell (wsd) "
        f"{format_flops(cost.wsd_flops)}: {cost.wsd_fraction:.0%} of it"
    )
