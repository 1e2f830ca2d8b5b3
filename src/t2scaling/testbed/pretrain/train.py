"""Pretrain one run of a suite: `pretrain` from top to bottom.

    runs/<run_id>/  checkpoints/step-N/   while it lasts; see checkpoint.py
                    metrics.jsonl         loss and speed along the way; see metrics.py
                    model/                the final Hugging Face folder, tokenizer included
                    run.json              the facts of the run, written last: a run is done if and only if it is there

The same suite, seed and machine give the same weights bit for bit, however often the run was interrupted: the batch of
a step is a function of the step, nothing else is drawn at random, and checkpoints hold everything that a step reads.
"""

import shutil
from pathlib import Path

from t2scaling import artefacts
from t2scaling.testbed.corpus import open_corpus
from t2scaling.testbed.pretrain import checkpoint, distributed
from t2scaling.testbed.pretrain.data import split, validation_loss
from t2scaling.testbed.pretrain.device import place
from t2scaling.testbed.pretrain.fingerprint import check_fingerprint, pretrain_fingerprint
from t2scaling.testbed.pretrain.lock import run_lock
from t2scaling.testbed.pretrain.loop import Loop, Report
from t2scaling.testbed.pretrain.metrics import Metrics, final_loss
from t2scaling.testbed.pretrain.model import build
from t2scaling.testbed.pretrain.record import read_run, run_facts
from t2scaling.testbed.pretrain.schedule import schedule_for
from t2scaling.testbed.pretrain.trunk import start_from_trunk
from t2scaling.testbed.suite import Suite, training_bytes


def pretrain(
    suite: Suite,
    run_id: str,
    out_dir: str | Path,
    corpus_dir: str | Path,
    *,
    device: str = "auto",
    trackers: tuple[str, ...] = (),
    report: Report | None = None,
    shard: bool | None = None,
) -> Path:
    """Train the run `run_id` of `suite` and return its folder out_dir/run_id.

    device     auto, cpu or cuda
    trackers   tensorboard, trackio: where metrics go besides metrics.jsonl
    report     called with each row of metrics
    shard      of several processes: whether they split the model; None where no GPU holds it (see `suite.memory`)

    A run that is done is returned as it is; one that was interrupted goes on from its newest undamaged checkpoint.
    Several processes started by torchrun share the run, each with its part of every batch. Raises SuiteError where
    suite and corpus do not fit or the folder holds a run of another plan, BusyError where another process trains this
    run, DiskError where the disk is full, and DivergedError where the loss is no longer a number.
    """
    cell, training, seq_len = suite.cell(run_id), suite.training, suite.seq_len
    seed = suite.run_seed(cell)
    folder, root = Path(out_dir) / run_id, Path(out_dir) / run_id / "checkpoints"
    corpus, heldout = split(open_corpus(corpus_dir), suite)
    mark = pretrain_fingerprint(suite, cell, corpus)
    where = place(device, training, training_bytes(cell.shape, seq_len), shard)
    with checkpoint.room(folder), run_lock(folder, wanted=where.main):
        distributed.wait(where.world)
        if (folder / "run.json").exists():
            check_fingerprint(folder, read_run(folder), mark)
            return folder
        model = build(
            cell.shape, seq_len, seed=seed, init_std=training.init_std, device=where.cradle, dtype=where.dtype
        )
        schedule = schedule_for(cell, training, seq_len)
        loop = Loop(model, cell.batch_size, seq_len, training, schedule, where, mark)
        notes = loop.resume(root)
        if training.schedule == "wsd" and loop.step < schedule.branch:
            start_from_trunk(loop, suite, cell, Path(out_dir), corpus, report)
        with Metrics(folder, run_id, loop.step, trackers, where.main) as metrics:
            while loop.step < schedule.steps:
                loop.train_step(corpus.batch(loop.step, cell.batch_size, seq_len, seed))
                loop.log(metrics, report)
                loop.checkpoint_if_due(root, training.keep_checkpoints)
        weights, validation = loop.model.state(), validation_loss(loop.model, heldout, where)
        if where.main:
            sha256 = checkpoint.save_model(folder / "model", loop.model.hf, weights, Path(corpus_dir) / "tokenizer")
            losses = {"train": final_loss(folder), "validation": validation}
            facts = run_facts(suite, cell, corpus, loop)
            artefacts.write_json(folder / "run.json", facts | {"loss": losses, "sha256": sha256, "notes": notes})
            shutil.rmtree(root, ignore_errors=True)
        distributed.wait(where.world)
    return folder
