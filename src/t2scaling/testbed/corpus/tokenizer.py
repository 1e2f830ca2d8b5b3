"""Byte-level BPE tokenizers, trained on a source of documents and written as Hugging Face folders.

Text is cut into words that carry their leading space, single digits, runs of punctuation, and white space; merges never
cross a cut. So where an answer begins with a space, encode(prompt) + encode(answer) = encode(prompt + answer).
Digits stay single, which makes the numbers of arithmetic regular.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from t2scaling import artefacts
from t2scaling.errors import ArgumentError, PrerequisiteError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

END_OF_TEXT = "<|endoftext|>"
UNKNOWN = "<|unknown|>"
# Below this size the 160 bytes that no ASCII text uses would be a large part of the vocabulary.
FULL_BYTES_FROM = 2048
# Of text that a tokenizer is trained on: at least, and for each entry of a large one.
_CHARACTERS, _CHARACTERS_PER_ENTRY = 4_000_000, 4000
_WORDS = r" ?\p{L}+| ?\p{N}| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


def train_tokenizer(documents: Iterable[str], vocab_size: int, path: str | Path) -> Path:
    """Train a byte-level BPE of exactly `vocab_size` entries and write it as a Hugging Face tokenizer folder.

    documents    text to learn from; reading stops after 4,000 characters per entry, or 4 million if that is more, so
                 an endless source is fine
    vocab_size   entries, the end-of-text and unknown tokens included; below 2,048 only printable ASCII is spelt out
                 and any other byte is the unknown token
    Returns the folder, which `AutoTokenizer.from_pretrained` loads. Raises ArgumentError where the text has too few
    different words for the size, or the size is below the alphabet's.
    """
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

    full = vocab_size >= FULL_BYTES_FROM
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet()) if full else _ascii_alphabet()
    if vocab_size < len(alphabet) + 2:
        raise ArgumentError(
            f"`vocab_size` = {vocab_size} is too small: characters alone take {len(alphabet) + 2} entries."
        )
    tokenizer = Tokenizer(models.BPE(unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_WORDS), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[END_OF_TEXT, UNKNOWN],
        initial_alphabet=alphabet,
        limit_alphabet=len(alphabet),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_first(documents, max(_CHARACTERS, _CHARACTERS_PER_ENTRY * vocab_size)), trainer)
    if tokenizer.get_vocab_size() != vocab_size:
        raise ArgumentError(
            f"`vocab_size` = {vocab_size} is more than the text gives: it has words for {tokenizer.get_vocab_size()} "
            "entries. Ask for fewer, or give more text."
        )
    return _write_folder(tokenizer, Path(path))


def _ascii_alphabet() -> list[str]:
    """Printable ASCII, newline and tab, as byte-level BPE spells them (space, newline and tab as Ġ, Ċ and ĉ)."""
    return [chr(code) for code in range(33, 127)] + ["Ġ", "Ċ", "ĉ"]


def _first(documents: Iterable[str], n_characters: int) -> Iterator[str]:
    seen = 0
    for document in documents:
        yield document
        seen += len(document)
        if seen >= n_characters:
            return


def _write_folder(tokenizer: Tokenizer, path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": END_OF_TEXT,
        "eos_token": END_OF_TEXT,
        "pad_token": END_OF_TEXT,
        "unk_token": UNKNOWN,
        "clean_up_tokenization_spaces": False,
        "model_max_length": 1_000_000,
    }
    artefacts.write_json(path / "tokenizer_config.json", config)
    artefacts.write_text(path / "tokenizer.json", tokenizer.to_str(pretty=True))
    return path


def load_fast(path: str | Path) -> Tokenizer:
    """The plain `tokenizers.Tokenizer` of a folder, which starts without importing transformers.

    Raises PrerequisiteError if the folder has no tokenizer.json.
    """
    from tokenizers import Tokenizer

    file = Path(path) / "tokenizer.json"
    if not file.is_file():
        raise PrerequisiteError(f"no tokenizer at `{path}`: prepare the corpus first, or give a tokenizer's folder.")
    return Tokenizer.from_file(str(file))


def load_tokenizer(path: str | Path) -> Any:
    """The `transformers` tokenizer of a folder. Raises PrerequisiteError if the folder has no tokenizer.json."""
    from transformers import AutoTokenizer

    load_fast(path)
    return AutoTokenizer.from_pretrained(str(path), trust_remote_code=False)
