"""kill −9 of any process at any moment: a tiny study ends as the undisturbed one, and no job is lost or held twice.

    python benchmarks/kill_anything.py study [--kills 1000]     the suite's own study, two workers and the last step
    python benchmarks/kill_anything.py joiners [--rounds 20]    eight joiners on 200 empty jobs, killed and stopped

Each process is forked from this one, in which everything is imported, so a kill lands in work and not in imports.
`study` compares weights, losses and observations byte by byte. `joiners` kills or stops (past its lease) one of the
joiners every 0.3 s, and looks whether a job ended twice, or was begun while a holder of its lease was alive and awake.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

os.environ |= {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "CUDA_VISIBLE_DEVICES": ""}

import torch
from transformers import Qwen3ForCausalLM  # noqa: F401  (imported once, for all that are forked)

from t2scaling.artefacts import sha256, write_json, write_text
from t2scaling.foreign import read_json
from t2scaling.testbed.evaluate import evaluate  # noqa: F401
from t2scaling.testbed.pretrain import pretrain  # noqa: F401
from t2scaling.testbed.pretrain.metrics import read_metrics
from t2scaling.testbed.study import open_study
from t2scaling.testbed.study.desk import Desk, Job
from t2scaling.testbed.study.finish import finish
from t2scaling.testbed.study.jobs import Study, load_study, make_jobs
from t2scaling.testbed.study.worker import work
from t2scaling.testbed.suite import Suite, TrainingConfig, isoflop_grid, levels
from t2scaling.testbed.suite.grid import BatchRule
from t2scaling.testbed.suite.recipes import MINIATURE
from t2scaling.testbed.suite.shape import ModelShape

ENDLESS = 10**9  # a job may be begun again as often as its worker is killed
LIFETIME = 2.0


def fork(do: Callable[[], object]) -> int:
    """The id of a process that does this and ends."""
    process = os.fork()
    if process:
        return process
    try:
        do()
        os._exit(0)
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        os._exit(1)


def ended(process: int) -> bool:
    return os.waitpid(process, os.WNOHANG)[0] == process


# --- a study -------------------------------------------------------------------------------------------------------


def tiny_study(folder: Path) -> Path:
    """The study file of four cells of half a second each, with a checkpoint every few steps."""
    shapes = [ModelShape(*sizes, vocab_size=300) for sizes in MINIATURE[:2]]
    batch = BatchRule(512, 1e5, 512, 512)
    grid = isoflop_grid(shapes, levels(1e9, 2e9, 2), seq_len=64, batch=batch, ratio=(0.5, 15), overtrained_ratio=60)
    training = TrainingConfig(checkpoint_seconds=0.05, log_every=2)
    sizes = {"corpus_tokens": 20_000, "heldout_tokens": 2_048, "seq_len": 64, "vocab_size": 300}
    Suite("tiny", tuple(grid), training, tasks=("arithmetic", "knowledge"), **sizes).save(folder / "suite.json")
    return write_text(
        folder / "tiny.yaml",
        "suite: {file: suite.json}\nevaluate: {questions: 10, samples: 2}\njobs: 1\ndevice: cpu\n"
        "posttrain: {tasks: [arithmetic], modes: [sft], levels: 1, epochs: 1}\n"
        "fit: {laws: [chinchilla]}\nreport: false\n",
    )


def facts(study: Study) -> dict[str, object]:
    """All that a study makes and that no clock has a part in."""
    layout, found = study.layout, dict[str, object]()
    for path in sorted(layout.runs.glob("*/run.json")):
        run = path.parent
        found[f"weights of {run.name}"] = sha256(run / "model" / "model.safetensors")
        found[f"losses of {run.name}"] = read_json(path)["loss"]
        found[f"steps of {run.name}"] = [(row["step"], row["loss"], row["grad_norm"]) for row in read_metrics(run)]
    found["jobs done"] = [job.id for job in make_jobs(study) if job.done]
    found["observations"] = sha256(layout.observations)
    found["left over"] = [str(path.relative_to(layout.root)) for path in layout.runs.glob("**/*.tmp")]
    return found


def whole_study(file: Path, out: Path, rng: random.Random | None, mean: float, most: int) -> tuple[dict, int]:
    """Have two workers and the last step carry a study out; returns its facts and how many kills it survived.

    mean   seconds between kills
    most   kills after which it is left alone
    """
    study = open_study(file, out)
    study.suite.save(study.layout.suite)
    write_json(study.layout.config, study.config.model_dump(mode="json"))
    desk, kills = Desk(out, LIFETIME, ENDLESS), 0
    desk.write_jobs(make_jobs(study))

    def phase(count: int, do: Callable[[], object]) -> None:
        nonlocal kills
        alive = {fork(do) for _ in range(count)}
        until = time.monotonic() + (rng.expovariate(1 / mean) if rng else 0.0)
        while alive:
            time.sleep(0.005)
            alive -= {process for process in alive if ended(process)}
            if rng and alive and kills < most and time.monotonic() >= until:
                victim = rng.choice(sorted(alive))
                os.kill(victim, signal.SIGKILL)
                os.waitpid(victim, 0)
                kills += 1
                alive = alive - {victim} | {fork(do)}
                until = time.monotonic() + rng.expovariate(1 / mean)

    phase(2, lambda: work(desk.jobs(), desk, patience=0.05))
    phase(1, lambda: finish(load_study(out), lambda sentence: None))
    return facts(study), kills


def kill_studies(kills: int, mean: float, seed: int, until: float) -> int:
    rng = random.Random(seed)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = tiny_study(folder)
        begun = time.monotonic()
        expected, _ = whole_study(file, folder / "undisturbed", None, mean, 0)
        print(f"undisturbed: {len(expected['jobs done'])} jobs in {time.monotonic() - begun:.1f} s", flush=True)
        survived = studies = 0
        while survived < kills and time.time() < until:
            out = folder / f"study-{studies}"
            found, count = whole_study(file, out, rng, mean, kills - survived)
            differences = [key for key in expected if found.get(key) != expected[key]]
            if differences or set(found) != set(expected):
                print(f"study {studies} (seed {seed}) after {count} kills differs: {differences or sorted(found)}")
                return 1
            survived, studies = survived + count, studies + 1
            shutil.rmtree(out)
            print(f"{survived} kills in {studies} studies: all as the undisturbed one", flush=True)
    return 0


# --- joiners -------------------------------------------------------------------------------------------------------


def note(journal: str, text: str) -> None:
    handle = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(handle, f"{time.time():.6f} {os.getpid()} {text}\n".encode())
    os.close(handle)


def stub(path: str, journal: str) -> None:
    """An empty job of 0.3 s that tells when it began and when it had written."""
    note(journal, f"begin {Path(path).name}")
    time.sleep(0.3)
    write_text(path, str(os.getpid()))
    note(journal, f"end {Path(path).name}")


def one_round(folder: Path, count: int, joiners: int, rng: random.Random) -> dict[str, int]:
    """Raises AssertionError where a job is lost, ends twice, or has two live holders."""
    journal = str(folder / "journal")
    jobs = []
    for i in range(count):
        path = str(folder / "made" / f"job-{i}")
        jobs.append(Job(f"job-{i}", "kill_anything:stub", {"path": path, "journal": journal}, (path,)))
    desk = Desk(folder, LIFETIME, ENDLESS)
    desk.write_jobs(jobs)

    def join() -> None:
        work(jobs, desk, patience=0.1)

    alive = {fork(join) for _ in range(joiners)}
    died: dict[int, float] = {}  # when a process was killed
    stops: dict[int, list[float]] = defaultdict(list)  # when it was stopped and when it went on, in turn
    due: dict[int, float] = {}
    while alive or due:
        for process in [one for one in due if time.time() > due[one] or not alive]:
            os.kill(process, signal.SIGCONT)
            stops[process].append(time.time())
            del due[process]
            alive.add(process)
        for process in sorted(alive):
            if ended(process):
                alive.discard(process)
                if not all(job.done for job in jobs):  # it had lost its lease, and ended before it wrote
                    alive.add(fork(join))
        if len(alive) > 1 and not all(job.done for job in jobs):
            victim = rng.choice(sorted(alive))
            alive.discard(victim)
            if rng.random() < 0.7:
                os.kill(victim, signal.SIGKILL)
                os.waitpid(victim, 0)
                died[victim] = time.time()
                alive.add(fork(join))
            else:
                os.kill(victim, signal.SIGSTOP)
                stops[victim].append(time.time())
                due[victim] = time.time() + rng.uniform(0.5, 16.0)
        time.sleep(0.3)
    assert all(job.done for job in jobs), "a job was lost"
    taken_over = check_journal(Path(journal), died, stops)
    return {"kills": len(died), "stops": sum(len(times) // 2 for times in stops.values()), "taken over": taken_over}


def check_journal(journal: Path, died: dict[int, float], stops: dict[int, list[float]]) -> int:
    """How many jobs were taken over; each rightly, and none ended twice."""
    begun: dict[str, list[tuple[float, int]]] = defaultdict(list)
    ends: dict[str, list[float]] = defaultdict(list)
    for line in journal.read_text().splitlines():
        when, process, what, name = line.split()
        if what == "begin":
            begun[name].append((float(when), int(process)))
        else:
            ends[name].append(float(when))
    for name, holders in begun.items():
        assert len(ends[name]) <= 1, f"{name} was written twice"
        for (_, before), (when, _) in pairwise(holders):
            asleep = any(a + LIFETIME <= when for a in stops[before][::2])
            assert died.get(before, when + 1) <= when or asleep, f"{name} had two live holders"
    return sum(len(holders) > 1 for holders in begun.values())


def rounds_of_joiners(rounds: int, count: int, joiners: int, seed: int, until: float) -> int:
    rng, total = random.Random(seed), defaultdict[str, int](int)
    sys.modules["kill_anything"] = sys.modules["__main__"]  # what jobs name is this file
    for number in range(rounds):
        if time.time() > until:
            break
        with tempfile.TemporaryDirectory() as name:
            for key, value in one_round(Path(name), count, joiners, rng).items():
                total[key] += value
        told = ", ".join(f"{value} {key}" for key, value in total.items())
        print(f"{number + 1} rounds of {count} jobs: {told}; nothing lost, no two live holders", flush=True)
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("study", "joiners"), nargs="?", default="study")
    parser.add_argument("--kills", type=int, default=20, help="kills in all (study)")
    parser.add_argument("--mean", type=float, default=2.5, help="mean seconds between kills (study)")
    parser.add_argument("--rounds", type=int, default=1, help="rounds (joiners)")
    parser.add_argument("--jobs", type=int, default=200, help="jobs of a round (joiners)")
    parser.add_argument("--joiners", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin nothing after so long")
    given = parser.parse_args()
    until = time.time() + 60 * given.minutes
    if given.what == "study":
        return kill_studies(given.kills, given.mean, given.seed, until)
    return rounds_of_joiners(given.rounds, given.jobs, given.joiners, given.seed, until)


if __name__ == "__main__":
    sys.exit(main())
