"""RUN ALL: a study file → the whole pipeline, resumable, with independent runs in parallel.

config     what a study file may say
jobs       which jobs are missing
runner     which job comes next; starts nothing
local      carries jobs out in worker processes on this machine; another engine may take its place
steps      what a job does in a worker
finish     collect → fit → plan → report
flow       ties these together: `study`
"""

from t2scaling.testbed.study.config import StudyConfig, read_config
from t2scaling.testbed.study.flow import StudyResult, open_study, study
from t2scaling.testbed.study.outline import Outline, describe

__all__ = ["Outline", "StudyConfig", "StudyResult", "describe", "open_study", "read_config", "study"]
