"""Published laws against the numbers printed with them, and the packaged ones against a fresh fit."""

from __future__ import annotations

import numpy as np
import pytest

from t2scaling.laws import fit, load_law


@pytest.mark.parametrize(
    ("N", "D", "U", "loss"),
    [(6.34e9, 242e9, 25e9, 2.2256440889984477), (8.67e9, 178e9, 25e9, 2.2269634075087867)],
)
def test_muennighoff_losses_on_repeated_data(N, D, U, loss):
    law = load_law("muennighoff/c4").data_constrained
    assert float(law.predict(N, D, U)) == pytest.approx(loss, abs=1e-12)


@pytest.mark.parametrize(("epochs", "effective"), [(4, 3.7257e11), (16, 1.0582e12), (40, 1.5167e12), (1e9, 1.6388e12)])
def test_muennighoff_effective_tokens(epochs, effective):
    law = load_law("muennighoff/c4").data_constrained
    assert float(law.effective_tokens(epochs * 1e11, 1e11)) == pytest.approx(effective, rel=5e-5)


def test_besiroglu_is_the_reported_maximum_likelihood():
    law = load_law("chinchilla/besiroglu").law
    assert pytest.approx(482.00572, abs=1e-2) == law.A
    assert pytest.approx(2085.43420, abs=1e-2) == law.B
    assert pytest.approx(1.81686, abs=1e-4) == law.E
    assert (law.alpha, law.beta) == pytest.approx((0.34781, 0.36585), abs=1e-5)


def test_open_athena_units_are_turned_into_parameters_and_tokens():
    law = load_law("chinchilla/open-athena").law
    assert float(law.predict(1e6, 1e9)) == pytest.approx(1.9051 + 4.0005 + 1.0509, rel=1e-12)
    assert law.beta / (law.alpha + law.beta) == pytest.approx(0.5665, abs=5e-4)


@pytest.mark.parametrize(("name", "law"), [("pythia/gsm8k", "loss"), ("pythia/gsm8k-accuracy", "accuracy")])
def test_packaged_laws_come_out_of_the_counts(name, law, shared_data):
    """The coefficients in the package are those of a fit made now, by the recipe in their provenance."""
    import polars as pl

    from t2scaling.observations import read

    stored = load_law(name)
    table = pl.read_parquet(shared_data / "pythia" / "gsm8k.parquet")
    table = table.filter((pl.col("n_tokens") >= 2e9) & (pl.col("n_params") >= 7e7))
    fresh = fit(read(table), law, k=[1, 2, 4, 8, 16, 32, 64, 128], target="neg_log_mean")
    assert len(fresh.curves.N) == stored.provenance["runs"] == 48
    assert fresh.objective == pytest.approx(stored.provenance["objective"], rel=1e-6)
    N, D, k = np.array([7e7, 1e9, 12e9]), np.array([2e9, 6e10, 3e11]), np.array([1, 16, 128])
    assert fresh.predict(N, D, k) == pytest.approx(stored.predict(N, D, k), rel=1e-4)
    assert fresh.support == stored.support
