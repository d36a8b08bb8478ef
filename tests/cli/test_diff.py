from __future__ import annotations

import json

import pytest
from boundkit_cli import exits
from boundkit_cli.app import run

from boundkit.report.json import render
from tests.report.reports import REPORTS

pytestmark = pytest.mark.usefixtures("folder")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("proved", "assumed"):
        text = render(REPORTS[name]())
        (tmp_path / f"{name}.json").write_text(text, encoding="utf-8")


def test_a_difference_is_shown_and_no_failure(capsys):
    assert run(["diff", "proved.json", "assumed.json"]) == exits.DONE
    assert "0.2631 -> 0.5512 (+110 %)" in capsys.readouterr().out


def test_the_tolerance_reaches_the_library(capsys):
    run(["diff", "proved.json", "assumed.json", "--rtol", "0.9", "--format", "json"])
    paths = {one["path"] for one in json.loads(capsys.readouterr().out)["changes"]}

    assert "certificates.sparse_cnn.value" not in paths
    assert "certificates.sparse_cnn.status" in paths


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["none.json"], exits.UNREADABLE, "No such file"),
        (["proved.json", "--rtol", "2"], exits.USAGE, "rtol must lie in [0, 1)"),
        (["proved.json", "--output", "proved.json"], exits.USAGE, "choose another"),
        (["proved.json", "--format", "html"], exits.USAGE, "must be one of text"),
    ],
)
def test_what_cannot_work_is_refused(arguments, code, message, capsys):
    assert run(["diff", "assumed.json", *arguments]) == code
    assert message in capsys.readouterr().err
