"""The cells of a suite under 200 thousand parameters, as `t2 study` trains them, against one after another in Trainer.

Both train the same models on the same batches of the same text for the same steps: the small cells of the `world`
recipe up to a budget. `t2 study` takes them in parallel, one thread each, with its worker processes started inside
the clock. The reference is `transformers.Trainer` on one cell after another in one process with torch's default
threads, its imports outside the clock. Neither writes checkpoints on the way; both write the final model.

    python benchmarks/suite_throughput.py [--budget 4e10] [--jobs N] [--threads N]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

LARGEST = 200_000


def small_cells(budget: float, corpus_tokens: int = 2_000_000):
    """The world suite cut to its small sizes and budgets."""
    from t2scaling.testbed.suite import world

    suite = world()
    cells = tuple(c for c in suite.cells if c.n_params < LARGEST and c.level <= 1.01 * budget)
    return replace(suite, cells=cells, corpus_tokens=corpus_tokens)


def with_study(suite, corpus: Path, out: Path, jobs: int | None) -> float:
    """Seconds that the study's workers take, from their start to the last model written."""
    from t2scaling.testbed.study.config import StudyConfig
    from t2scaling.testbed.study.flow import carry_out
    from t2scaling.testbed.study.jobs import Study
    from t2scaling.testbed.study.layout import Layout
    from t2scaling.testbed.study.starters.places import places

    config = StudyConfig.model_validate({"suite": {"recipe": "world"}, "evaluate": {"tasks": []}, "device": "cpu"})
    study = Study(config, suite, Layout(out))
    suite.save(study.layout.suite)
    study.layout.corpus.symlink_to(corpus)
    start = time.perf_counter()
    _, ended = carry_out(study, places(jobs, "cpu"), lambda sentence: None)
    seconds = time.perf_counter() - start
    failed = {name: status.note for name, status in ended.failed().items()}
    if failed:
        raise SystemExit(f"runs failed: {failed}")
    return seconds


def with_trainer(suite, corpus: Path, out: Path, threads: int | None) -> tuple[float, int]:
    """Seconds that Trainer takes for the same cells in a process of its own, and the threads that it used."""
    suite.save(out / "suite.json")
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    if threads:
        environment["OMP_NUM_THREADS"] = str(threads)
    command = [sys.executable, __file__, "--trainer", str(out / "suite.json"), str(corpus), str(out)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, text=True)
    answer = json.loads(done.stdout.splitlines()[-1])
    return answer["seconds"], answer["threads"]


def run_trainer(suite_file: Path, corpus_dir: Path, out: Path) -> None:
    """The reference: one cell after another. Prints its seconds as the last line."""
    import torch
    from transformers import Qwen3ForCausalLM, Trainer, TrainingArguments

    from t2scaling.testbed.corpus import open_corpus
    from t2scaling.testbed.pretrain.data import split
    from t2scaling.testbed.pretrain.model import qwen3_config
    from t2scaling.testbed.suite import Suite

    suite = Suite.load(suite_file)
    text, _ = split(open_corpus(corpus_dir), suite)

    class Rows(torch.utils.data.Dataset):
        """Row i of the stream of batches that the study reads."""

        def __init__(self, cell) -> None:
            self.cell = cell

        def __len__(self) -> int:
            return suite.steps(self.cell) * self.cell.batch_size

        def __getitems__(self, indices: list[int]) -> list[dict[str, torch.Tensor]]:
            batch = text.batch(indices[0] // self.cell.batch_size, self.cell.batch_size, suite.seq_len, suite.seed)
            ids = torch.from_numpy(batch[:, :-1])
            return [{"input_ids": row, "labels": row} for row in ids]

    class InOrder(Trainer):
        def _get_train_sampler(self, *args):
            return torch.utils.data.SequentialSampler(self.train_dataset)

    given, start = suite.training, time.perf_counter()
    for cell in suite.cells:
        torch.manual_seed(suite.seed)
        model = Qwen3ForCausalLM(qwen3_config(cell.shape, suite.seq_len))
        steps = suite.steps(cell)
        arguments = TrainingArguments(
            output_dir=str(out / cell.run_id),
            max_steps=steps,
            per_device_train_batch_size=cell.batch_size,
            learning_rate=given.learning_rate,
            adam_beta1=given.beta1,
            adam_beta2=given.beta2,
            weight_decay=given.weight_decay,
            max_grad_norm=given.clip,
            lr_scheduler_type="cosine",
            warmup_steps=min(steps - 1, cell.n_params // (cell.batch_size * suite.seq_len)),
            logging_steps=given.log_every,
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
            use_cpu=True,
            dataloader_pin_memory=False,
        )
        trainer = InOrder(model=model, args=arguments, train_dataset=Rows(cell))
        trainer.train()
        trainer.save_model()
    print(json.dumps({"seconds": time.perf_counter() - start, "threads": torch.get_num_threads()}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--budget", type=float, default=4e10, help="largest FLOPs of a cell")
    parser.add_argument("--jobs", type=int, help="workers of the study; one per core by default")
    parser.add_argument("--threads", type=int, help="threads of Trainer; torch's default where left out")
    parser.add_argument("--trainer", nargs=3, type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.trainer:
        run_trainer(*given.trainer)
        return
    from t2scaling.testbed.pretrain import prepare_corpus
    from t2scaling.testbed.study.starters.places import cores

    suite = small_cells(given.budget)
    tokens = sum(cell.n_tokens for cell in suite.cells)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        prepare_corpus(suite, root / "corpus")
        ours = with_study(suite, root / "corpus", root / "study", given.jobs)
        reference, threads = with_trainer(suite, root / "corpus", root / "trainer", given.threads)
    print(f"{len(suite.cells)} cells, {tokens:,} tokens")
    print(f"t2 study              {ours:7.1f} s {tokens / ours:9,.0f} tokens/s, {given.jobs or cores()} workers")
    print(f"transformers.Trainer  {reference:7.1f} s {tokens / reference:9,.0f} tokens/s, {threads} threads")
    print(f"suite throughput ratio (Trainer time / study time): {reference / ours:.2f}")


if __name__ == "__main__":
    main()
