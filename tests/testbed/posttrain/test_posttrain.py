"""Post-training: which tokens count, equal steps, and what the result says of itself."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from t2scaling import artefacts
from t2scaling.cli.main import run
from t2scaling.errors import SuiteError
from t2scaling.testbed.posttrain import posttrain
from t2scaling.testbed.posttrain.examples import Examples, make_examples
from t2scaling.testbed.pretrain import read_run
from t2scaling.testbed.pretrain.metrics import read_metrics
from t2scaling.testbed.tasks import Task, save


def nll(model_folder: Path, examples: Examples) -> float:
    """Mean over questions of the weighted tokens' NLL, by plain transformers."""
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(model_folder)
    ids, weights = torch.from_numpy(examples.ids), torch.from_numpy(examples.weights)
    with torch.no_grad():
        log_p = model(input_ids=ids).logits[:, :-1].log_softmax(-1)
    return float(-(log_p.gather(-1, ids[:, 1:, None])[..., 0] * weights).sum() / len(ids))


def test_the_answer_alone_counts_in_sft(base_run: Path, colours: Task) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(base_run / "model")
    everything = make_examples(colours, base_run / "model", "ft", 64)
    answers = make_examples(colours, base_run / "model", "sft", 64)
    assert np.array_equal(everything.ids, answers.ids)
    for row, question in enumerate(colours.questions("train")):
        targets = answers.ids[row, 1:]
        assert tokenizer.decode(targets[answers.weights[row] == 1]) == question.answer
        n = int(everything.weights[row].sum()) + 1
        assert tokenizer.decode(everything.ids[row, :n]) == question.text
        assert everything.weights[row, n - 1 :].sum() == 0


def test_each_epoch_sees_every_question_once(base_run: Path, colours: Task) -> None:
    examples = make_examples(colours, base_run / "model", "ft", 64)
    assert examples.steps(batch_size=4, epochs=6) == 18
    orders = []
    for epoch in range(2):
        batches = [examples.batch(3 * epoch + i, 4, seed=7) for i in range(3)]
        rows = [tuple(ids[: sum(ids != 0)]) for batch, _ in batches for ids in batch]
        assert sorted(rows) == sorted(tuple(ids[:n]) for ids, n in zip(examples.ids, examples.lengths, strict=True))
        orders.append(rows)
    assert orders[0] != orders[1]


@pytest.mark.parametrize("mode", ["ft", "sft"])
def test_a_batch_is_as_wide_as_its_longest_question(base_run: Path, colours: Task, mode: str) -> None:
    examples = make_examples(colours, base_run / "model", mode, 64)
    ids, weights = examples.batch(0, 1, seed=7)
    row = int(np.flatnonzero((examples.ids[:, : ids.shape[1]] == ids[0]).all(axis=1))[0])
    assert ids.shape[1] == examples.lengths[row] == weights.shape[1] + 1
    assert weights[0, -1] == 1
    assert weights.sum() == examples.weights[row].sum()


@pytest.mark.parametrize("mode", ["ft", "sft"])
def test_tuning_teaches_the_questions(base_run: Path, colours: Task, mode: str, tmp_path: Path) -> None:
    folder = posttrain(base_run, colours, mode, tmp_path, learning_rate=5e-3, batch_size=4, epochs=20, device="cpu")
    assert folder.name == f"base-{mode}-colours"
    examples = make_examples(colours, base_run / "model", mode, 64)
    assert nll(folder / "model", examples) < 0.5 * nll(base_run / "model", examples)
    base, facts = read_run(base_run), read_run(folder)
    assert facts["stage"] == mode
    assert facts["base_run_id"] == "base"
    assert facts["sha256"] == artefacts.sha256(folder / "model/model.safetensors") != base["sha256"]
    assert {name: facts[name] for name in ("n_params", "n_tokens", "train_flops")} == {
        name: base[name] for name in ("n_params", "n_tokens", "train_flops")
    }
    assert facts["posttrain"]["steps"] == 60
    assert {row["learning_rate"] for row in read_metrics(folder)} == {5e-3}


