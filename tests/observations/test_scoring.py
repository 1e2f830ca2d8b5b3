"""Grading of sampled responses."""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl
import pytest

from t2scaling.errors import DataError
from t2scaling.observations.scoring import WHITE_SPACE, exact, find_scorer, numeric


def grade(scorer, pairs: list[tuple[str | None, str]]) -> list[bool]:  # type: ignore[no-untyped-def]
    responses, targets = (pl.Series(texts, dtype=pl.String) for texts in zip(*pairs, strict=True))
    return list(scorer(responses, targets))


def test_exact_ignores_white_space_at_the_ends() -> None:
    pairs = [(" 4\n", "4"), ("4", " 4"), ("44", "4"), ("", "4"), (None, "4"), ("Four", "four")]
    assert grade(exact, pairs) == [True, True, False, False, False, False]


def test_white_space_is_that_of_python() -> None:
    assert set(WHITE_SPACE) == {chr(code) for code in range(sys.maxunicode + 1) if chr(code).isspace()}


def test_exact_takes_any_of_several_targets() -> None:
    answers = "['Paris', 'the city of Paris']"
    pairs = [("Paris", answers), (" the city of Paris", answers), ("London", answers), (answers, answers)]
    assert grade(exact, pairs) == [True, True, False, True]
    assert grade(exact, [("[1", "[1, 2"), ("x", "[not a list]"), ("2", "[1, 2]")]) == [False, False, True]


def test_numeric_compares_the_last_numbers() -> None:
    pairs = [
        ("so 3 + 4 = 7.", "7"),
        ("it is $1,234.00", "She pays 12 dollars. #### 1234"),
        ("7 or 8", "7"),
        ("-3", "3"),
        ("1e3", "1000"),
        ("none", "7"),
        ("7", "seven"),
        ("0.30000000000000004", "0.3"),
        ("0.31", "0.3"),
        (".5", "0.50"),
        (None, "7"),
    ]
    assert grade(numeric, pairs) == [True, True, False, False, True, False, False, True, False, True, False]


def test_user_function_from_a_file_and_from_a_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_grader.py").write_text(
        "def loose(response, target):\n    return target.lower() in response.lower()\n"
    )
    pairs = [("It is FOUR", "four"), ("five", "four")]
    assert grade(find_scorer(f"{tmp_path / 'my_grader.py'}:loose"), pairs) == [True, False]
    monkeypatch.chdir(tmp_path)
    assert grade(find_scorer("my_grader:loose"), pairs) == [True, False]
    with pytest.raises(DataError, match=r"no function `lose`.*did you mean `loose`"):
        find_scorer("my_grader:lose")


@pytest.mark.parametrize("name", ["no_such_module:f", "nowhere.py:f", "no_colon:"])
def test_user_function_that_is_not_there(name: str) -> None:
    with pytest.raises(DataError, match=f"`--score` = '{name}'"):
        find_scorer(name)


def test_unknown_name() -> None:
    with pytest.raises(DataError, match=r"`numric` is no way of scoring \(did you mean `numeric`"):
        find_scorer("numric")
