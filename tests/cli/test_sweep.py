from __future__ import annotations

import pandas as pd
import pytest
from boundkit_cli import exits
from boundkit_cli.app import run

import boundkit
from tests.sweeping.nets import nets

DEFAULTS = {
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
    "scheduler": None,
    "progress": None,
}


@pytest.fixture
def swept(monkeypatch):
    """Replace the sweep by a table; returns the calls that were made."""
    calls = []

    def install(*statuses, notices=()):
        def sweep(sources, out, **options):
            calls.append((sources, str(out), options))
            frame = pd.DataFrame({
                "status": statuses,
                "reason": [f"{i}.pt: why\x1b" for i in range(len(statuses))],
            })
            frame.attrs = {"notices": list(notices), "fresh": 2}
            return frame

        monkeypatch.setattr(boundkit, "sweep", sweep, raising=False)
        return calls

    return install


def test_defaults_are_those_of_the_library(swept):
    calls = swept("analyzed")

    assert run(["sweep", "a.pt", "b/*.pt", "--out", "o"]) == exits.DONE
    assert calls == [(["a.pt", "b/*.pt"], "o", DEFAULTS)]


def test_without_sources_the_folder_goes_on(swept):
    calls = swept("analyzed")
    run(["sweep", "--out", "o"])

    assert calls[0][0] == []


def test_every_option_reaches_the_library(swept):
    calls = swept("analyzed")
    code = run([
        *["sweep", "a.pt", "--out", "o", "--model", "m:f", "--data", "d.npz"],
        *["--test-data", "t.npz", "--n", "7", "--input-norm", "2"],
        *["--input-shape", "1,28,28", "--delta", "0.01", "--gamma", "0.5"],
        *["--confidence", "normalized", "--loss", "square", "--weight-decay", "1e-4"],
        *["--only", "norms,bounds", "--device", "cpu", "--batch-size", "3"],
        *["--key", "ema", "--trust", "--init", "i.pt", "--jobs", "3"],
        *["--scheduler", "tcp://h:1", "--head", "fc", "--spectra", "top"],
        *["--sgd-batch", "8", "--learning-rate", "0.1"],
    ])

    assert code == exits.DONE
    assert calls[0][2] == {
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
        "scheduler": "tcp://h:1",
        "progress": None,
    }


def test_trust_is_said_loudly(swept, capsys):
    swept("analyzed")
    run(["sweep", "a.pt", "--out", "o", "--trust", "--quiet"])

    assert "warning: --trust lets code inside" in capsys.readouterr().err


def test_the_sum_is_on_stdout_and_troubles_are_on_stderr(swept, capsys):
    swept("analyzed", "failed", "pending", notices=["m.csv: odd\x1b"])
    code = run(["sweep", "a.pt", "--out", "o"])
    out, err = capsys.readouterr()

    assert code == exits.DONE
    assert out == (
        "3 checkpoints: 1 analyzed (2 now), 1 failed, 0 with numbers that are not "
        "finite\n"
    )
    assert err.startswith("boundkit: note: m.csv: odd")
    assert "boundkit: failed: 1.pt: why" in err
    assert "\x1b" not in err


def test_of_many_failures_the_first_are_named(swept, capsys):
    swept("analyzed", *["failed"] * 25)
    run(["sweep", "a.pt", "--out", "o"])
    lines = capsys.readouterr().err.splitlines()

    assert len(lines) == 11
    assert lines[-1] == "boundkit: failed: 15 more; the column reason says why"


def test_quiet_says_nothing_of_single_failures(swept, capsys):
    swept("analyzed", "failed")
    run(["sweep", "a.pt", "--out", "o", "--quiet"])

    assert not capsys.readouterr().err


@pytest.mark.parametrize(
    ("statuses", "code"),
    [
        (("analyzed", "failed"), exits.DONE),
        (("failed", "failed"), exits.UNREADABLE),
        (("analyzed", "undefined"), exits.UNDEFINED),
        (("undefined",), exits.UNDEFINED),
    ],
)
def test_exit_codes(statuses, code, swept):
    swept(*statuses)

    assert run(["sweep", "a.pt", "--out", "o"]) == code


def test_where_nothing_could_be_analyzed_it_is_said(swept, capsys):
    swept("failed")
    run(["sweep", "a.pt", "--out", "o", "-q"])

    assert "error: no checkpoint could be analyzed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["a.pt"], "Missing option '--out'"),
        (["a.pt", "--out", "o", "--jobs", "0"], "it must be at least 1, but got 0"),
        (["a.pt", "--out", "o", "--delta", "2"], r"delta must lie in (0, 1)"),
    ],
)
def test_wrong_usage_is_one_line(arguments, said, capsys):
    assert run(["sweep", *arguments]) == exits.USAGE

    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_nothing_to_sweep_is_one_line(tmp_path, capsys):
    assert run(["sweep", f"{tmp_path}/*.pt", "--out", f"{tmp_path}/o"]) == (
        exits.UNREADABLE
    )
    assert "there is no checkpoint" in capsys.readouterr().err


def test_real_files_become_a_table(tmp_path, capsys):
    nets(tmp_path / "runs", 2)
    out = tmp_path / "out"
    code = run([
        *["sweep", str(tmp_path / "runs"), "--out", str(out), "--only", "norms"],
        *["--jobs", "1"],
    ])
    said = capsys.readouterr().out.splitlines()

    assert code == exits.DONE
    assert said == [
        "2 checkpoints: 2 analyzed (2 now), 0 failed, 0 with numbers that are not finite",
        f"{out}/results.csv",
        f"{out}/results.parquet",
    ]
    assert pd.read_csv(out / "results.csv")["status"].tolist() == ["analyzed"] * 2
    again = run(["sweep", "--out", str(out), "--only", "norms", "--n", "5"])
    assert again == exits.USAGE
    assert "n was None, now 5" in capsys.readouterr().err
