"""What is used of vLLM, computed with transformers: with this folder on the path, `import vllm` finds it."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch


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
