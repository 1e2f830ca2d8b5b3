"""One of the processes that `prepare` starts: python -m t2scaling.testbed.corpus.worker DIR SIZE N_SHARDS STRIDE WHICH.

Makes the token files 1 + WHICH, 1 + WHICH + STRIDE, … below N_SHARDS, each of SIZE documents, of the folder's settings.
"""

import json
import sys
from pathlib import Path

from t2scaling.testbed.corpus.shards import SETTINGS, write_shard
from t2scaling.testbed.corpus.sources import source


def main(argv: list[str]) -> None:
    """Make this process's share of the token files."""
    out_dir, (size, n_shards, stride, which) = Path(argv[0]), map(int, argv[1:])
    text = source(json.loads((out_dir / SETTINGS).read_text())["source"])
    for number in range(1 + which, n_shards, stride):
        write_shard(out_dir, text, number, size)


if __name__ == "__main__":
    main(sys.argv[1:])
