from __future__ import annotations

import json

import pytest
from boundkit_cli import exits
from boundkit_cli.app import run

from boundkit.report import FORMATS
from tests.report.reports import REPORTS

TEXT = repr(REPORTS["proved"]())


def test_one_run_can_write_several_formats(analyzed, capsys, tmp_path):
    analyzed()
    path = tmp_path / "r.json"

    code = run(["analyze", "a.pt", "--format", "text", "--format", f"json={path}"])

    assert code == exits.DONE
    assert capsys.readouterr() == (TEXT, f"boundkit: wrote {path}\n")
    assert json.loads(path.read_bytes())["boundkit"] == "0.1.0"


def test_output_takes_the_first_format_without_a_path(analyzed, capsys, tmp_path):
    analyzed()
    path = tmp_path / "r.txt"

    code = run([
        *["analyze", "a.pt", "--format", "text", "--format", "json", "--quiet"],
        *["--output", str(path)],
    ])
    out, err = capsys.readouterr()

    assert code == exits.DONE
    assert path.read_text(encoding="utf-8") == TEXT
    assert json.loads(out)
    assert not err


def test_output_alone_takes_the_text(analyzed, capsys, tmp_path):
    analyzed()
    path = tmp_path / "r.txt"

    assert run(["analyze", "a.pt", "--output", str(path), "-q"]) == exits.DONE
    assert capsys.readouterr() == ("", "")
    assert path.read_text(encoding="utf-8") == TEXT


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--format", "yaml"],
            f"must be one of {', '.join(f.name for f in FORMATS)}, ",
        ),
        (["--format", "json="], "'json=' names no file; write json=PATH or json"),
        (
            ["--format", "text", "--format", "json"],
            "text and json would both go to stan",
        ),
        (
            ["--format", "json=x", "--format", "text=./x"],
            "json and text would both go to",
        ),
        (["--format", "json=x", "--output", "y"], "nothing is left for 'y'"),
        (["--output", "no/such/folder/x"], "its folder does not exist; make it first"),
        (["--format", "json=."], "cannot write '.': it is a folder; name a file"),
    ],
)
def test_a_wrong_target_is_refused_before_any_work(
    arguments, message, analyzed, capsys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    calls = analyzed()

    assert run(["analyze", "a.pt", *arguments]) == exits.USAGE
    assert message in capsys.readouterr().err
    assert not calls
    assert not list(tmp_path.iterdir())
