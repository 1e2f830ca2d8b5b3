"""run.json: the facts of a finished run."""

import platform
from pathlib import Path
from typing import Any

import torch

from t2scaling.errors import SuiteError
from t2scaling.run_record import read_run_record
from t2scaling.testbed.corpus import Corpus
from t2scaling.testbed.pretrain.device import Place
from t2scaling.testbed.pretrain.loop import Loop
from t2scaling.testbed.suite import Cell, Suite


def run_facts(suite: Suite, cell: Cell, corpus: Corpus, loop: Loop) -> dict[str, Any]:
    """What run.json says of a pretrained run, apart from its losses."""
    return {
        "run_id": cell.run_id,
        "stage": "base",
        "fingerprint": loop.fingerprint,
        "suite": suite.name,
        "n_params": cell.n_params,
        "convention": suite.convention,
        "n_params_by_group": cell.shape.groups(),
        "n_tokens": cell.n_tokens,
        "unique_tokens": corpus.unique_tokens(cell.n_tokens, suite.seq_len),
        "train_flops": cell.train_flops,
        "level": cell.level,
        "overtrained": cell.overtrained,
        "seed": suite.run_seed(cell),
        "steps": loop.step,
        "batch_size": cell.batch_size,
        "seq_len": suite.seq_len,
        "seconds": loop.seconds,
        "tokens_per_second": cell.n_tokens / max(loop.seconds, 1e-9),
        "shape": cell.shape.to_dict(),
        "training": suite.training.to_dict(),
        **machine_facts(loop.place),
    }


def machine_facts(where: Place) -> dict[str, Any]:
    """Precision, device, threads and versions: what else the weights depend on."""
    import transformers

    from t2scaling import __version__

    on_gpu = where.device.type == "cuda"
    return {
        "precision": str(where.dtype).removeprefix("torch."),
        "device": torch.cuda.get_device_name(where.device) if on_gpu else f"cpu ({platform.machine()})",
        "threads": torch.get_num_threads(),
        "processes": where.world,
        "versions": {
            "t2scaling": __version__,
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "python": platform.python_version(),
        },
    }


def read_run(folder: str | Path) -> dict[str, Any]:
    """run.json of a finished run. Raises SuiteError where there is none, DataError where it is damaged."""
    record = read_run_record(folder)
    if record is None:
        raise SuiteError(f"`{folder}` is no finished run (no run.json): train it with `t2 pretrain` first.")
    return {"stage": "base", **record.model_dump(exclude_none=True)}
