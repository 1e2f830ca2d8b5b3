"""A study on text and questions of its own: a folder of Parquet and a local copy of a real task, named in its file."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import polars as pl

from t2scaling.cli.main import run
from t2scaling.observations import read
from t2scaling.testbed.corpus import source

STUDY = """
suite:
  recipe: custom
  arguments:
    text: {kind: files, path: books, field: body}
    name: own
    vocab_size: 400
    seq_len: 64
    sizes: [[8, 2, 1, 24], [12, 2, 1, 32]]
    budgets: [1e8, 4e8]
    ratio: [0.5, 20]
    overtrained_ratio: 60
    min_steps: 5
    text_tokens: 60k
    heldout_tokens: 1024
    tasks: [sciq, lambada_openai]
    seeds: 2
    seed_levels: 1
evaluate:
  paths: {sciq: questions/sciq, lambada_openai: questions/words.jsonl}
fit: {laws: [chinchilla], task: sciq}
"""


def test_text_and_questions_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(STUDY)
    (tmp_path / "books").mkdir()
    documents = list(islice(source("builtin").documents(), 400))
    pl.DataFrame({"body": documents}).write_parquet(tmp_path / "books" / "part-0.parquet")
    questions = tmp_path / "questions" / "sciq"
    questions.mkdir(parents=True)
    asked = [{"question": f"What falls {n} times?", "correct_answer": "rain", "support": ""} for n in range(8)]
    pl.DataFrame(asked).write_parquet(questions / "validation.parquet")
    words = [{"text": f"The box is in the {place}"} for place in ("house", "garden")]
    (tmp_path / "questions" / "words.jsonl").write_text("".join(json.dumps(row) + "\n" for row in words))
    out = tmp_path / "out"
    # Five runs are too few for a law to be trusted, which the study says by its exit code; all else is there.
    run(["study", str(tmp_path / "own.yaml"), "-o", str(out), "-j", "2", "--json"])
    observations = read(out / "observations.parquet")
    runs = {path.parent.name: json.loads(path.read_text()) for path in out.glob("runs/*/run.json")}
    assert set(observations.tasks) == {"sciq", "lambada_openai"}
    assert set(observations.runs["run_id"]) == set(runs)
    assert len(runs) == 5
    assert {facts["seed"] for facts in runs.values()} == {0, 1}
    assert all(facts["unique_tokens"] == facts["n_tokens"] for facts in runs.values())
    first, second = runs["w8-d2-c4e8"], runs["w8-d2-c4e8-s1"]
    assert first["sha256"] != second["sha256"]
    outcomes = observations.outcomes.filter(pl.col("task") == "sciq")
    assert outcomes["question_id"].n_unique() == 4  # the last half of the validation split
    assert set(outcomes["chance"]) == {1.0}  # every question of this copy has the same answer
