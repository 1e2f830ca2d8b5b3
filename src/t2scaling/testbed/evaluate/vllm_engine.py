"""The same three requests, carried out by vLLM: paged caches and continuous batching for large models on GPUs.

vLLM seeds child i of a request for n samples with seed + i, so a request that starts at a later sample with the seed
moved along extends the earlier ones. Its random numbers are its own: counts agree with those of transformers within
sampling error, not sample by sample.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from t2scaling.errors import PrerequisiteError
from t2scaling.testbed.evaluate.checkpoint import refused
from t2scaling.testbed.evaluate.model import context_length
from t2scaling.testbed.evaluate.sample import Drawing
from t2scaling.testbed.evaluate.tokens import Encoded

if TYPE_CHECKING:
    from t2scaling.testbed.evaluate.engine import Advance


class VllmEngine:
    """Forward passes by vLLM. Raises PrerequisiteError where it is not installed."""

    def __init__(self, folder: Path, dtype: str = "auto") -> None:
        try:
            import vllm
        except ImportError:
            raise PrerequisiteError(
                "`--backend vllm` needs vLLM, which is not installed: pip install vllm in an environment of its own "
                "(it pins torch), or leave --backend out to use transformers."
            ) from None
        from transformers import AutoConfig

        with refused(folder, "config"):
            config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
        self.vocab_size = config.get_text_config().vocab_size
        # vLLM also reads the last token of an answer, so one token less fits.
        self.max_length = context_length(config) - 1
        self._params = vllm.SamplingParams
        self._llm = vllm.LLM(model=str(folder), dtype=dtype, max_model_len=self.max_length + 1, trust_remote_code=False)

    def score(self, encoded: Encoded, advance: Advance = None) -> np.ndarray:
        """Nats of each answer, float64 (Q,), from the log-probabilities that vLLM gives for prompts."""
        prompts = [prompt + answer for prompt, answer in zip(encoded.prompts, encoded.answers, strict=True)]
        # One token has to be drawn; it is not looked at.
        outputs = self._generate(
            prompts, [self._params(max_tokens=1, temperature=0.0, prompt_logprobs=0)] * len(prompts)
        )
        nll = np.zeros(len(encoded))
        for i, (output, answer) in enumerate(zip(outputs, encoded.answers, strict=True)):
            told = output.prompt_logprobs[-len(answer) :]
            nll[i] = -sum(step[token].logprob for step, token in zip(told, answer, strict=True))
        if advance:
            advance(len(encoded))
        return nll

    def count_matches(
        self,
        encoded: Encoded,
        keys: Sequence[np.ndarray],
        n_samples: int,
        *,
        temperature: float,
        first: int,
        advance: Advance = None,
    ) -> np.ndarray:
        """Samples that equal the answer token by token, int64 (Q,); each is drawn to the answer's length."""
        drawing = Drawing(keys, encoded.answer_lengths, temperature, np.zeros(self.vocab_size, dtype=bool))
        count = np.zeros(len(encoded), dtype=np.int64)
        for question, _, drawn in self.complete(encoded, drawing, n_samples, first=first, advance=advance):
            count[question] = sum(tuple(tokens) == encoded.answers[question] for tokens in drawn)
        return count

    def complete(
        self, encoded: Encoded, drawing: Drawing, n_samples: int, *, first: int, advance: Advance = None
    ) -> Iterator[tuple[int, int, list[list[int]]]]:
        """Completions of every question, as token ids."""
        ends = np.flatnonzero(drawing.ends).tolist()
        params = [
            self._params(
                n=n_samples,
                temperature=drawing.temperature,
                seed=int(key[0] >> np.uint64(2)) + first,  # 62 bits: vLLM wants a signed 64-bit number
                max_tokens=int(budget),
                stop_token_ids=ends,
                ignore_eos=True,
                detokenize=False,
            )
            for key, budget in zip(drawing.keys, drawing.budgets, strict=True)
        ]
        for question, output in enumerate(self._generate(list(encoded.prompts), params)):
            drawn = sorted(output.outputs, key=lambda completion: completion.index)
            yield question, first, [list(completion.token_ids) for completion in drawn]
            if advance:
                advance(1)

    def _generate(self, prompts: list[tuple[int, ...]], params: list[Any]) -> list[Any]:
        inputs = [{"prompt_token_ids": list(prompt)} for prompt in prompts]
        return list(self._llm.generate(inputs, params, use_tqdm=False))
