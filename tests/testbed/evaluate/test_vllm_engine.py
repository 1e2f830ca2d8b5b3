"""The vLLM engine against a stand-in with vLLM's interface, which computes with transformers."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from t2scaling.errors import PrerequisiteError
from t2scaling.testbed.evaluate import evaluate
from t2scaling.testbed.tasks import Task


@dataclass
class SamplingParams:
    """The fields of vLLM's class that are used."""

    n: int = 1
    temperature: float = 1.0
    seed: int | None = None
    max_tokens: int = 16
    prompt_logprobs: int | None = None
    stop_token_ids: list[int] | None = None
    ignore_eos: bool = False
    detokenize: bool = True


class LLM:
    """Like vLLM, gives child i of a request the seed `seed + i`, and outputs in any order."""

    def __init__(self, model: str, dtype: str, max_model_len: int, trust_remote_code: bool) -> None:
        from transformers import AutoModelForCausalLM

        assert not trust_remote_code
        self.model, self.max_model_len = AutoModelForCausalLM.from_pretrained(model, dtype=dtype), max_model_len

    @torch.inference_mode()
    def generate(self, prompts: list[Any], params: list[SamplingParams], use_tqdm: bool) -> list[Any]:
        return [self._one(prompt["prompt_token_ids"], param) for prompt, param in zip(prompts, params, strict=True)]

    def _one(self, ids: list[int], params: SamplingParams) -> Any:
        assert len(ids) + params.max_tokens <= self.max_model_len + 1
        if params.prompt_logprobs is not None:
            told = torch.log_softmax(self.model(torch.tensor([ids])).logits[0], -1)
            steps = [{token: SimpleNamespace(logprob=float(told[i, token]))} for i, token in enumerate(ids[1:])]
            return SimpleNamespace(prompt_logprobs=[None, *steps], outputs=[])
        assert params.seed is not None
        assert params.seed + params.n < 2**63
        outputs = [
            SimpleNamespace(index=i, token_ids=tuple(self._sample(ids, params, params.seed + i)))
            for i in reversed(range(params.n))
        ]
        return SimpleNamespace(outputs=outputs)

    def _sample(self, ids: list[int], params: SamplingParams, seed: int) -> list[int]:
        rng, drawn = np.random.default_rng(seed), list[int]()
        while len(drawn) < params.max_tokens:
            logits = self.model(torch.tensor([ids + drawn])).logits[0, -1].double() / params.temperature
            drawn.append(int(rng.choice(len(logits), p=torch.softmax(logits, -1).numpy())))
            if drawn[-1] in (params.stop_token_ids or []):
                break
        return drawn


@pytest.fixture
def vllm(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in = ModuleType("vllm")
    stand_in.LLM, stand_in.SamplingParams = LLM, SamplingParams  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "vllm", stand_in)


@pytest.mark.usefixtures("vllm")
def test_likelihoods_are_those_of_transformers(run_dir: Path, task: Task, tmp_path: Path) -> None:
    theirs = pl.read_parquet(evaluate(run_dir, task, tmp_path / "a", backend="vllm"))
    ours = pl.read_parquet(evaluate(run_dir, task, tmp_path / "b"))
    np.testing.assert_allclose(theirs["nll"], ours["nll"], rtol=0, atol=1e-5 * ours["nll"].max())
    assert theirs.drop("nll").equals(ours.drop("nll"))


@pytest.mark.usefixtures("vllm")
def test_samples_extend_and_agree_with_the_likelihood(run_dir: Path, task: Task, tmp_path: Path) -> None:
    few = Task("toy", "generated", {"test": task.questions("test")[:6]})
    options: dict[str, Any] = {"mode": "sample", "backend": "vllm"}
    evaluate(run_dir, few, tmp_path / "a", n_samples=10, **options)
    more = pl.read_parquet(evaluate(run_dir, few, tmp_path / "a", n_samples=30, **options))
    once = pl.read_parquet(evaluate(run_dir, few, tmp_path / "b", n_samples=30, **options))
    assert more.equals(once)
    p = np.exp(-pl.read_parquet(evaluate(run_dir, few, tmp_path / "c"))["nll"].to_numpy())
    difference = more["n_correct"].to_numpy().sum() - 30 * p.sum()
    assert abs(difference) < 3.5 * np.sqrt(30 * (p * (1 - p)).sum())


def test_without_vllm_the_way_out_is_told(
    run_dir: Path, task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "vllm", None)
    with pytest.raises(PrerequisiteError, match="leave --backend out"):
        evaluate(run_dir, task, tmp_path, backend="vllm")
