"""Runs every benchmark in turn, each in its own process. Run: python benchmarks/run_all.py [name ...]"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

LONG = ("run_all.py", "mutants.py")  # not run unless named


def main(names: list[str]) -> int:
    here = Path(__file__).parent
    scripts = [here / f"{name}.py" for name in names] or sorted(p for p in here.glob("*.py") if p.name not in LONG)
    failed = []
    for script in scripts:
        print(f"── {script.stem}", flush=True)
        if subprocess.run([sys.executable, str(script)], check=False).returncode:
            failed.append(script.stem)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return len(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
