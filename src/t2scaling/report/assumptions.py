"""What the numbers of a page mean and do not mean: the common misreadings are met here."""

from t2scaling.allocate import Plan
from t2scaling.costs import samples_afforded
from t2scaling.laws import FitResult, PublishedLaw
from t2scaling.units import format_flops, format_number


def assumptions(fit: FitResult | PublishedLaw, plan: Plan, inference_flops: float) -> list[tuple[str, str]]:
    """What the numbers mean and do not mean, as (heading, text); the common misreadings are met here."""
    convention = fit.conventions.get("n_params", "unstated")
    extent = fit.support.get("train_flops")
    spent = plan.optimum.train_flops
    far = ""
    if extent is not None and spent > extent[1] * 1.01:
        far = f" This plan trains with {format_number(spent / extent[1], 2)} times the largest budget in the data."
    return [
        (
            "Two budgets",
            f"Training is paid once, in {plan.cost.train_unit}; the serving budget is in {plan.cost.serve_unit}, over "
            "all k samples. The two are added up only in a lifetime budget."
            + (
                f" {format_flops(inference_flops)} FLOPs per token are one sample of a model of "
                f"{format_number(float(samples_afforded(1, inference_flops)))} parameters."
                if plan.cost.product
                else ""
            ),
        ),
        (
            "Overtrained",
            "means a smaller model on more tokens than Chinchilla's rule gives it, at the same training FLOPs.",
        ),
        (
            "Costs",
            f"are counted as: {plan.cost.label}."
            + (
                " Those are matrix products with the weights. Attention, the prompt, the KV cache and batching are "
                "left out; long contexts make small models with many samples dearer (docs/serving.md)."
                if plan.cost.product
                else ""
            ),
        ),
        ("Parameters", f"N is counted as: {convention.replace('_', ' ')}. Compare sizes by the same count only."),
        ("Outcomes", _outcomes(fit)),
        (
            "Picking the right sample",
            f"This plan is for: {plan.strategy.label}. pass@k counts a problem as solved if any of k samples is right; "
            "to use that, something must tell which one: unit tests, a proof checker, a verifier. Majority votes gain "
            "far less, and an imperfect verifier caps the gain (Stroebl et al. 2024, arXiv 2411.17501).",
        ),
        (
            "Samples",
            "are independent draws in parallel; k is a real number unless rounded on request. Long chains of thought, "
            "search and revision are not covered.",
        ),
        (
            "Range",
            "A law is trusted where it was fitted; its exponents move with the k, N and D in the data. Beyond it the "
            f"direction (smaller and longer) is safer than the size of the step.{far}",
        ),
        (
            "Data and after-training",
            "Every token counts as new: there is no penalty for repeating text. Heavily overtrained models can be "
            "harder to fine-tune (Springer et al. 2025, arXiv 2503.19206) and to quantise (Kumar et al. 2024, arXiv "
            "2411.04330).",
        ),
    ]


def _outcomes(fit: FitResult | PublishedLaw) -> str:
    unit = fit.conventions.get("nll", "")
    if unit == "mean_per_token":
        return (
            "nll is the mean per token of the correct answer, so e^−nll is a geometric mean over tokens and not a "
            "chance of success: read pass@k here as an index, not as a rate."
        )
    return (
        "From likelihoods, p = e^−nll is the chance of sampling exactly the reference answer (nll summed over its "
        "tokens, natural log), which is at most the chance of any right answer. From counts, pass@k is the unbiased "
        "estimate from n samples with c correct. A mean over tasks weighs each task the same; optima differ by task."
    )
