"""Attacks every reader and every numeric option with seeded hostile inputs, and prints what became of them.

    python benchmarks/attack.py --inputs 100000 --settings 2000 --artefacts 1000     (hours on two cores)
    python benchmarks/attack.py --again csv:4711                                     (one trial, with its message)

Inputs are small well-formed files of every format that is read, spoilt by one to three changes; settings are
command lines with hostile values; artefacts are damaged fit.json, plan.json and run.json. Everything accepted is
compared with a second reader (Python's csv and json, pyarrow). The claim: none uncaught, none over ten seconds or two
gigabytes, no refusal without a file and a way out, no difference.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "attack"))

import originals
import pool
import trials

OUTCOMES = ("read", "refused", "poor", "differs", "uncaught", "hung", "memory")
RARE = {"checkpoint": 0.3, "study.yaml": 0.3}  # these take several times as long as a table


def planned(inputs: int, settings: int, artefacts: int, start: int) -> Iterator[tuple[str, int]]:
    """(kind, seed) of every trial; kinds take turns."""
    share = {kind: RARE.get(kind, 1.0) for kind in trials.INPUTS}
    whole = sum(share.values())
    counts = {kind: round(inputs * part / whole) for kind, part in share.items()}
    counts |= {"settings": settings, "bombs": min(24, inputs // 100)}
    counts |= dict.fromkeys(trials.ARTEFACTS, artefacts // len(trials.ARTEFACTS))
    for seed in range(max(counts.values(), default=0)):
        for kind, count in counts.items():
            if seed < count:
                yield kind, start + seed


def prepare(folder: Path, *, checkpoint: bool) -> None:
    """The originals that are costly to make."""
    originals.build(folder)
    if checkpoint:
        originals.checkpoint(folder / "checkpoint")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=600)
    parser.add_argument("--settings", type=int, default=100)
    parser.add_argument("--artefacts", type=int, default=60)
    parser.add_argument("--start", type=int, default=0, help="first seed")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--again", help="KIND:SEED of one trial")
    parser.add_argument("--faults", type=Path, help="where to write the faults, as JSON lines")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    kind, _, seed = (given.again or "").rpartition(":")
    todo = [(kind, int(seed))] if given.again else planned(given.inputs, given.settings, given.artefacts, given.start)
    counts: Counter[tuple[str, str]] = Counter()
    faults: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as shared:
        prepare(Path(shared), checkpoint=given.inputs > 0 or kind == "checkpoint")
        with contextlib.suppress(KeyboardInterrupt):  # what was tried until then is told
            for found in pool.attack(todo, Path(shared), given.processes):
                counts[found["kind"], found["outcome"]] += 1
                if found["outcome"] not in ("read", "refused"):
                    faults.append(found)
                    if given.faults:
                        with given.faults.open("a") as file:
                            file.write(json.dumps(found) + "\n")
                if given.again:
                    print(found["message"])
    kinds = dict.fromkeys(kind for kind, _ in counts)
    print(f"{'kind':<14}{'tried':>8}" + "".join(f"{name:>10}" for name in OUTCOMES))
    for kind in [*kinds, "all"]:
        row = [sum(n for (k, o), n in counts.items() if kind in (k, "all") and o == outcome) for outcome in OUTCOMES]
        print(f"{kind:<14}{sum(row):>8,}" + "".join(f"{n:>10,}" for n in row))
    for found in faults[:20]:
        print(f"{found['kind']}:{found['seed']} {found['outcome']}: {found['message'][:300]}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
