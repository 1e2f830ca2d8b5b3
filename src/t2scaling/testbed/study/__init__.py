"""RUN ALL: a study file → the whole pipeline, resumable, with independent runs in parallel.

config     what a study file may say
jobs       the jobs of a study
desk       the folder as the scheduler: what each job's files say, leases, failures
worker     takes one job after another until nothing is left
starters   where workers run: this machine, Ray, Slurm
steps      what a job does in a worker
status     how a study stands, from its files alone
finish     collect → fit → plan → report
flow       ties these together: `study`
"""

from t2scaling.testbed.study.config import StudyConfig, read_config
from t2scaling.testbed.study.flow import StudyResult, open_study, study
from t2scaling.testbed.study.outline import Outline, describe
from t2scaling.testbed.study.status import Overview, overview

__all__ = [
    "Outline",
    "Overview",
    "StudyConfig",
    "StudyResult",
    "describe",
    "open_study",
    "overview",
    "read_config",
    "study",
]
