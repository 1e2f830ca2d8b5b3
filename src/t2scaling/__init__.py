"""Train-to-Test (T²) scaling laws: choose N, D and k together from measurements of a suite of checkpoints."""

__version__ = "0.1.0"
