"""MEASURE: what a checkpoint knows about a task, as likelihoods or as graded samples.

    run.json + model/ ── checkpoint.open_run ──► Run ── model.load ──► CausalLM
    Question… ── tokens.encode ──► Encoded (prompt and answer as token ids)
    CausalLM × Encoded ── nll.score ──► nats per question           (mode "nll")
                       ── match.count_matches ──► exact matches      (mode "sample", exact match)
                       ── sample.complete + grade ──► graded texts   (mode "sample", with a grader)
    run.evaluate ties these together and writes evals/<run_id>/<task>.parquet.

Likelihoods and samples share their tokens: at temperature 1 an exact match has probability exp(−nll).
torch is imported when a model is loaded, not before.
"""

from t2scaling.testbed.evaluate.checkpoint import Run, open_run
from t2scaling.testbed.evaluate.run import evaluate, evaluate_tasks
from t2scaling.testbed.evaluate.settings import Settings

__all__ = ["Run", "Settings", "evaluate", "evaluate_tasks", "open_run"]
