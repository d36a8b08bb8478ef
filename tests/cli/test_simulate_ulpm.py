"""``boundkit simulate ulpm``: text, files, exit codes."""

from __future__ import annotations

import csv
import inspect
import json

import pytest
from boundkit_cli.app import run
from boundkit_cli.simulate_ulpm import ulpm

import boundkit
from boundkit.lab.dynamics.layer_peeled import ULPM
from boundkit.lab.dynamics.simulating import options_of


def test_defaults_are_those_of_the_library():
    ours = inspect.signature(ulpm).parameters
    told = options_of(ULPM)

    assert {name: ours[name].default for name in told} == told


def test_the_command_is_the_call(tmp_path, capsys):
    code = run([
        *("simulate", "ulpm", "--steps", "300", "--points", "12"),
        *("--format", f"json={tmp_path / 'run.json'}"),
    ])

    capsys.readouterr()
    found = json.loads((tmp_path / "run.json").read_text())
    told = boundkit.simulate("ulpm", steps=300, points=12)
    assert code == 0
    assert found["settings"] == dict(told.settings)
    loss = next(c for c in found["tables"][0]["columns"] if c["name"] == "loss")
    assert loss["values"] == told.table().column("loss").tolist()


def test_what_diverges_is_code_4_and_its_data_are_kept(tmp_path, capsys):
    code = run([
        *("simulate", "ulpm", "--reduction", "sum", "--steps", "1000"),
        *("--out", str(tmp_path)),
    ])

    assert code == 4
    assert "diverge at learning rate 5" in capsys.readouterr().out
    with (tmp_path / "ulpm.csv").open() as file:
        assert len(list(csv.DictReader(file))) > 2
    assert (tmp_path / "ulpm.png").exists()


def test_the_saddle_has_a_table_and_a_figure(tmp_path, capsys):
    code = run([
        *("simulate", "ulpm", "--start", "saddle", "--classes", "4", "--width", "4"),
        *("--per-class", "1", "--method", "flow", "--time", "1e20", "--points", "12"),
        *("--out", str(tmp_path), "--quiet"),
    ])

    assert code == 0
    assert capsys.readouterr().err == ""
    assert (tmp_path / "ulpm-circle.csv").exists()
    assert (tmp_path / "ulpm-saddle.png").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--width", "3"], "width must be at least classes - 1 = 4"),
        (["--learning-rate", "-5"], "--learning-rate"),
        (["--start", "saddle"], "start saddle needs an even number of classes"),
        (["--method", "leap"], "method must be one of descent, flow"),
    ],
)
def test_impossible_settings_are_told_in_a_line(options, message, capsys):
    code = run(["simulate", "ulpm", *options])

    told = capsys.readouterr().err
    assert code == 2
    assert message in told
    assert told.count("\n") == 1
