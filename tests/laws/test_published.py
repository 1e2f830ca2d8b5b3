"""Published laws: names, the interface they share with fits, and the data-constrained form."""

from __future__ import annotations

import numpy as np
import pytest

from t2scaling.artefacts import write_json
from t2scaling.errors import DataError
from t2scaling.laws import ChinchillaLaw, PublishedLaw, fit_chinchilla, load_law
from t2scaling.laws.constrained import DataConstrainedLaw
from t2scaling.laws.published import names, read_published


@pytest.mark.parametrize("name", names())
def test_every_law_is_complete(name):
    law = load_law(name)
    assert isinstance(law, PublishedLaw)
    assert law.name == name
    assert "arXiv" in law.citation
    assert law.task
    assert law.conventions["n_params"]
    assert {"N", "D"} <= set(law.support)
    assert all(lo < hi for lo, hi in law.support.values())
    assert all(text.endswith(".") for text in law.warnings)
    assert np.isfinite(law.predict(1e9, 2e10)).all()
    assert law.citation in law.explain()


@pytest.mark.parametrize("name", ["pythia/gsm8k", "pythia/gsm8k-accuracy"])
def test_fitted_laws_carry_provenance_and_bootstrap(name):
    law = load_law(name)
    assert {"source", "command", "date", "left_out", "data_hash"} <= set(law.provenance)
    assert "t2 fit" in law.provenance["command"]
    assert len(law.bootstrap.laws()) == 200
    assert type(law.bootstrap.laws()[0]) is type(law.law)
    rate = law.predict(1e9, 3e11, [1, 8, 64], "pass_at_k")
    assert np.all(np.diff(rate) > 0)
    assert np.all((rate > 0) & (rate < 1))


@pytest.mark.parametrize("name", ["pythia/gsm8k", "chinchilla/besiroglu"])
def test_round_trip(name, tmp_path):
    law = load_law(name)
    again = read_published(write_json(tmp_path / "law.json", law.to_dict()))
    assert again.law == law.law
    assert again.support == law.support
    assert (again.bootstrap is None) == (law.bootstrap is None)
    if law.bootstrap is not None:
        assert np.array_equal(again.bootstrap.samples, law.bootstrap.samples)


def test_unknown_name_suggests_the_nearest():
    with pytest.raises(DataError, match="did you mean chinchilla/besiroglu"):
        load_law("chinchilla/besirogl")
    with pytest.raises(DataError, match=r"published laws are chinchilla/besiroglu.*pythia/gsm8k"):
        load_law("zzz.json")


def test_a_path_is_read_as_a_fit(tmp_path, rng):
    N, D = np.geomspace(1e7, 1e9, 12), np.geomspace(1e9, 1e11, 12)[rng.permutation(12)]
    truth = ChinchillaLaw(1.8, 480, 0.35, 2100, 0.37)
    found = fit_chinchilla(N, D, truth.predict(N, D))
    found.save(tmp_path / "fit.json")
    assert load_law(tmp_path / "fit.json").law == found.law


@pytest.mark.parametrize("r_tokens", [0.5, 15.4])
def test_unique_data_is_the_plain_law(r_tokens):
    loss = ChinchillaLaw(1.8, 480, 0.35, 2100, 0.37)
    law = DataConstrainedLaw(loss, r_tokens, 5.3)
    N, D = 1e8, 2e11  # far more tokens than are optimal for N, so no parameter is in excess
    assert float(law.predict(N, D, D)) == pytest.approx(float(loss.predict(N, D)), rel=1e-12)
    assert float(law.predict(N, D, 10 * D)) == pytest.approx(float(loss.predict(N, D)), rel=1e-12)


def test_repetition_helps_less_and_less():
    law = load_law("muennighoff/c4").data_constrained
    epochs = np.array([1, 2, 4, 8, 16, 64, 1024])
    worth = law.effective_tokens(epochs * 1e10, 1e10)
    assert worth[0] == 1e10
    assert np.all(np.diff(worth) > 0)
    assert np.all(worth <= epochs * 1e10)
    assert worth[-1] <= 1e10 * (1 + law.r_tokens)
    with pytest.raises(ValueError, match="unique_tokens"):
        law.predict(1e9, 1e10, 0)
