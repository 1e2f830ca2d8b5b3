"""`t2 laws` lists what can be fitted and what is published."""

from __future__ import annotations

import json

from t2scaling.cli.main import run
from t2scaling.laws import LAWS, load_law
from t2scaling.laws.published import names


def test_every_law_is_listed_with_its_formula(capsys):
    assert run(["laws", "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert {row["name"]: row["formula"] for row in content["laws"]} == {law.name: law.formula for law in LAWS.values()}
    published = {row["name"]: row for row in content["published"]}
    assert set(published) == set(names())
    hoffmann = published["chinchilla/hoffmann"]
    assert hoffmann["parameters"] == {"E": 1.69, "A": 406.4, "alpha": 0.34, "B": 410.7, "beta": 0.28}
    assert all(row["source"] == load_law(name).citation for name, row in published.items())


def test_the_list_for_people_names_what_to_type(capsys):
    assert run(["laws"]) == 0
    said = capsys.readouterr().out
    assert "L = E + A·N^−α + B·D^−β" in said
    for name in (*LAWS, *names()):
        assert name in said
