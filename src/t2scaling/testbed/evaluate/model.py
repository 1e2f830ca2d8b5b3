"""A causal language model as scoring and sampling see it: hidden states, and logits only where they are asked for.

Shapes: B rows, T tokens, W width, V vocabulary, P positions at which logits are wanted.
"""

import warnings
from pathlib import Path
from typing import Any

import torch

from t2scaling.errors import ArgumentError, DataError
from t2scaling.foreign import shown
from t2scaling.testbed.evaluate.checkpoint import refused
from t2scaling.testbed.pretrain.model import Model, shape_of

# One batch of token ids holds about this many tokens: on a CPU its activations stay in the cache of a core.
TOKENS_PER_BATCH = {"cpu": 2048, "cuda": 65536}
# The most bytes that the logits, or the keys and values, of one batch may take.
BYTES_PER_BATCH = {"cpu": 64 * 2**20, "cuda": 4 * 2**30}


class CausalLM:
    """Any `AutoModelForCausalLM`, in inference.

    model       the transformers model
    max_length  tokens it can read
    vocab_size  V, the width of its logits
    """

    def __init__(self, model: Any) -> None:
        self.model = model.eval()
        self.device = next(model.parameters()).device
        self.max_length = context_length(model.config)
        self.vocab_size = model.get_output_embeddings().weight.shape[0]
        self._body, self._head = model.get_decoder(), model.get_output_embeddings()
        self._plain_head = self._head_is_plain()
        self._fused = self._fuse()

    @property
    def tokens_per_batch(self) -> int:
        """Tokens, padding included, that one forward pass should read at once."""
        return TOKENS_PER_BATCH.get(self.device.type, TOKENS_PER_BATCH["cpu"])

    @property
    def bytes_per_batch(self) -> int:
        """Bytes that one tensor of a batch may take."""
        return BYTES_PER_BATCH.get(self.device.type, BYTES_PER_BATCH["cpu"])

    def logits_at(self, ids: torch.Tensor, rows: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
        """Logits (P, V) in float32 at the positions (rows[i], columns[i]) of ids (B, T).

        Rows may be padded on the right: a causal model's earlier positions do not see what comes later. `rows` ascends.
        """
        if self._fused is not None:
            return self._fused.logits_at(ids, rows, columns)
        if not self._plain_head:
            return self.model(ids, use_cache=False).logits[rows, columns].float()
        hidden = self._body(ids, use_cache=False).last_hidden_state  # (B, T, W)
        return self._head(hidden[rows, columns]).float()

    def read(self, ids: torch.Tensor, cache: Any = None) -> tuple[torch.Tensor, Any]:
        """Read ids (B, T) after what `cache` holds; logits (B, V) of the next token in float32, and the cache grown."""
        if not self._plain_head:
            output = self.model(ids, past_key_values=cache, use_cache=True)
            return output.logits[:, -1].float(), output.past_key_values
        output = self._body(ids, past_key_values=cache, use_cache=True)
        return self._head(output.last_hidden_state[:, -1]).float(), output.past_key_values

    def cache_bytes_per_token(self) -> int:
        """Bytes of keys and values that one token of one row takes."""
        config = self.model.config.get_text_config()
        heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
        head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        return 2 * config.num_hidden_layers * heads * head_dim * next(self.model.parameters()).element_size()

    @torch.inference_mode()
    def _head_is_plain(self) -> bool:
        """Whether logits are the head applied to the body's output, with no scale or cap after it.

        Some architectures scale or squash their logits inside forward; asking the model itself settles it for all.
        """
        logits = self.model(self._probe, use_cache=False).logits
        by_hand = self._head(self._body(self._probe, use_cache=False).last_hidden_state)
        return _alike(logits, by_hand)

    def _fuse(self) -> Model | None:
        """The model as it was trained, where this is one of a suite's and its numbers are those of transformers.

        On a CPU it is several times as fast: these models are small, and transformers spends its time between products.
        """
        shape = shape_of(self.model.config)
        here = next(self.model.parameters())
        if shape is None or here.device.type != "cpu" or here.dtype != torch.float32 or self.max_length < 8:
            return None
        rows, columns = torch.tensor([0, 0, 1]), torch.tensor([1, 2, 3])
        fused = Model(self.model, shape, here.device)
        with torch.inference_mode():
            wanted = self.model(self._probe, use_cache=False).logits[rows, columns]
            return fused if _alike(wanted, fused.logits_at(self._probe, rows, columns)) else None

    @property
    def _probe(self) -> torch.Tensor:
        """Token ids (2, T) to compare two ways of computing on."""
        length = min(8, self.max_length)
        return torch.arange(2 * length, device=self.device).remainder(self.vocab_size).view(2, length)


def _alike(wanted: torch.Tensor, found: torch.Tensor) -> bool:
    """Whether two results are the same but for rounding."""
    tolerance = 1e-5 if wanted.dtype == torch.float32 else 2e-2
    return wanted.shape == found.shape and torch.allclose(wanted, found, rtol=tolerance, atol=tolerance)


def load(folder: Path, device: str | None = None, dtype: str = "auto") -> CausalLM:
    """Load a Hugging Face folder.

    device  cpu, cuda, cuda:1, …; auto or nothing: a GPU where there is one
    dtype   auto (as the checkpoint is stored), float32, bfloat16 or float16
    Only safetensors are read, and no code that the folder brings along is run. Raises DataError if the folder is no
    causal language model that transformers knows, is damaged or lacks weights, or `device` is not there.
    """
    import transformers

    if dtype not in ("auto", "float32", "bfloat16", "float16"):
        raise ArgumentError(f"`--dtype` {dtype}: choose auto, float32, bfloat16 or float16.")
    place = choose_device(device)
    with _quiet(transformers), refused(folder, "config or weights"):
        model, told = transformers.AutoModelForCausalLM.from_pretrained(
            folder, dtype=dtype, trust_remote_code=False, use_safetensors=True, output_loading_info=True
        )
        if missing := sorted(told["missing_keys"]):
            raise DataError(
                f"`{folder}` lacks {len(missing)} of its model's weights, such as {shown(missing[0])}, which would be "
                "drawn at random: copy the folder again, all its files.",
                missing[:5],
            )
        if unused := sorted(told["unexpected_keys"]):
            warnings.warn(
                f"`{folder}`: {len(unused)} of its weights, such as {shown(unused[0])}, are not used by the model that "
                "its config.json names; what is measured is that model without them.",
                stacklevel=2,
            )
        return CausalLM(model.to(place))  # tries the model once: a config may be whole and yet impossible


def choose_device(device: str | None) -> torch.device:
    """The device asked for, or the GPU where there is one. Raises DataError where it is not there."""
    if device in (None, "auto"):
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        place = torch.device(device)
    except RuntimeError:
        raise DataError(f"`--device` {device}: write cpu, cuda or cuda:1.") from None
    if place.type == "cuda" and (place.index or 0) >= torch.cuda.device_count():
        raise DataError(f"`--device` {device}: torch sees {torch.cuda.device_count()} CUDA devices. Use --device cpu.")
    return place


class _quiet:
    """Silence the bars and tables with which transformers reports the loading of weights, and put them back after.

    What is missing is refused here, in one paragraph.
    """

    def __init__(self, transformers: Any) -> None:
        self._logging = transformers.utils.logging

    def __enter__(self) -> None:
        self._shown = self._logging.is_progress_bar_enabled()
        self._logging.disable_progress_bar()
        self._level = self._logging.get_verbosity()
        self._logging.set_verbosity_error()

    def __exit__(self, *_: object) -> None:
        self._logging.set_verbosity(self._level)
        if self._shown:
            self._logging.enable_progress_bar()


def context_length(config: Any) -> int:
    """Tokens that a model of this config can read."""
    text = config.get_text_config()
    for name in ("max_position_embeddings", "n_positions", "n_ctx", "max_sequence_length"):
        if getattr(text, name, None):
            return int(getattr(text, name))
    return 2**20  # recurrent models have no limit
