"""Searches the built-in text for what must not be in it: held-out combinations, documents twice, "a octopus".

    python scripts/check_world.py --documents 96000

Prints what it searched and what it found; exits with 1 where it found anything. The whole text of the `world` suite has
about as many documents as the default.
"""

from __future__ import annotations

import argparse
import re
import sys

from t2scaling.testbed.corpus.world import document
from t2scaling.testbed.corpus.world.search import KeySearch
from t2scaling.testbed.tasks.generated import GENERATED, asked_facts

HELD_OUT = [name for name in GENERATED if name != "knowledge"]
WRONG_ARTICLE = re.compile(r"\b[Aa] [aeiou]|\b[Aa]n [^aeiou\W]")


def main(n_documents: int, seed: int) -> int:
    keys = {fact.key for name in HELD_OUT for fact in asked_facts(name, "test")}
    search, seen = KeySearch(keys), set()
    characters, twice, wrong, found = 0, 0, 0, set()
    for index in range(n_documents):
        text = document(seed, index)
        characters += len(text)
        mark = hash(text)
        twice += mark in seen
        seen.add(mark)
        wrong += bool(WRONG_ARTICLE.search(text))
        found |= search.found(text)
    print(f"{n_documents:,} documents, {characters:,} characters, {len(keys)} held-out combinations searched for")
    print(f"combinations found: {len(found)}; documents twice: {twice}; documents with a wrong article: {wrong}")
    for key in sorted(found)[:10]:
        print(f"  in the text: {key}")
    return int(bool(found or twice or wrong))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=96_000)
    parser.add_argument("--seed", type=int, default=0, help="seed of the text")
    given = parser.parse_args()
    sys.exit(main(given.documents, given.seed))
