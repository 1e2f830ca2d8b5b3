"""What a suite says on the paper's three questions, as a Markdown page.

findings    computes: optima, forecasts of held-out cells, pairs of measured cells
sentences   puts the numbers into words
page        arranges both: `write_results`
"""

from t2scaling.report.results.page import read_manifest, write_results

__all__ = ["read_manifest", "write_results"]
