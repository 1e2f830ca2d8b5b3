"""The shared trunk of a warmup-stable-decay suite: one run of constant rate per size, with a checkpoint per budget.

    runs/.trunks/<shape>/checkpoints/step-N/   N: the step at which some cell of this size begins its decay

The first cell of a size to need the trunk trains it as far as its own branch; the next goes on from there. A cell
copies nothing: it loads the checkpoint of its branch and trains the decay by itself.
"""

import shutil
from pathlib import Path

from t2scaling.testbed.corpus import Corpus
from t2scaling.testbed.pretrain import checkpoint, distributed
from t2scaling.testbed.pretrain.lock import run_lock
from t2scaling.testbed.pretrain.loop import Loop, Report
from t2scaling.testbed.pretrain.metrics import Metrics
from t2scaling.testbed.pretrain.schedule import schedule_for
from t2scaling.testbed.suite import Cell, Suite


def start_from_trunk(
    loop: Loop, suite: Suite, cell: Cell, out_dir: Path, corpus: Corpus, report: Report | None
) -> None:
    """Bring a fresh `loop` to the beginning of its decay, training the trunk as far as it is missing."""
    name = cell.shape.name + (f"-s{cell.seed}" if cell.seed else "")
    folder = out_dir / ".trunks" / name
    root = folder / "checkpoints"
    twins = [other for other in suite.cells if (other.shape, other.seed) == (cell.shape, cell.seed)]
    branches = {schedule_for(twin, suite.training, suite.seq_len).branch for twin in twins}
    branch = loop.schedule.branch
    # Another cell may be training the trunk: what it writes is wanted here too, so this one waits.
    with run_lock(folder, wait=True, wanted=loop.place.main):
        distributed.wait(loop.place.world)
        loop.resume(root, at_most=branch)
        if loop.step == branch:
            return
        with Metrics(folder, f"trunk {name}", loop.step, enabled=loop.place.main) as metrics:
            while loop.step < branch:
                loop.train_step(corpus.batch(loop.step, cell.batch_size, suite.seq_len, suite.run_seed(cell)))
                loop.log(metrics, report)
                if loop.step in branches:
                    loop.save(root, keep=None)
                else:
                    loop.checkpoint_if_due(root, keep=None)
        for path in checkpoint.checkpoints(root) if loop.place.main else []:
            step = int(path.name.removeprefix("step-"))
            if step < branch and step not in branches:
                shutil.rmtree(path)
