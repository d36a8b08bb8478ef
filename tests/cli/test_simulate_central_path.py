"""``boundkit simulate central-path``: text, files, exit codes."""

from __future__ import annotations

import csv
import inspect
import json

import pytest
from boundkit_cli.app import run
from boundkit_cli.simulate_central_path import central_path

from boundkit.lab.dynamics.central_path import CENTRAL_PATH
from boundkit.lab.dynamics.simulating import options_of

SHORT = ["--classes", "3", "--per-class", "4", "--width", "5", "--points", "12"]


def test_defaults_are_those_of_the_library():
    ours = inspect.signature(central_path).parameters
    told = options_of(CENTRAL_PATH)

    assert {name: ours[name].default for name in told} == told


def test_claims_stand_on_stdout_and_the_rest_in_the_folder(tmp_path, capsys):
    code = run(["simulate", "central-path", *SHORT, "--out", str(tmp_path)])

    shown = capsys.readouterr()
    assert code == 0
    assert "closed form" in shown.out
    assert str(tmp_path) in shown.err
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "central-path-collapse.png",
        "central-path.csv",
        "central-path.json",
        "central-path.png",
    ]
    document = json.loads((tmp_path / "central-path.json").read_text())
    assert document["settings"]["width"] == 5
    with (tmp_path / "central-path.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 12
    assert (
        abs(float(rows[-1]["omega_1"]) / float(rows[-1]["omega_1_closed"]) - 1) < 1e-6
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--width", "3"], "width must be at least classes - 1 = 4"),
        (["--per-class", "1"], "per_class must be a whole number of at least 2"),
        (["--time", "-1"], "--time"),
        (["--renormalize", "never"], "renormalize must be one of project, whiten"),
    ],
)
def test_impossible_settings_are_told_in_a_line(options, message, capsys):
    code = run(["simulate", "central-path", *options])

    told = capsys.readouterr().err
    assert code == 2
    assert message in told
    assert told.count("\n") == 1
