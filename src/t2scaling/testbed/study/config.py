"""What a study file may say, checked before anything is trained.

    suite:     { recipe: tiny }                     # or { file: suite.json }
    seed:      0
    evaluate:  { samples: 64 }
    posttrain: { tasks: [knowledge], modes: [ft, sft] }
    fit:       { laws: [loss, accuracy], task: macro }
    plan:      { train_flops: 1e13, inference_flops: 2M }
    validate:  { seeds: 3 }                         # write a forecast, then train where it points

Every key has a default, so `suite: {recipe: tiny}` is a whole study. A key that is not known here is refused and the
nearest one is suggested. Numbers may be written as 1e22 or 7B.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator

from t2scaling.allocate.budgets import check_sensible
from t2scaling.errors import ArgumentError, SuiteError
from t2scaling.foreign import Strict, read_yaml, validate
from t2scaling.laws.options import FitOptions
from t2scaling.units import parse_number


def _number(value: Any) -> Any:
    return parse_number(value) if isinstance(value, str) else value


def _jobs(value: Any) -> Any:
    return None if value == "auto" else value


def _law(name: str) -> str:
    from t2scaling.laws import law_class

    return law_class(name).name


def _plans(laws: tuple[str, ...]) -> tuple[str, ...]:
    from t2scaling.laws import law_class

    if not law_class(laws[0]).plans:
        raise ArgumentError(
            f"the plan is made from the first law, and `{laws[0]}` cannot be planned with: put another first"
        )
    return laws


LawName = Annotated[str, AfterValidator(_law)]
Budget = Annotated[float, BeforeValidator(_number), Field(gt=0)]
TrainBudget = Annotated[Budget, AfterValidator(lambda flops: check_sensible("train_flops", flops) or flops)]
ServeBudget = Annotated[Budget, AfterValidator(lambda flops: check_sensible("inference_flops", flops) or flops)]
Count = Annotated[int, Field(gt=0, le=10**9)]
Replicates = Annotated[int, AfterValidator(lambda number: FitOptions(bootstrap=number).bootstrap)]


def check_keys(given: Iterable[Any], known: list[str], noun: str = "key") -> None:
    """Raise ArgumentError for the first name in `given` that is not `known`, suggesting the nearest."""
    for key in given:
        if key in known:
            continue
        near = get_close_matches(str(key), known, n=1, cutoff=0.5)
        hint = f"did you mean `{near[0]}`?" if near else "leave it out"
        raise ArgumentError(f"unknown {noun} `{key}`: {hint} (known: {', '.join(known)})")


class _Section(Strict):
    """A part of the file."""


class SuiteSection(_Section):
    """Which suite: a recipe with its arguments, or a suite file."""

    recipe: str | None = Field(
        default=None,
        description="A function of t2scaling.testbed.suite.recipes: tiny, world, gpu_hour, paper, english, custom.",
    )
    file: Path | None = Field(default=None, description="A suite.json instead of a recipe.")
    arguments: dict[str, Any] = Field(default_factory=dict, description="Keyword arguments of the recipe.")

    @model_validator(mode="after")
    def _one_source(self) -> SuiteSection:
        if (self.recipe is None) == (self.file is None):
            raise ValueError("name a `recipe` or a `file`, one of the two")
        if self.file is not None and self.arguments:
            raise ValueError("`arguments` go with a `recipe`; a suite `file` is taken as it is")
        return self


class EvaluateSection(_Section):
    """What is measured on each checkpoint; likelihoods always, samples on request."""

    tasks: tuple[str, ...] | None = Field(default=None, description="Task names; the suite's own where left out.")
    questions: Count | None = Field(default=None, description="Only the first so many questions of each task.")
    engine: Literal["transformers", "vllm"] = Field(
        default="transformers", description="What measures; vllm in jobs of their own, on workers that have a GPU."
    )
    samples: int = Field(default=0, ge=0, le=10**9, description="Completions per question; 0 for likelihoods alone.")
    sample_tasks: tuple[str, ...] | None = Field(default=None, description="Tasks to sample on; all where left out.")
    temperature: float = Field(default=1.0, gt=0, description="Sampling temperature.")
    count_answers: bool = Field(default=False, description="Count the distinct wrong answers among the samples.")
    paths: dict[str, Path] = Field(
        default_factory=dict, description="Local copies of real tasks, name: file or folder, from this file's folder."
    )


class PosttrainSection(_Section):
    """What is tuned after pretraining, and how."""

    tasks: tuple[str, ...] = Field(default=(), description="Tasks with a training split; none for no post-training.")
    modes: tuple[Literal["ft", "sft"], ...] = Field(
        default=("ft", "sft"), description="Loss on everything, or the answer."
    )
    levels: Count | None = Field(
        default=None, description="Only the first seed's cells of so many of the highest budgets; all where left out."
    )
    epochs: Count = Field(default=6, description="Passes over the training questions.")
    batch_size: Count = Field(default=8, description="Questions per step.")
    learning_rate: Budget | None = Field(default=None, description="Constant rate; the paper's, scaled, by default.")


class FitSection(_Section):
    """The laws to fit."""

    laws: Annotated[tuple[LawName, ...], AfterValidator(_plans)] = Field(
        default=("loss", "accuracy"), min_length=1, description="Laws to fit; the plan is made from the first."
    )
    task: str = Field(default="macro", description="A task's name, or macro for the mean over all.")
    inference_flops: ServeBudget | None = Field(default=None, description="Budget that the grid of k is made for.")
    bootstrap: Replicates = Field(default=0, description="Bootstrap samples of each fit.")


class PlanSection(_Section):
    """The question the plan answers."""

    train_flops: TrainBudget | None = Field(
        default=None, description="Training budget; ten times the suite's largest by default."
    )
    inference_flops: ServeBudget | None = Field(
        default=None, description="Inference budget; 2·N of the largest model by default."
    )


class ValidateSection(_Section):
    """Forecast first, then train: where the laws point, trained and measured after the forecast is written."""

    laws: tuple[LawName, ...] = Field(default=("loss", "accuracy"), min_length=1, description="Laws that forecast.")
    tasks: tuple[str, ...] = Field(default=("macro",), min_length=1, description="Tasks, or macro for their mean.")
    train_flops: tuple[TrainBudget, ...] = Field(
        default=(), description="Training budgets; the largest level by default."
    )
    inference_flops: tuple[ServeBudget, ...] = Field(
        default=(), description="Inference budgets; one and 16 samples of the largest model by default."
    )
    up_to: Budget | None = Field(
        default=None, description="The laws see cells of at most so many training FLOPs; all ordinary cells by default."
    )
    seeds: int = Field(default=3, gt=0, le=1000, description="Runs of each cell.")


class StudyConfig(_Section):
    """A whole study."""

    model_config = ConfigDict(populate_by_name=True)  # `validate` is a method of pydantic's models

    name: str = Field(default="study", description="Name, for tables and the report.")
    out: Path = Field(default=Path("out/study"), description="Folder of all artefacts, relative to the current one.")
    seed: int = Field(
        default=0, ge=0, lt=2**63, description="Seed of evaluation, post-training and fits; the suite has its own."
    )
    jobs: Annotated[Count | None, BeforeValidator(_jobs)] = Field(
        default=None, description="Runs at once; auto for one per core, or per GPU."
    )
    device: Literal["auto", "cpu", "cuda"] = Field(default="auto", description="Where runs take place.")
    gpu_memory: Budget = Field(
        default=80e9, description="Bytes of one GPU; a run that needs more is spread over several of one machine."
    )
    suite: SuiteSection
    evaluate: EvaluateSection = EvaluateSection()
    posttrain: PosttrainSection = PosttrainSection()
    fit: FitSection = FitSection()
    plan: PlanSection = PlanSection()
    validation: ValidateSection | None = Field(default=None, alias="validate", description="Forecast, then train.")
    report: bool = Field(default=True, description="Write report.html and results.md at the end.")


def read_config(path: str | Path) -> StudyConfig:
    """Read a study file. Raises SuiteError naming the file, the key, the value and a way out."""
    path = Path(path)
    content = read_yaml(path, SuiteError)
    if not isinstance(content, dict):
        raise SuiteError(f"`{path}` holds no keys: write at least `suite: {{recipe: tiny}}`.")
    defaults = {"name": path.stem, "out": Path("out") / path.stem}
    config = validate(StudyConfig, {**defaults, **content}, f"`{path}`", SuiteError)
    return _from_its_folder(config, path.parent)


def _from_its_folder(config: StudyConfig, folder: Path) -> StudyConfig:
    """The study with the paths of its text and questions, which are written from the file's folder, made absolute."""
    paths = {name: (folder / path).resolve() for name, path in config.evaluate.paths.items()}
    arguments = dict(config.suite.arguments)
    text = arguments.get("text")
    if isinstance(text, str):
        arguments["text"] = str((folder / text).resolve())
    elif isinstance(text, dict) and "path" in text:
        arguments["text"] = text | {"path": str((folder / str(text["path"])).resolve())}
    return config.model_copy(
        update={
            "evaluate": config.evaluate.model_copy(update={"paths": paths}),
            "suite": config.suite.model_copy(update={"arguments": arguments}),
        }
    )
