"""The command between its terminal and its reader: encodings, early leavers, help and completion."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from t2scaling.cli.terminal import plain_character, shows_unicode

PLAN = ["plan", "pythia/gsm8k", "--train-flops", "1e21", "--inference-flops", "2e10"]


def t2(*argv: str, encoding: str = "utf-8", **environment: str) -> subprocess.CompletedProcess[bytes]:
    """The command in a process of its own, whose stdout has the encoding given."""
    program = [sys.executable, "-c", "from t2scaling.cli.main import main; main()", *argv]
    env = {**os.environ, "PYTHONIOENCODING": encoding, **environment}
    return subprocess.run(program, capture_output=True, env=env, check=False)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1"])
def test_no_encoding_loses_the_answer(encoding):
    done = t2(*PLAN, encoding=encoding)
    assert done.returncode == 0
    said = done.stdout.decode(encoding)
    assert "-log pass@k" in said
    assert said.startswith(("Train ", "By extrapolation: train "))
    utf8 = t2(*PLAN).stdout.decode()
    assert len(said.splitlines()) == len(utf8.splitlines())


def test_json_survives_any_encoding():
    ascii_only, utf8 = (t2(*PLAN, "--json", encoding=name).stdout for name in ("ascii", "utf-8"))
    assert json.loads(ascii_only.decode("ascii")) == json.loads(utf8.decode())


@pytest.mark.parametrize("argv", [PLAN, [*PLAN, "--json"], ["plan", "--help"]], ids=["plan", "json", "help"])
def test_a_reader_who_leaves_is_no_failure(argv):
    read, write = os.pipe()
    os.close(read)
    program = [sys.executable, "-c", "from t2scaling.cli.main import main; main()", *argv]
    done = subprocess.run(program, stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")


def test_flags_are_flags_in_the_help():
    for argv in (["--help"], ["plan", "--help"]):
        assert b"<bool>" not in t2(*argv).stdout


def test_the_shell_completes_verbs_and_options():
    asked = {"_T2_COMPLETE": "complete_bash", "COMP_CWORD": "1", "COMP_WORDS": "t2 fr"}
    assert t2(**asked).stdout.split() == [b"frontier"]
    assert b"--train-flops" in t2(**{**asked, "COMP_CWORD": "2", "COMP_WORDS": "t2 plan --tr"}).stdout.split()


def test_characters_have_a_plain_reading():
    assert "".join(map(plain_character, "−2×é√α☃")) == "-2xesqrtalpha?"


def test_encodings_that_hold_everything_are_known():
    class Stream:
        def __init__(self, encoding):
            self.encoding = encoding

    assert [shows_unicode(Stream(name)) for name in ("UTF-8", "utf_16", None, "cp1252")] == [True, True, True, False]
