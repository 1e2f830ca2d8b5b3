"""Run it: plan, pretrain, post-train and evaluate a suite of checkpoints. Needs the `[train]` extra; the core of the
package imports nothing of it, and the two meet in observations.parquet alone.
"""
