"""Which checkpoint is measured: the facts of a run, taken from its run.json or given for a plain folder.

A run directory holds run.json and the Hugging Face folder model/; any other Hugging Face folder works when the
training tokens are told. The facts become the run columns of the table of observations.
"""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from t2scaling.errors import ArgumentError, DataError, PrerequisiteError, T2Error
from t2scaling.foreign import safe_name, shown
from t2scaling.run_record import RunRecord, check_weights, read_run_record, weights_sha256
from t2scaling.testbed import need_training_extra


@dataclass(frozen=True)
class Run:
    """One checkpoint and what is known of it.

    folder       the Hugging Face folder: weights, config, tokenizer
    n_params     parameters N, counted as `convention` says
    n_tokens     training tokens D
    facts        the other run columns that are known
    fingerprint  changes when the weights change
    """

    run_id: str
    stage: str
    folder: Path
    n_params: int
    n_tokens: float
    convention: str
    facts: Mapping[str, Any]
    fingerprint: str

    def __post_init__(self) -> None:
        safe_name(self.run_id, "`run_id`")
        safe_name(self.stage, "`stage`")


def open_run(
    path: str | Path, *, run_id: str | None = None, n_params: float | None = None, n_tokens: float | None = None
) -> Run:
    """Read the facts of a run directory, or of a plain Hugging Face folder.

    run_id    name in the table; that of the pretrained run, or the folder's name where there is no run.json
    n_params  parameters of a plain folder; counted from its config (head in, input embedding out) where not given
    n_tokens  training tokens of a plain folder, which nothing in it tells
    Raises PrerequisiteError where there is no finished checkpoint, DataError where run.json lacks a fact, ArgumentError
    for facts given twice.
    """
    path = Path(path)
    record = read_run_record(path)
    folder = path / "model" if record is not None else path
    if not (folder / "config.json").is_file():
        raise PrerequisiteError(
            f"`{path}` holds no finished checkpoint: it has neither run.json with model/config.json, nor config.json. "
            "Give the directory that `t2 pretrain` wrote, or a Hugging Face model folder."
        )
    if record is None:
        return _plain(folder, run_id, n_params, n_tokens)
    if n_params is not None or n_tokens is not None:
        raise ArgumentError(
            f"`{path}` has a run.json, which tells its parameters and tokens: leave out --n-params, --n-tokens."
        )
    return _recorded(path, folder, record, run_id)


def _recorded(path: Path, folder: Path, record: RunRecord, run_id: str | None) -> Run:
    return Run(
        run_id=run_id or record.checkpoint,
        stage=record.stage or "base",
        folder=folder,
        n_params=record.n_params,
        n_tokens=record.n_tokens,
        convention=record.convention or "unstated",
        facts=record.facts,
        fingerprint=_fingerprint(path / "run.json", check_weights(path, record)),
    )


def _plain(folder: Path, run_id: str | None, n_params: float | None, n_tokens: float | None) -> Run:
    if n_tokens is None:
        raise DataError(
            f"`{folder}` has no run.json: say on how many tokens it was trained with --n-tokens, like 300B."
        )
    return Run(
        run_id=run_id or folder.resolve().name,
        stage="base",
        folder=folder,
        n_params=int(n_params) if n_params is not None else count_params(folder),
        n_tokens=n_tokens,
        convention="unstated" if n_params is not None else "with_head",
        facts={},
        fingerprint=_fingerprint(folder / "config.json", weights_sha256(folder)),
    )


def count_params(folder: Path) -> int:
    """Parameters of a Hugging Face folder with the output head and without the input embedding.

    Counted on a model without storage, so nothing is read but the config. A tied matrix counts once, as the head.
    """
    need_training_extra("evaluation")
    import torch
    import transformers

    with refused(folder, "config"):
        config = transformers.AutoConfig.from_pretrained(folder, trust_remote_code=False)
        with torch.device("meta"):
            model = transformers.AutoModelForCausalLM.from_config(config, trust_remote_code=False)
    total = sum(parameter.numel() for parameter in model.parameters())
    tied = model.get_input_embeddings().weight is model.get_output_embeddings().weight
    return total if tied else total - model.get_input_embeddings().weight.numel()


def _fingerprint(facts: Path, weights: str) -> str:
    """Of a file of facts and of the weights it tells of."""
    return hashlib.sha256(facts.read_bytes() + weights.encode()).hexdigest()


@contextmanager
def refused(folder: Path, what: str) -> Iterator[None]:
    """Turn whatever transformers and safetensors make of a foreign folder into one paragraph.

    A damaged file or an unknown architecture may raise almost anything there: OSError, KeyError, a SafetensorError, a
    TypeError from deep inside. Code that a folder brings along is never run.
    """
    try:
        yield
    except T2Error:
        raise
    except Exception as error:
        reason = shown(" ".join(str(error).split()) or type(error).__name__, 300)
        if "trust_remote_code" in reason:  # transformers advises to run it
            reason = "it brings code of its own, which is never run here."
        raise DataError(
            f"the {what} of `{folder}` cannot be read as that of a causal language model which transformers knows: "
            f"{reason} Check that the folder is whole and that its architecture needs no code of its own."
        ) from error
