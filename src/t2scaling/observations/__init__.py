"""TABLE: one schema for measurements, readers for the formats people have, and arrays for the fits.

`read` turns files, folders of logs or a dataframe into `Observations`; `Observations.measurements` turns one task of
them into arrays.

schema, casts, aliases   the canonical columns, how cells become their values, and what else people call them
tabular, csv_file        tables in files and in memory
readers, lm_eval, inspect_log   logs, one reader per harness
facts, manifest, parts   what is known of runs, from logs and from the user, one part per origin
assemble, identity, keys, checks   parts become one table: names in one form, rows in order, and what is refused
results                  tables of means over questions, which a law can be fitted to as they are
table, report            `Observations`, and the record of what was read and left out
pivot, shared, samples   arrays for the fits, and what is told of single samples
"""

from t2scaling.observations.lm_eval import lm_eval_metric
from t2scaling.observations.reader import as_fittable, as_observations, collect, read
from t2scaling.observations.results import Results
from t2scaling.observations.suites import load_observations, load_suite
from t2scaling.observations.table import Observations

__all__ = [
    "Observations",
    "Results",
    "as_fittable",
    "as_observations",
    "collect",
    "lm_eval_metric",
    "load_observations",
    "load_suite",
    "read",
]
