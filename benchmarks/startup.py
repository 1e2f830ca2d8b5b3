"""How long `t2 --help` takes, against an interpreter that does nothing. Run: python benchmarks/startup.py"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time


def median_seconds(command: list[str], repeats: int = 9) -> float:
    """Median wall time of a command, after one run to warm the file cache."""
    seconds = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds[1:])


def main() -> None:
    bare = median_seconds([sys.executable, "-c", "pass"])
    help_page = median_seconds([sys.executable, "-m", "t2scaling.cli.main", "--help"])
    package = median_seconds([sys.executable, "-c", "import t2scaling"])
    print(
        f"t2 --help: {help_page:.3f} s; import t2scaling: {package:.3f} s; python -c pass: {bare:.3f} s; "
        f"ratio of help to bare {help_page / bare:.1f}×"
    )


if __name__ == "__main__":
    main()
