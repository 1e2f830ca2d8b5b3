"""Plan from laws that come with the package: no data needed.

Run: python examples/01_plan_from_a_published_law.py
"""

import t2scaling as t2


def main() -> None:
    # A law fitted to repeated sampling of the Pythia models on GSM8K: pass@k from model size, tokens and samples.
    law = t2.load_law("pythia/gsm8k-accuracy")
    plan = t2.plan(law, train_flops=1e22, inference_flops=2e11)
    print(plan.sentence())
    for warning in plan.warnings:
        print("  !", warning)

    # The same, held to sizes and tokens that were measured.
    careful = t2.plan(law, train_flops=1e22, inference_flops=2e11, n_range=(70e6, 12e9), max_tokens=300e9)
    print("\nWithin the data:", careful.sentence())

    # The same question over a model's whole life: training and 1 trillion served tokens share one budget.
    lifetime = t2.plan(law, total_flops=2e22, tokens_served=1e12)
    print("\nOver a lifetime:", lifetime.sentence())

    # Chinchilla's law knows nothing of samples, and says only how to train.
    chinchilla = t2.plan(t2.load_law("chinchilla/besiroglu"), train_flops=5.76e23)
    print("\nChinchilla:", chinchilla.sentence())


if __name__ == "__main__":
    main()
