"""run.json: what a finished run says of itself.

`t2 pretrain` and `t2 posttrain` write it beside the Hugging Face folder model/; it is read wherever a checkpoint is
measured, here or by another harness.
"""

import hashlib
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictStr

from t2scaling import artefacts
from t2scaling.errors import DataError, PrerequisiteError
from t2scaling.foreign import read_json, safe_name, shown, validate

FILE = "run.json"
# Run columns of the canonical table that run.json may hold, beside run_id, n_params and n_tokens.
OPTIONAL_FACTS = ("train_flops", "family", "seed", "unique_tokens", "overtrained")

Name = Annotated[StrictStr, AfterValidator(lambda name: safe_name(name, "the name"))]
Count = Annotated[float, Field(gt=0)]


class RunRecord(BaseModel):
    """The facts of a run; what else run.json holds (shape, training, versions, …) is kept beside them.

    n_params    parameters N, counted as `convention` says
    n_tokens    training tokens D
    base_run_id the pretrained run that a post-trained one comes from
    sha256      of its weights
    """

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)

    run_id: Name
    n_params: Annotated[int, Field(gt=0, lt=2**62)]
    n_tokens: Count
    stage: Name | None = None
    base_run_id: Name | None = None
    sha256: StrictStr | None = None
    convention: StrictStr | None = None
    train_flops: Count | None = None
    family: StrictStr | None = None
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)] | None = None
    unique_tokens: Count | None = None
    overtrained: bool | None = None

    @property
    def facts(self) -> dict[str, Any]:
        """The optional run columns that are known."""
        return {name: getattr(self, name) for name in OPTIONAL_FACTS if getattr(self, name) is not None}

    @property
    def checkpoint(self) -> str:
        """Name of the checkpoint in a table: one run at several stages bears one name, by which stages are compared."""
        return self.base_run_id or self.run_id


def read_run_record(folder: str | Path) -> RunRecord | None:
    """run.json of a run's folder, or None where there is none. Raises DataError where it is damaged."""
    path = Path(folder) / FILE
    if not path.is_file():
        return None
    way_out = "Was it written by `t2 pretrain`? Delete it and run that again."
    return validate(RunRecord, read_json(path, way_out=way_out), f"`{path}`", DataError, way_out)


def weights_sha256(model: str | Path) -> str:
    """SHA-256 of the weights of a Hugging Face folder; of the hashes of all its weight files where it has several.

    Raises PrerequisiteError where it has no safetensors.
    """
    files = sorted(Path(model).glob("*.safetensors"))
    if not files:
        raise PrerequisiteError(
            f"`{model}` has no weights in safetensors, the one format that is read (others can run code when they are "
            "opened): save the model again with `save_pretrained(folder, safe_serialization=True)`."
        )
    sums = [artefacts.sha256(file) for file in files]
    return sums[0] if len(sums) == 1 else hashlib.sha256("".join(sums).encode()).hexdigest()


def check_weights(folder: str | Path, record: RunRecord) -> str:
    """The SHA-256 of a run's weights. Raises DataError where they are not the ones that its run.json tells of."""
    found = weights_sha256(Path(folder) / "model")
    if record.sha256 not in (None, found):
        raise DataError(
            f"the weights in `{Path(folder) / 'model'}` are not those of run.json (SHA-256 {found[:12]}… instead of "
            f"{shown(str(record.sha256), 12)}…): they were damaged or replaced. Delete `{Path(folder)}` and train the "
            "run again, or give a folder of other weights with --n-tokens."
        )
    return found
