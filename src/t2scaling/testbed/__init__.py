"""Run it: plan, pretrain, post-train and evaluate a suite of checkpoints. Needs the `[train]` extra; the core of the
package imports nothing of it, and the two meet in observations.parquet alone.
"""

from importlib.util import find_spec

from t2scaling.errors import PrerequisiteError

_TRAINING_EXTRA = ("torch", "transformers", "tokenizers", "safetensors")


def need_training_extra(work: str) -> None:
    """Raise PrerequisiteError that says what to install, where `work` (such as "pretraining") cannot be done."""
    missing = [name for name in _TRAINING_EXTRA if find_spec(name) is None]
    if missing:
        raise PrerequisiteError(
            f"{work} needs {', '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not installed: "
            "pip install 't2scaling[train]'."
        )
