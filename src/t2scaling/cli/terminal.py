"""What stands between the command and the terminal: characters that it cannot show, and readers that leave early."""

import codecs
import os
import sys
import unicodedata
from contextlib import suppress
from typing import Any

# What the prose and the tables use beyond ASCII, and how it reads where the encoding has no such character.
_PLAIN = {
    "−": "-", "–": "-", "—": "-", "×": "x", "·": "*", "…": "...", "→": "->", "∞": "inf", "≤": "<=", "≥": ">=",
    "±": "+-", "≈": "~", "∂": "d", "√": "sqrt", "’": "'", "“": '"', "”": '"', "α": "alpha", "β": "beta",
    "γ": "gamma", "θ": "theta", "μ": "mu", "ν": "nu", "σ": "sigma", "Σ": "sum", "Δ": "delta",
}  # fmt: skip
_HANDLER = "t2scaling.plain"


def prepare_streams() -> None:
    """Let stdout and stderr write a plain character for one that their encoding lacks, instead of failing."""
    codecs.register_error(_HANDLER, _plain)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=_HANDLER)


def _plain(error: UnicodeError) -> tuple[str, int]:
    """For `codecs`: what stands for the characters that cannot be encoded, and where to go on."""
    assert isinstance(error, UnicodeEncodeError)
    text = error.object[error.start : error.end]
    return "".join(map(plain_character, text)), error.end


def plain_character(character: str) -> str:
    """An ASCII reading of one character: `x` for ×, `e` for é, `?` where there is none."""
    if character in _PLAIN:
        return _PLAIN[character]
    ascii_part = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return ascii_part or "?"


def shows_unicode(stream: Any) -> bool:
    """Whether a stream's encoding holds every character."""
    return (getattr(stream, "encoding", None) or "utf-8").lower().replace("-", "").replace("_", "").startswith("utf")


def drop_stdout() -> None:
    """After the reader of stdout has left: send what is still to come nowhere, so that no flush fails at exit."""
    with suppress(OSError):  # a stdout that is no file has nothing to flush
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
