"""A metric for lm-evaluation-harness tasks that sample each question several times."""

from collections.abc import Sequence


def lm_eval_metric(references: Sequence[str], predictions: Sequence[Sequence[str]]) -> dict[str, int]:
    """Count the correct samples of one question, so that the harness logs n_samples and n_correct per question.

    references   the target of the question, as a list of one
    predictions  its samples, as a list of one list (keep them all: filter `take_first_k` with k = repeats)
    A sample is correct when it equals the target, white space at both ends aside. docs/formats.md has the lines
    for the task's YAML file; for another notion of correct, return the same two keys from a function of your own.
    """
    samples = [predictions[0]] if isinstance(predictions[0], str) else list(predictions[0])
    return {"n_samples": len(samples), "n_correct": sum(text.strip() == references[0].strip() for text in samples)}
