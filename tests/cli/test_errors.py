"""Whatever is typed wrong: one paragraph on stderr, exit code 2, nothing on stdout, nothing written."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

import t2scaling
from t2scaling.cli.main import as_typed, run

BUDGET = ["--train-flops", "1e17", "--inference-flops", "1e8"]


def refused(capsys, folder, *argv: str) -> str:
    """What stderr says of a command line with --json and -o, after checking that nothing else came of it."""
    capsys.readouterr()
    output = folder / "output"
    named = [str(folder / word) if (folder / word).is_file() else word for word in argv]
    assert run([*named, "--json", "-o", str(output)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("t2: ")
    assert err.count("\n") == 1
    assert not output.exists()
    return err


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["fit", "runs.csv", "--law", "los"], ["`--law` = 'los'", "did you mean loss?"]),
        (["fit", "runs.csv", "--solver", "varpo"], ["`--solver`", "did you mean varpro?"]),
        (["fit", "runs.csv", "--target", "meanneglog"], ["`--target`", "did you mean mean_neg_log?"]),
        (["fit", "runs.csv", "--weights", "equl"], ["`--weights`", "did you mean equal?"]),
        (["fit", "runs.csv", "--over", "run"], ["`--over`", "did you mean runs?"]),
        (["fit", "runs.csv", "--task", "arcc"], ["`arcc`", "did you mean `arc`?"]),
        (["fit", "runs.csv", "--nll-unit", "bits"], ["`bits`", "mean_per_token"]),
        (["fit", "world", "--nll-unit", "tokens"], ["`--nll-unit` = tokens", "Leave it out"]),
        (["fit", "runs.csv", "--exponents", "3,1"], ["`--exponents` = (3.0, 1.0)"]),
        (["fit", "runs.csv", "--k", "0.5"], ["`--k` = 0.5", "k ≥ 1"]),
        (["fit", "runs.csv", "--seed", "-1"], ["`--seed` = -1"]),
        (["fit", "runs.csv", "--jobs", "0"], ["--jobs", "t2 fit --help"]),
        (["fit", "runs.csv", "--level", "5"], ["`--level` = 5"]),
        (["fit", "runs.csv", "--trian"], ["--trian", "t2 fit --help"]),
        (["fit", "runs.csv", "--k", "1,x"], ["`--k` = 1,x: `x` is not a number"]),
        (["suite", "tiny", "--device", "h10"], ["`--device` = 'h10'", "did you mean h100?"]),
        (["plan", "fit.json", *BUDGET, "--price", "0"], ["`--price` = 0 must"]),
        (["predict", "fit.json", "-N", "0", "-D", "1B"], ["`--n-params` = 0", "at least 1"]),
        (["predict", "fit.json", "-N", "1M", "-D", "1B", "--interval", "2"], ["`--interval` = 2"]),
        (["predict", "fit.json", "-N", "1M", "-D", "1B", "-k", "0.5"], ["`--k` = 0.5"]),
        (
            ["predict", "fit.json", "-N", "1M", "-D", "1B", "--metric", "pass"],
            ["`--metric`", "did you mean pass_at_k?"],
        ),
        (["plan", "fit.json", "--train-flops", "abc"], ["--train-flops", "`abc` is not a number", "t2 plan --help"]),
        (["plan", "fit.json", "--train-flops", "nan"], ["--train-flops", "`nan` is not a number"]),
        (["plan", "fit.json", "--train-flops", "0", "--inference-flops", "1e8"], ["`--train-flops` = 0"]),
        (["plan", "fit.json", "--total-flops", "1e20", "--tokens-served", "-1"], ["`--tokens-served` = -1"]),
        (["plan", "fit.json", *BUDGET, "--sizes", "1B"], ["`--inference-flops` = 1e8", "2·N", "`--sizes`"]),
        (["plan", "fit.json", *BUDGET, "--gpu", "h10"], ["`--gpu` = 'h10'", "h100"]),
        (["plan", "pythia/gsm8", *BUDGET], ["did you mean pythia/gsm8k?"]),
        (["plan", "plan.json", *BUDGET], ["plan.json` has `format`", "t2 fit", "t2 fit"]),
        (["plan", "runs.csv", *BUDGET], ["runs.csv` is not JSON"]),
        (["report", "fit.json", "--plan", "fit.json"], ["fit.json` is not a plan.json", "t2 plan"]),
        (["plam"], ["plam", "plan"]),
    ],
)
def test_what_is_typed_wrong_is_named_with_a_way_out(folder, capsys, argv, words):
    said = refused(capsys, folder, *argv)
    assert [word for word in words if word not in said] == []


DAMAGE = {
    "law gone": lambda fit: fit.pop("law"),
    "law a number": lambda fit: fit.update(law=3),
    "parameter a word": lambda fit: fit["law"]["parameters"].update(E="x"),
    "parameter infinite": lambda fit: fit["law"]["parameters"].update(E=float("inf")),
    "support gone": lambda fit: fit.update(support={}),
    "support one-ended": lambda fit: fit["support"].update(N=[1]),
    "runs lost": lambda fit: fit["curves"].update(n_params=[1.0, 2.0]),
    "residuals lost": lambda fit: fit.update(residuals=[[1.0]]),
    "status unknown": lambda fit: fit["status"].update(name="NOPE"),
    "target unknown": lambda fit: fit["curves"].update(target="zzz"),
    "bootstrap of another law": lambda fit: fit.update(bootstrap={"over": "runs", "names": ["E"], "samples": [[1.0]]}),
    "conventions gone": lambda fit: fit.update(conventions=None),
    "warnings gone": lambda fit: fit.update(warnings=None),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_a_damaged_fit_is_named(folder, capsys, what):
    content = json.loads((folder / "fit.json").read_text())
    DAMAGE[what](content)
    (folder / "damaged.json").write_text(json.dumps(content))
    for verb in (["plan", "damaged.json", *BUDGET], ["report", "damaged.json", *BUDGET]):
        assert "damaged.json` is damaged: " in refused(capsys, folder, *verb)


@pytest.mark.parametrize("cut", [0, 1, 100, -20])
def test_a_cut_off_fit_or_plan_is_named(folder, capsys, cut):
    for name, verb in (("fit", ["plan", "cut.json", *BUDGET]), ("plan", ["report", "fit.json", "--plan", "cut.json"])):
        (folder / "cut.json").write_bytes((folder / f"{name}.json").read_bytes()[:cut])
        assert "cut.json` is not" in refused(capsys, folder, *verb)


@pytest.mark.parametrize(
    "argv",
    [
        ["fit", "runs.csv"],
        ["plan", "fit.json", *BUDGET],
        ["predict", "fit.json", "-N", "1M", "-D", "1B"],
        ["frontier", "fit.json", "--train-flops", "1e16,1e17", "--inference-flops", "1e8"],
        ["report", "fit.json", *BUDGET],
        ["import", "runs.csv"],
        ["validate", "runs.csv"],
    ],
)
def test_an_output_that_is_a_folder_is_named(folder, tmp_path, capsys, argv):
    named = [str(folder / word) if (folder / word).is_file() else word for word in argv]
    assert run([*named, "--json", "-o", str(tmp_path)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"t2: `{tmp_path}`: is a folder")
    assert list(tmp_path.iterdir()) == []


def test_names_are_shown_as_they_are(table, tmp_path, capsys):
    """Neither the terminal's markup nor HTML's takes effect in the names of tasks and runs."""
    task, fit, page = "<script>alert(1)</script>[red]x[/red]", str(tmp_path / "fit.json"), tmp_path / "page.html"
    (tmp_path / "runs.csv").write_text(table(task, "<b>[bold]r[/bold]</b>"))
    for argv in (
        ["fit", str(tmp_path / "runs.csv"), "-o", fit],
        ["plan", fit, *BUDGET],
        ["predict", fit, "-N", "1M", "-D", "1B"],
        ["frontier", fit, "--train-flops", "1e16,1e17", "--inference-flops", "1e8"],
    ):
        assert run(argv) == 0
        assert task in capsys.readouterr().out
    assert run(["report", fit, *BUDGET, "--observations", str(tmp_path / "runs.csv"), "-o", str(page)]) == 0
    assert "&lt;script&gt;alert(1)&lt;/script&gt;[red]x[/red]" in page.read_text()
    assert "<script>alert(1)" not in page.read_text()
    assert "<b>[bold]" not in page.read_text()


def test_fit_says_what_it_assumed_and_takes_the_unit(folder, capsys):
    runs = str(folder / "runs.csv")
    assert run(["fit", runs, "--k", "1,2", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["conventions"]["nll"] == "sum"
    assert "no unit is stated for nll" in err
    assert run(["fit", runs, "--k", "1,2", "--nll-unit", "mean_per_token", "--json"]) == 0
    out, err = capsys.readouterr()
    content = json.loads(out)
    assert content["conventions"]["nll"] == "mean_per_token"
    assert any("mean per token" in warning for warning in content["warnings"])
    assert "no unit is stated" not in err


def test_only_names_of_options_are_rewritten():
    options = {"n_range": ("--n-range", ""), "k": ("--k", "2K"), "train_flops": ("--train-flops", "-2T")}
    assert as_typed("`n_range` and `k`, not `task` nor n_range.", options) == (
        "`--n-range` and `--k`, not `task` nor n_range."
    )
    assert as_typed("`train_flops` = -2e+12 must be positive; `k` = 3.", options) == (
        "`--train-flops` = -2T must be positive; `--k` = 3."
    )


def test_a_value_is_echoed_as_typed(folder, capsys):
    said = refused(capsys, folder, "plan", "fit.json", "--train-flops=-2T", "--inference-flops", "1e8")
    assert "`--train-flops` = -2T " in said


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["frontier", "fit.json", "--inference-flops", "1e8", "-o", "f.xlsx"], "`--output` = f.xlsx must end in .csv"),
        (["fit", "runs.csv", "-o", "fit.csv"], "must end in .json"),
        (["import", "runs.csv", "-o", "runs.csv"], "must end in .parquet"),
        (["report", "fit.json", "-o", "page.pdf"], "must end in .html"),
        (["suite", "tiny", "-o", "/proc/suite.json"], "`/proc`"),
        (["fit", "nowhere.csv", "-o", "/proc/fit.json"], "`/proc`"),
        (["suite", "tiny", "--dry-run", "--price", "-1"], "`-1` must be above zero"),
    ],
)
def test_outputs_are_checked_before_the_work(folder, tmp_path, monkeypatch, capsys, argv, words):
    """The input of some of these does not exist: the output is looked at first."""
    monkeypatch.chdir(tmp_path)
    assert run([str(folder / word) if (folder / word).is_file() else word for word in argv]) == 2
    assert words in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


# Where a plain ValueError or TypeError is caught a few lines on, and becomes one of ours with the file's name.
CAUGHT = (
    "allocate/planfile.py", "foreign/archive.py", "foreign/text.py", "laws/artefact.py", "observations/facts.py",
    "observations/lm_eval/blocks.py", "observations/manifest.py", "observations/tabular.py", "testbed/study/config.py",
)  # fmt: skip


def test_what_is_raised_is_of_the_family_of_errors():
    source = Path(t2scaling.__file__).parent
    plain = [
        f"{path.relative_to(source)}:{node.lineno}"
        for path in source.rglob("*.py")
        if str(path.relative_to(source)) not in CAUGHT
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Raise)
        and isinstance(node.exc, ast.Call)
        and ast.unparse(node.exc.func) in ("ValueError", "TypeError", "KeyError", "RuntimeError")
    ]
    assert plain == []


@pytest.mark.filterwarnings("default")
def test_a_warning_is_a_line_for_people(monkeypatch, capsys):
    import warnings

    from t2scaling.cli import laws

    monkeypatch.setattr(laws, "command", lambda: warnings.warn("mind the [gap]", stacklevel=1))
    assert run(["laws"]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert err.strip() == "Warning: mind the [gap]"
