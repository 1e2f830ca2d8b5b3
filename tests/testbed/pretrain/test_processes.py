"""Several processes on one run: data-parallel and sharded, killed, and gone on with by another number of them."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import socket
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from t2scaling.errors import SuiteError
from t2scaling.testbed.pretrain import distributed, pretrain, read_run
from t2scaling.testbed.pretrain.device import Place, place
from t2scaling.testbed.pretrain.metrics import read_metrics
from t2scaling.testbed.suite import ModelShape, Suite, TrainingConfig, gpus_needed, training_bytes

STOP = 6  # the step at which a run is interrupted in some tests


def child(rank: int, world: int, port: int, arguments: tuple[Any, ...], shard: bool, until: int | None) -> None:
    """One process of a run, as torchrun starts it; ends without a word after step `until`."""
    names = {"RANK": rank, "WORLD_SIZE": world, "LOCAL_RANK": rank, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    os.environ |= {name: str(value) for name, value in names.items()}
    torch.set_num_threads(1)

    def report(row: dict[str, float]) -> None:
        if row["step"] == until:
            os._exit(9)

    pretrain(*arguments, device="cpu", shard=shard, report=report)


def run(world: int, *arguments: Any, shard: bool = False, until: int | None = None) -> None:
    """Train with so many processes; with `until` all are killed when the first is past that step."""
    context = multiprocessing.get_context("forkserver")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    children: list[BaseProcess] = [
        context.Process(target=child, args=(rank, world, port, arguments, shard, until)) for rank in range(world)
    ]
    for one in children:
        one.start()
    children[0].join()
    for one in children[1:]:
        if until is not None:
            one.kill()
        one.join()
    if until is None:
        assert [one.exitcode for one in children] == [0] * world


@pytest.fixture(scope="module")
def suite(small_suite: Suite) -> Suite:
    """Ten steps of eight rows, every one logged and saved.

    A step is g / (|g| + eps) at first: with the usual eps, gradients of rounding's size would be steps of full size.
    """
    cell = small_suite.cells[0]
    training = replace(small_suite.training, log_every=1, keep_checkpoints=10, eps=1e-5)
    return replace(small_suite, cells=(replace(cell, n_tokens=10 * 256),), training=training)


@pytest.fixture(scope="module")
def alone(suite: Suite, corpus_dir: Path, spawn: Callable[..., BaseProcess], tmp_path_factory: Any) -> Path:
    """The run of one process, and beside it the same run interrupted at STOP, with its checkpoints."""
    out = tmp_path_factory.mktemp("alone")
    run(1, suite, "run", out, corpus_dir)
    run(1, suite, "run", out / "interrupted", corpus_dir, until=STOP)
    return out


def apart(found: Path, expected: Path) -> float:
    """Norm of the difference of two files of tensors over the norm of what is expected."""
    a, b = load_file(found), load_file(expected)
    assert a.keys() == b.keys()
    assert all(a[name].shape == b[name].shape for name in b)
    difference = torch.stack([(a[name] - b[name]).norm() for name in b]).norm()
    return float(difference / torch.stack([tensor.norm() for tensor in b.values()]).norm())


@pytest.mark.parametrize(
    ("first", "then", "shard"),
    [(2, 4, False), (4, 1, False), (2, 1, True), (4, 2, True), (3, 3, True)],
    ids=["2 to 4", "4 to 1", "2 sharded to 1", "4 sharded to 2 sharded", "3 sharded"],
)
def test_any_number_of_processes_gives_the_same_run(
    suite: Suite, corpus_dir: Path, alone: Path, tmp_path: Path, first: int, then: int, shard: bool
) -> None:
    """The gradient (AdamW's first moment after a step), a checkpoint, and the end, reached by another number."""
    run(first, suite, "run", tmp_path, corpus_dir, shard=shard, until=STOP)
    ours, theirs = (path / "run" / "checkpoints" for path in (tmp_path, alone / "interrupted"))
    assert apart(ours / "step-1" / "optimizer.safetensors", theirs / "step-1" / "optimizer.safetensors") < 1e-6
    last = f"step-{STOP - 1}"
    assert apart(ours / last / "model.safetensors", theirs / last / "model.safetensors") < 1e-5
    run(then, suite, "run", tmp_path, corpus_dir, shard=shard and then > 1)
    weights = Path("run") / "model" / "model.safetensors"
    assert apart(tmp_path / weights, alone / weights) < 1e-5
    found, expected = read_run(tmp_path / "run"), read_run(alone / "run")
    assert found["loss"] == pytest.approx(expected["loss"], rel=1e-5)
    rows = [[row["step"], row["loss"]] for row in read_metrics(tmp_path / "run")]
    assert rows == [pytest.approx([row["step"], row["loss"]], rel=1e-5) for row in read_metrics(alone / "run")]


def test_one_process_is_bit_for_bit_what_it_was(suite: Suite, corpus_dir: Path, alone: Path, tmp_path: Path) -> None:
    shutil.copytree(alone / "interrupted", tmp_path / "again")
    run(1, suite, "run", tmp_path / "again", corpus_dir)
    assert read_run(tmp_path / "again" / "run")["sha256"] == read_run(alone / "run")["sha256"]


def test_more_processes_than_rows_are_refused(suite: Suite, tmp_path: Path) -> None:
    from t2scaling.testbed.pretrain.loop import Loop

    where = Place(torch.device("cpu"), torch.float32, world=9)
    with pytest.raises(SuiteError, match="9 processes share batches of 8"):
        Loop(None, 8, 32, suite.training, None, where)  # type: ignore[arg-type]


def test_a_process_alone_shares_nothing() -> None:
    where = place("cpu", TrainingConfig(), shard=True)
    assert (where.rank, where.world, where.sharded, where.cradle) == (0, 1, False, torch.device("cpu"))
    assert distributed.any_of((True, False), where.device, 1) == (True, False)


def test_gpus_by_memory() -> None:
    """18 bytes a parameter on one device; 16/g and what is gathered where that is more than a device has."""
    small = ModelShape(1536, 24, 12, 4096, 32_000)
    assert small.n_params("total") == pytest.approx(0.78e9, rel=0.05)
    assert training_bytes(small, 0) == 18 * small.n_params("total")
    # One sequence of 2,048 tokens: 24 blocks × (12 × 1,536 + 4 × 4,096 numbers of 2 bytes, and norms) is 4.6 GB more.
    assert training_bytes(small, 2048) == pytest.approx(18 * small.n_params("total") + 4.6e9, rel=0.02)
    assert gpus_needed(small, 2048, 80e9) == 1
    large = ModelShape(4096, 32, 32, 11_008, 32_000)  # 7B: 126 GB of state
    assert gpus_needed(large, 2048, 80e9) == 2
    assert gpus_needed(large, 2048, 40e9) == 4
    with pytest.raises(SuiteError, match="`gpu_memory` = 8"):
        gpus_needed(large, 2048, 8e9)
