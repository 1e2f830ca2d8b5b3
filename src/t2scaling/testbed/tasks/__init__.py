"""What models are asked: eight tasks, four generated here and four real ones.

    load(name)              a `Task` by name; `NAMES` has all eight
    save / read             a task as a JSON Lines file, one question a row
    write_lm_eval           the same file with a task description that lm-eval loads

`base` says what a question is and how an answer is graded.
"""

from t2scaling.testbed.tasks.base import Question, Task, is_correct
from t2scaling.testbed.tasks.files import read, save, write_lm_eval
from t2scaling.testbed.tasks.real import UNTRAINED
from t2scaling.testbed.tasks.registry import NAMES, load

__all__ = ["NAMES", "UNTRAINED", "Question", "Task", "is_correct", "load", "read", "save", "write_lm_eval"]