def test_the_gradient_of_sft_ignores_the_prompt(base_run: Path, colours: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of the batch in each part: the loss is the mean over answer tokens, however the batch is split."""
    from t2scaling.testbed.pretrain.device import place
    from t2scaling.testbed.pretrain.loop import Loop
    from t2scaling.testbed.pretrain.model import load_model
    from t2scaling.testbed.pretrain.schedule import Schedule
    from t2scaling.testbed.suite import ModelShape, TrainingConfig

    facts, examples = read_run(base_run), make_examples(colours, base_run / "model", "sft", 64)
    training = replace(TrainingConfig(**facts["training"]), clip=1e9)
    where, shape = place("cpu", training), ModelShape(**facts["shape"])
    gradients: list[torch.Tensor] = []

    def keep(rate: float) -> torch.Tensor:
        gradients.append(model.grads.clone())
        return gradients[-1].norm()

    for micro in (10, 3):
        model = load_model(base_run / "model", shape, where)
        loop = Loop(model, 10, examples.weights.shape[1], training, Schedule("constant", 1e-3, 1, 1), where)
        loop.micro = micro
        monkeypatch.setattr(loop.optimizer, "step", keep)
        loop.train_step(examples.ids, examples.weights)
    whole, parts = gradients
    assert float((whole - parts).norm()) < 1e-5 * float(whole.norm())


def test_a_long_prompt_loses_its_beginning(base_run: Path, colours: Task) -> None:
    first, *rest = colours.questions("train")
    long = replace(colours, splits={"train": (replace(first, prompt="the box " * 80 + first.prompt), *rest)})
    cut, short = (make_examples(task, base_run / "model", "sft", 64) for task in (long, colours))
    assert (cut.n_truncated, short.n_truncated) == (1, 0)
    assert cut.ids.shape[1] == 64
    n = int(short.weights[0].nonzero()[0].max()) + 2  # tokens of the question as it was
    assert cut.ids[0, -n:].tolist() == short.ids[0, :n].tolist()
    assert cut.weights[0].sum() == short.weights[0].sum()


def test_the_default_rate_is_the_papers_share_of_the_peak(base_run: Path, colours: Task, tmp_path: Path) -> None:
    folder = posttrain(base_run, colours, "ft", tmp_path, epochs=1, device="cpu")
    assert read_run(folder)["posttrain"]["learning_rate"] == pytest.approx(2e-5 * 1e-2 / 3e-3)


def test_a_tuned_run_is_not_tuned_again(base_run: Path, colours: Task, tmp_path: Path) -> None:
    folder = posttrain(base_run, colours, "ft", tmp_path, epochs=1, device="cpu")
    before = (folder / "run.json").stat().st_mtime_ns
    assert posttrain(base_run, colours, "ft", tmp_path, epochs=1, device="cpu") == folder
    assert (folder / "run.json").stat().st_mtime_ns == before
    with pytest.raises(SuiteError, match="post-trained itself"):
        posttrain(folder, colours, "sft", tmp_path, device="cpu")


def test_bad_input_is_refused(base_run: Path, colours: Task, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="`mode` = 'rl'"):
        posttrain(base_run, colours, "rl", tmp_path)
    with pytest.raises(SuiteError, match="no training split"):
        posttrain(base_run, replace(colours, splits={"test": colours.questions("test")}), "ft", tmp_path)
    with pytest.raises(SuiteError, match="no finished run"):
        posttrain(tmp_path, colours, "ft", tmp_path)
    long = replace(colours.questions("train")[0], answer=" box" * 80)
    with pytest.raises(SuiteError, match="trained on sequences of 64"):
        posttrain(base_run, replace(colours, splits={"train": (long,)}), "ft", tmp_path)
    with pytest.raises(ValueError, match="`epochs` = 0"):
        posttrain(base_run, colours, "ft", tmp_path, epochs=0)
    assert list(tmp_path.iterdir()) == []


def test_command(base_run: Path, colours: Task, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    task = save(colours, tmp_path / "colours.jsonl")
    command = ["posttrain", str(base_run), "--task", str(task), "--mode", "sft", "-o", str(tmp_path / "runs")]
    assert run([*command, "--epochs", "1", "--device", "cpu", "--json"]) == 0
    (done,) = json.loads(capsys.readouterr().out)
    assert done["run_id"] == "base-sft-colours"
    assert (tmp_path / "runs/base-sft-colours/run.json").exists()
