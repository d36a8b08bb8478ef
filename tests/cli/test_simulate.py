"""The command: options reach the library, results reach their files, codes are right."""

from __future__ import annotations

import inspect
import json

import numpy as np
import pytest
from boundkit_cli import exits, simulation_options
from boundkit_cli.app import run
from boundkit_cli.simulate import flow

import boundkit
from boundkit.lab.dynamics.flow import run_flow

SCALAR = ("simulate", "flow", "--reduction", "scalar", "--points", "20")


def test_every_option_of_the_library_is_one_of_the_command():
    options = inspect.signature(run_flow).parameters
    commands = inspect.signature(flow).parameters

    assert set(options) - {"progress"} == set(commands) - {
        "out",
        "formats",
        "output",
        "quiet",
    }
    for name in set(options) - {"progress", "classes", "widths", "margins"}:
        assert commands[name].default == options[name].default, name


def test_options_reach_the_library(monkeypatch, capsys):
    calls = []

    def record(system, **given):
        calls.append((system, given))
        return run_flow(reduction="scalar", points=5)

    monkeypatch.setattr(boundkit, "simulate", record, raising=False)
    code = run([
        *("simulate", "flow", "--classes", "3,8", "--widths", "4,3", "--rate", "0.5"),
        *("--margins", "0.1,-0.2", "--decay", "0", "--solver", "RK45", "-q"),
    ])  # fmt: skip

    assert code == exits.DONE
    (system, given) = calls[0]
    assert system == "flow"
    assert given["classes"] == (3, 8)
    assert given["widths"] == (4, 3)
    assert given["margins"] == (0.1, -0.2)
    assert (given["rate"], given["decay"], given["solver"]) == (0.5, 0.0, "RK45")
    assert "simulate flow" in capsys.readouterr().out


def test_text_json_and_files(tmp_path, capsys):
    code = run([
        *SCALAR,
        *("--out", str(tmp_path / "out"), "--format", "text"),
        *("--format", f"csv={tmp_path / 'path.csv'}"),
    ])  # fmt: skip

    told = capsys.readouterr()
    assert code == exits.DONE
    assert "rho_eq" in told.out
    assert "holds" in told.out
    assert "wrote tables, flow.json and figures to" in told.err
    assert (tmp_path / "path.csv").read_text("utf-8").startswith("time,rho,rho_closed")
    assert (tmp_path / "out" / "flow.png").exists()

    assert run([*SCALAR, "--format", "json"]) == exits.DONE
    assert json.loads(capsys.readouterr().out)["schema"] == "boundkit.simulation/1"


def test_a_diverging_rate_ends_with_4_and_keeps_its_data(tmp_path, capsys):
    code = run([*SCALAR, "--rate", "20", "--time", "900", "--out", str(tmp_path)])

    assert code == exits.UNDEFINED
    assert "Stopped: gradient descent with rate 20" in capsys.readouterr().out
    rows = np.genfromtxt(tmp_path / "flow-descent.csv", delimiter=",", names=True)
    assert np.isfinite(rows["rho_descent"][:10]).all()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--rho", "0"), exits.USAGE, "it must be a number above 0, but got 0.0"),
        (("--rho", "-1"), exits.USAGE, "it must be a number above 0, but got -1.0"),
        (("--decay", "-1"), exits.USAGE, "it must be a number of at least 0"),
        (("--rate", "-1"), exits.USAGE, "it must be a number above 0, but got -1.0"),
        (("--rate", "1e9"), exits.USAGE, "rate must take between 1 and 100,000 steps"),
        (("--margins", "a"), exits.USAGE, "it must be numbers between commas"),
        (("--classes", "1;2"), exits.USAGE, "it must be whole numbers between commas"),
        (("--solver", "Euler"), exits.USAGE, "solver must be one of RK45, DOP853"),
        (("--format", "xml"), exits.USAGE, "the format must be one of text, json, csv"),
        (
            ("--reduction", "net", "--data", "nowhere"),
            exits.UNREADABLE,
            "nowhere: no such file or folder",
        ),
    ],
)
def test_what_makes_no_sense_is_one_line(capsys, arguments, code, message):
    assert run([*SCALAR, *arguments]) == code

    told = capsys.readouterr()
    assert message in " ".join(told.err.split())
    assert told.err.count("\n") == 1
    assert not told.out


def test_too_few_samples_end_with_3(tmp_path, capsys):
    path = tmp_path / "data.npz"
    np.savez(path, x=np.eye(4, dtype=np.float32), y=np.array([0, 0, 0, 1]))
    code = run(["simulate", "flow", "--data", str(path), "--samples", "4"])

    assert code == exits.UNREADABLE
    assert "1 samples of class 1, but 2 are asked for" in capsys.readouterr().err


def test_a_linear_net_is_an_empty_text():
    assert simulation_options.whole_numbers("", "--widths") == ()


def test_without_a_system_help_is_shown(capsys):
    assert run(["simulate"]) == exits.USAGE
    assert "boundkit simulate flow --out flow" in capsys.readouterr().err


def test_an_unknown_system(capsys):
    assert run(["simulate", "weather"]) == exits.USAGE
    assert "weather" in capsys.readouterr().err
