"""Reading logs of lm-evaluation-harness: `samples_<task>_<time>.jsonl` with `results_<time>.json` beside them.

files     finds the logs of a folder and what their results file says of run and task
blocks    reads a samples file block by block, naming file and line where it is broken
outcomes  reads nll, or n and c, off the rows, one class per output type
logs      puts them together, one part of a canonical table from all logs
metric    the metric that makes a task write n_samples and n_correct itself
"""

from t2scaling.observations.lm_eval.logs import read_logs
from t2scaling.observations.lm_eval.metric import lm_eval_metric

__all__ = ["lm_eval_metric", "read_logs"]
