"""A search of the text for what must not be in it."""

import re
from collections.abc import Collection

_WORD = re.compile(r"[A-Za-z]+|\d+")


class KeySearch:
    """Finds keys, each a few words long, in documents, whatever marks stand between the words.

    >>> KeySearch(["Zoral is heated"]).found("When Zoral is heated, it hums.")
    {'Zoral is heated'}
    """

    def __init__(self, keys: Collection[str]) -> None:
        self._keys = {tuple(_WORD.findall(key)): key for key in keys}
        self._lengths = {len(words) for words in self._keys}

    def found(self, document: str) -> set[str]:
        """The keys that a document has."""
        words = _WORD.findall(document)
        runs = (tuple(words[i : i + n]) for n in self._lengths for i in range(len(words) - n + 1))
        return {self._keys[run] for run in runs if run in self._keys}
