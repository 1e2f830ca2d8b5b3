"""Text to train on: the built-in procedural corpus, local files or hub datasets, and their tokens on disk.

    source       a specification → documents in a fixed order
    prepare      documents → tokenizer and token files in a folder
    open_corpus  the folder → `Corpus`, whose `batch(step, …)` feeds training

`world` is the built-in corpus; the generated tasks ask about the same world.
"""

from t2scaling.testbed.corpus.shards import prepare
from t2scaling.testbed.corpus.sources import REFINEDWEB, BuiltinSource, FilesSource, HubSource, Source, source
from t2scaling.testbed.corpus.store import Corpus, open_corpus
from t2scaling.testbed.corpus.tokenizer import load_tokenizer, train_tokenizer

__all__ = [
    "REFINEDWEB",
    "BuiltinSource",
    "Corpus",
    "FilesSource",
    "HubSource",
    "Source",
    "load_tokenizer",
    "open_corpus",
    "prepare",
    "source",
    "train_tokenizer",
]
