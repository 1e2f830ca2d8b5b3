"""What a suite says on the paper's three questions, as a Markdown page.

findings    computes: optima, forecasts of held-out cells, pairs of measured cells
sentences   puts the numbers into words
page        arranges both: `write_results`
"""

from t2scaling.report.results.page import Suite, gather, read_manifest, render, write_results

__all__ = ["Suite", "gather", "read_manifest", "render", "write_results"]
