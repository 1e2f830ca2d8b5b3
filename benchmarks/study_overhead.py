"""What the folder as a scheduler costs: seconds per job over 1,000 jobs that do nothing, and listing 10,000 of them.

    python benchmarks/study_overhead.py [--jobs 1000] [--workers 8]

The reference is the same jobs called one after another in this process.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

from t2scaling.artefacts import write_text
from t2scaling.testbed.study.desk import Desk, Job
from t2scaling.testbed.study.starters import Place, start


def stub(path: str) -> None:
    """A job: an empty artefact."""
    write_text(path, "")


def stub_jobs(folder: Path, count: int) -> list[Job]:
    paths = [str(folder / "made" / f"job-{i}") for i in range(count)]
    return [Job(Path(path).name, "study_overhead:stub", {"path": path}, (path,)) for path in paths]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=8)
    given = parser.parse_args()
    os.environ["PYTHONPATH"] = os.pathsep.join(
        [str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    )
    with tempfile.TemporaryDirectory() as name:
        plain = stub_jobs(Path(name) / "plain", given.jobs)
        begun = time.perf_counter()
        for job in plain:
            stub(job.makes[0])
        alone = time.perf_counter() - begun

        folder = Path(name) / "shared"
        desk, jobs = Desk(folder), stub_jobs(folder, given.jobs)
        desk.write_jobs(jobs)
        begun = time.perf_counter()
        start("local", folder, [Place()] * given.workers, {}, lambda: None)
        shared = time.perf_counter() - begun
        assert all(job.done for job in jobs)
        each = 1e3 * shared / given.jobs
        print(
            f"{given.jobs} jobs on {given.workers} workers, their start included: {shared:.1f} s, {each:.1f} ms a job"
        )
        print(f"one after another in one process: {alone:.2f} s; ratio {shared / alone:.0f}")

        many = Desk(Path(name) / "many")
        many.write_jobs(stub_jobs(many.root, 10_000))
        begun = time.perf_counter()
        found = many.survey(many.jobs())
        print(f"{len(found):,} jobs listed in {time.perf_counter() - begun:.2f} s")


if __name__ == "__main__":
    main()
