"""The command: options reach the library, results reach their files, codes are right."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from boundkit_cli import exits
from boundkit_cli.app import run

import boundkit
from boundkit.plot.trajectories.loss_over_time import loss_over_time
from boundkit.tracing.model import Trace
from boundkit.tracing.picturing import course_of
from boundkit.tracing.points import UNDEFINED
from tests.sweeping.nets import nets
from tests.tracing.runs import bundled

DEFAULTS = {
    "by": "auto",
    "model": None,
    "data": None,
    "test_data": None,
    "n": None,
    "input_norm": 1.0,
    "input_shape": None,
    "delta": 0.05,
    "gamma": "auto",
    "confidence": "empirical",
    "loss": None,
    "weight_decay": None,
    "only": None,
    "device": "auto",
    "batch_size": 256,
    "key": None,
    "trust": False,
    "init": None,
    "head": None,
    "spectra": "auto",
    "sgd_batch": None,
    "learning_rate": None,
    "jobs": None,
    "progress": None,
}


@pytest.fixture
def traced(monkeypatch):
    """Replace the analysis by the bundled run's; returns the calls that were made."""
    calls = []
    made = bundled()  # By the library itself, so before it is replaced.

    def install(result=None):
        def trace(sources, out, **options):
            calls.append((sources, out and str(out), options))
            return result or made

        monkeypatch.setattr(boundkit, "trace", trace, raising=False)
        return calls

    return install


def test_defaults_are_those_of_the_library(traced):
    calls = traced()

    assert run(["trace", "run"]) == exits.DONE
    assert calls == [(["run"], None, DEFAULTS)]


def test_every_option_reaches_the_library(traced):
    calls = traced()
    code = run([
        *["trace", "a.pt", "b.pt", "--out", "o", "--by", "step", "--model", "m:f"],
        *["--data", "d.npz", "--test-data", "t.npz", "--n", "7", "--input-norm", "2"],
        *["--input-shape", "1,28,28", "--delta", "0.01", "--gamma", "0.5"],
        *["--confidence", "normalized", "--loss", "square", "--weight-decay", "1e-4"],
        *["--only", "norms,bounds", "--device", "cpu", "--batch-size", "3"],
        *["--key", "ema", "--trust", "--init", "i.pt", "--jobs", "3", "--head", "fc"],
        *["--spectra", "top", "--sgd-batch", "8", "--learning-rate", "0.1"],
    ])

    assert code == exits.DONE
    assert calls[0][:2] == (["a.pt", "b.pt"], "o")
    assert calls[0][2] == {
        "by": "step",
        "model": "m:f",
        "data": "d.npz",
        "test_data": "t.npz",
        "n": 7,
        "input_norm": 2.0,
        "input_shape": (1, 28, 28),
        "delta": 0.01,
        "gamma": 0.5,
        "confidence": "normalized",
        "loss": "square",
        "weight_decay": 1e-4,
        "only": ("norms", "bounds"),
        "device": "cpu",
        "batch_size": 3,
        "key": "ema",
        "trust": True,
        "init": "i.pt",
        "head": "fc",
        "spectra": "top",
        "sgd_batch": 8,
        "learning_rate": 0.1,
        "jobs": 3,
        "progress": None,
    }


def test_text_goes_to_stdout_and_files_to_their_places(traced, tmp_path, capsys):
    traced()
    csv, js = tmp_path / "run.csv", tmp_path / "run.json"

    code = run([
        "trace",
        "r",
        "--format",
        "text",
        "--format",
        f"csv={csv}",
        "--format",
        f"json={js}",
    ])

    assert code == exits.DONE
    assert "Terminal phase" in capsys.readouterr().out
    assert csv.read_text().startswith("epoch,path,status,reason,")
    assert json.loads(js.read_text())["schema"] == "boundkit.trace/1"


@pytest.fixture
def one_figure(monkeypatch):
    """Draw one figure instead of all, which takes seconds."""

    def figures(self):
        return {"loss_over_time": loss_over_time(course_of(self))}

    monkeypatch.setattr(Trace, "figures", figures)


@pytest.mark.usefixtures("one_figure")
def test_figures_are_written_and_named(traced, tmp_path, capsys):
    traced()

    assert run(["trace", "r", "--plot", str(tmp_path / "figures")]) == exits.DONE
    assert (tmp_path / "figures" / "loss_over_time.png").exists()
    assert "wrote" in capsys.readouterr().err


@pytest.mark.usefixtures("one_figure")
def test_quiet_says_nothing_of_figures(traced, tmp_path, capsys):
    traced()
    run(["trace", "r", "--plot", str(tmp_path), "--quiet"])

    assert not capsys.readouterr().err


def test_numbers_that_are_not_finite_are_exit_code_four(traced):
    first, *rest = bundled().points
    traced(replace(bundled(), points=(replace(first, status=UNDEFINED), *rest)))

    assert run(["trace", "r"]) == exits.UNDEFINED


def test_an_unknown_format_is_refused(traced, capsys):
    traced()

    assert run(["trace", "r", "--format", "yaml"]) == exits.USAGE
    assert "text, json, csv, html" in capsys.readouterr().err


def test_a_run_is_traced_from_its_folder(tmp_path, capsys):
    nets(tmp_path, 3)

    assert run(["trace", str(tmp_path), "--only", "norms", "--jobs", "1"]) == exits.DONE
    assert "3 of 3 checkpoints, epoch 0 to 2" in " ".join(
        capsys.readouterr().out.split()
    )


@pytest.mark.parametrize(
    ("count", "broken", "code"),
    [(1, 0, exits.USAGE), (0, 0, exits.UNREADABLE), (2, 2, exits.UNREADABLE)],
)
def test_what_cannot_be_traced_is_one_line_and_its_code(
    tmp_path, capsys, count, broken, code
):
    nets(tmp_path, count)
    for at in range(broken):
        (tmp_path / f"epoch_{at}.safetensors").write_bytes(b"broken")

    assert run(["trace", str(tmp_path), "--only", "norms", "--jobs", "1"]) == code
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("boundkit: error: ")


def test_trust_is_said_loudly(traced, capsys):
    traced()
    run(["trace", "r", "--trust"])

    assert "--trust lets code inside" in capsys.readouterr().err
