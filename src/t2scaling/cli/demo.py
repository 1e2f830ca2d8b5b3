"""`t2 demo`: from the suite that ships with the package to a plan and a report."""

from pathlib import Path
from typing import Annotated

import typer

from t2scaling.cli.common import JsonFlag, Seed, emit, folder_option, number_option, progress, warning


def command(
    output: Annotated[Path, folder_option("Folder for the fits, the plan and the report.")] = Path("out/demo"),
    train_flops: Annotated[
        float | None,
        number_option("Training budget in FLOPs, 6·N·D.", "--train-flops", default_text="the largest in the suite"),
    ] = None,
    inference_flops: Annotated[
        float | None,
        number_option(
            "Inference budget in FLOPs per token served, 2·N·k.",
            "--inference-flops",
            default_text="one sample of the suite's largest model",
        ),
    ] = None,
    bootstrap: Annotated[int, typer.Option(min=0, help="Refits behind the intervals; 0 for none.")] = 100,
    seed: Seed = 0,
    as_json: JsonFlag = False,
) -> None:
    """Fit the default law and the paper's two to the shipped suite, plan under its budgets, and write the report."""
    from t2scaling.report.demo import demo

    with progress("Fitting, planning, drawing", total=5, quiet=as_json) as advance:
        made = demo(
            output,
            train_flops=train_flops,
            inference_flops=inference_flops,
            bootstrap=bootstrap,
            seed=seed,
            command=f"t2 demo -o {output}",
            done=advance,
        )
    content = {
        "simulated": made.simulated,
        "recommendation": made.plan.sentence(),
        "plan": made.plan.to_dict(),
        "others": [other.to_dict() for other in made.others],
        "report": made.page,
    }
    emit(content, as_json=as_json, show=_show(made))


def _show(made: object) -> list[str]:
    """The recommendation in one sentence, what it rests on, and where the report lies."""
    from rich.markup import escape

    from t2scaling.allocate.words import evidence_lines
    from t2scaling.report.content import interval_sentence
    from t2scaling.report.demo import Demo

    assert isinstance(made, Demo)
    lines = [f"[bold]{escape(made.plan.sentence())}[/]", escape(interval_sentence(made.plan))]
    lines += [escape(line) for line in evidence_lines(made.plan)]
    if statement := made.fits[0].conventions.get("statement"):
        lines.append(f"[yellow]{escape(statement)}[/]" if made.simulated else escape(statement))
    lines += [warning(text) for text in made.plan.warnings]
    return [*lines, f"Report: {escape(str(made.page))}"]
