"""TABLE: one schema for measurements, readers for the formats people have, and arrays for the fits.

`read` turns files, folders of logs or a dataframe into `Observations`; `Observations.measurements` turns one task of
them into arrays. Where a table does not fit into memory, `stream_curves` averages it over questions on the way.

schema, casts, checks    the canonical columns, how cells become their values, and what makes a table usable
tabular, lm_eval, inspect_log   readers, one per format
facts, manifest, parts   what is known of runs, from logs and from the user, and how parts become one table
table, report            `Observations`, and the record of what was read and left out
pivot, shared, stream    arrays for the fits
samples                  what is told of single samples
"""

from t2scaling.observations.lm_eval import lm_eval_metric
from t2scaling.observations.reader import as_observations, collect, read
from t2scaling.observations.stream import LargeTable, is_large, stream_curves
from t2scaling.observations.suites import load_observations, load_suite
from t2scaling.observations.table import Observations

__all__ = [
    "LargeTable",
    "Observations",
    "as_observations",
    "collect",
    "is_large",
    "lm_eval_metric",
    "load_observations",
    "load_suite",
    "read",
    "stream_curves",
]
