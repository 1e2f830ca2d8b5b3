"""Training speed against `transformers.Trainer` on the same model and batch, one thread each.

    python benchmarks/training.py [--rounds 5] [--sizes 14k,180k]
    python benchmarks/training.py --utilisation        on a GPU: share of the peak reached with the 149M shape

Both sides train the same Qwen3 model on the same 32 × 128 tokens per step in float32 with AdamW, clipping and a cosine,
log every 20 steps and write nothing else; the z-loss is computed on our side only. They take turns in one process, and
the clock of each begins after its first steps. It counts the process's CPU seconds, which on one thread are the time
that a machine without other work would take. A round is a pair of runs; the ratio is the median over rounds.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from t2scaling.testbed.pretrain.device import place
from t2scaling.testbed.pretrain.loop import Loop
from t2scaling.testbed.pretrain.metrics import Metrics
from t2scaling.testbed.pretrain.model import Model, build
from t2scaling.testbed.pretrain.schedule import Schedule
from t2scaling.testbed.suite import ModelShape, TrainingConfig

SEQ_LEN, BATCH, VOCAB, WARM = 128, 32, 512, 5
SHAPES = {
    "14k": ModelShape(16, 2, 1, 48, VOCAB),
    "41k": ModelShape(32, 2, 1, 80, VOCAB),
    "180k": ModelShape(64, 3, 2, 172, VOCAB),
    "850k": ModelShape(128, 4, 4, 342, VOCAB),
}
SECONDS_PER_RUN = 3.0


def ours(shape: ModelShape, tokens: np.ndarray, steps: int, folder: Path) -> float:
    """CPU seconds of `steps` steps of the pretraining loop, its rows of metrics included."""
    config = TrainingConfig()
    loop = Loop(_model(shape), BATCH, SEQ_LEN, config, Schedule("cosine", 3e-3, 10, WARM + steps), place("cpu", config))
    with Metrics(folder, "benchmark", 0) as metrics:
        start = 0.0
        for step in range(WARM + steps):
            if step == WARM:
                start = time.process_time()
            loop.train_step(_batch(tokens, step))
            loop.log(metrics, None)
        return time.process_time() - start


def trainer(shape: ModelShape, tokens: np.ndarray, steps: int, folder: Path) -> float:
    """CPU seconds of `steps` steps of `transformers.Trainer`."""
    from transformers import Trainer, TrainerCallback, TrainingArguments
    from transformers.trainer_callback import PrinterCallback

    class Clock(TrainerCallback):
        start = 0.0

        def on_step_begin(self, args, state, control, **kwargs):
            if state.global_step == WARM:
                self.start = time.process_time()

    rows = np.concatenate([_batch(tokens, step) for step in range(WARM + steps)])[:, :-1]
    data = [{"input_ids": row, "labels": row} for row in torch.from_numpy(np.ascontiguousarray(rows))]
    arguments = TrainingArguments(
        output_dir=str(folder),
        max_steps=WARM + steps,
        per_device_train_batch_size=BATCH,
        learning_rate=3e-3,
        lr_scheduler_type="cosine",
        warmup_steps=10,
        adam_beta2=0.95,
        weight_decay=1e-4,
        max_grad_norm=1.0,
        optim="adamw_torch_fused",
        logging_steps=20,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        use_cpu=True,
        dataloader_pin_memory=False,
    )
    clock = Clock()
    runner = Trainer(model=_plain(shape), args=arguments, train_dataset=data, callbacks=[clock])
    runner.remove_callback(PrinterCallback)
    runner.train()
    return time.process_time() - clock.start


def _model(shape: ModelShape) -> Model:
    return build(shape, SEQ_LEN, seed=0, init_std=0.02, device=torch.device("cpu"))


def _plain(shape: ModelShape):
    """The same model as transformers makes it, its parameters not shared with ours."""
    import copy

    return copy.deepcopy(_model(shape).hf).requires_grad_(True)


def _batch(tokens: np.ndarray, step: int) -> np.ndarray:
    return tokens[(step * BATCH + np.arange(BATCH)) % len(tokens)]


def compare(name: str, rounds: int) -> None:
    """Print tokens per second of both sides and their ratio for one size."""
    shape = SHAPES[name]
    tokens = np.random.default_rng(0).integers(0, VOCAB, (4096, SEQ_LEN + 1))
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        pilot = ours(shape, tokens, 10, folder) / 10
        steps = max(20, round(SECONDS_PER_RUN / pilot))
        pairs = []
        for index in range(rounds):
            sides = [ours, trainer] if index % 2 else [trainer, ours]
            seconds = {side: side(shape, tokens, steps, folder) for side in sides}
            pairs.append((seconds[ours], seconds[trainer]))
    per_run = steps * BATCH * SEQ_LEN
    mine, theirs = (per_run / statistics.median(times) for times in zip(*pairs, strict=True))
    ratios = sorted(theirs_s / mine_s for mine_s, theirs_s in pairs)
    print(
        f"{name:>5}  N = {shape.n_params():>7,}   ours {mine:>9,.0f}   Trainer {theirs:>9,.0f} tokens/s   "
        f"ratio {statistics.median(ratios):.2f} (rounds {ratios[0]:.2f} to {ratios[-1]:.2f})",
        flush=True,
    )


def utilisation() -> None:
    """Print the share of the GPU's bfloat16 peak that the 149M shape reaches at 256 × 2048 tokens per step."""
    from t2scaling.costs import train_flops_per_token

    shape, config, seq_len, batch = ModelShape(704, 18, 4, 2048, 50_432), TrainingConfig(), 2048, 256
    where = place("cuda", config)
    model = build(shape, seq_len, seed=0, init_std=0.02, device=where.device, dtype=where.dtype)
    loop = Loop(model, batch, seq_len, config, Schedule("cosine", 3e-3, 10, 100), where)
    tokens = np.random.default_rng(0).integers(0, shape.vocab_size, (batch, seq_len + 1))
    times = []
    for _ in range(6):
        start = time.perf_counter()
        loop.train_step(tokens)
        torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    speed = batch * seq_len / statistics.median(times[2:])
    flops = speed * train_flops_per_token(shape, seq_len)
    share = f"{flops / where.peak:.1%} of its peak" if where.peak else "its peak is not in the table"
    name = torch.cuda.get_device_name(where.device)
    print(f"149M on {name}: {speed:,.0f} tokens/s, {flops / 1e12:.0f} TFLOP/s, {share}; {loop.micro} rows at once")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sizes", default=",".join(SHAPES))
    parser.add_argument("--utilisation", action="store_true")
    arguments = parser.parse_args()
    if arguments.utilisation:
        utilisation()
        return
    torch.set_num_threads(1)
    for name in arguments.sizes.split(","):
        compare(name, arguments.rounds)


if __name__ == "__main__":
    main()
