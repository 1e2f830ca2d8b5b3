"""TABLE: one schema for measurements, readers for the formats people have, and arrays for the fits.

`read` turns a file, a folder of logs or a dataframe into `Observations`; `Observations.measurements` turns one task
of them into arrays.
"""

from t2scaling.observations.reader import collect, read
from t2scaling.observations.suites import load_suite
from t2scaling.observations.table import Observations

__all__ = ["Observations", "collect", "load_suite", "read"]
