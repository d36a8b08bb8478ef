from __future__ import annotations

import json

import pytest
from boundkit_cli import exits
from boundkit_cli.app import run

from tests.report.reports import REPORTS, report


def test_every_option_reaches_the_analysis(analyzed):
    calls = analyzed()
    code = run([
        "analyze",
        "a.pt",
        "--model",
        "m:f",
        "--data",
        "d.npz",
        "--test-data",
        "t.npz",
        "--n",
        "7",
        "--input-norm",
        "2",
        "--input-shape",
        "1,28,28",
        "--delta",
        "0.01",
        "--gamma",
        "0.5",
        "--confidence",
        "normalized",
        "--loss",
        "square",
        "--weight-decay",
        "0.001",
        "--only",
        "norms,bounds",
        "--device",
        "cuda:1",
        "--batch-size",
        "3",
        "--key",
        "ema",
        "--trust",
        "--init",
        "start.pt",
        "--head",
        "fc",
        "--features",
        "h.npz",
        "--spectra",
        "top",
        "--convention",
        "weightwatcher",
        "--sgd-batch",
        "32",
        "--learning-rate",
        "0.1",
        "--steps",
        "9",
        "--earlier",
        "b.pt",
        "--earlier",
        "c.pt",
    ])

    assert code == exits.DONE
    assert calls == [
        (
            "a.pt",
            {
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
                "weight_decay": 0.001,
                "only": ("norms", "bounds"),
                "device": "cuda:1",
                "batch_size": 3,
                "key": "ema",
                "trust": True,
                "init": "start.pt",
                "head": "fc",
                "features": "h.npz",
                "spectra": "top",
                "convention": "weightwatcher",
                "sgd_batch": 32,
                "learning_rate": 0.1,
                "steps": 9,
                "earlier": ["b.pt", "c.pt"],
                "progress": None,
            },
        )
    ]


def test_defaults_are_those_of_the_library(analyzed):
    calls = analyzed()
    run(["analyze", "a.pt"])

    assert calls[0][1] == {
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
        "features": None,
        "spectra": "auto",
        "convention": "boundkit",
        "sgd_batch": None,
        "learning_rate": None,
        "steps": None,
        "earlier": (),
        "progress": None,
    }


def test_text_is_printed_by_default(analyzed, capsys):
    analyzed()

    assert run(["analyze", "a.pt"]) == exits.DONE
    assert capsys.readouterr() == (repr(REPORTS["proved"]()), "")


def test_json_is_printed_when_asked_for(analyzed, capsys):
    analyzed("hostile")

    assert run(["analyze", "a.pt", "--format", "json"]) == exits.DONE
    assert json.loads(capsys.readouterr().out)["schema"] == "boundkit.report/1"


def test_undefined_numbers_are_reported_and_exit_four(analyzed, capsys):
    analyzed("refuted")

    assert run(["analyze", "a.pt"]) == exits.UNDEFINED
    assert "mid.weight holds 3 NaN" in capsys.readouterr().out


def test_a_failed_gate_is_reported_and_exits_one(analyzed, capsys):
    analyzed("refuted")

    assert run(["analyze", "a.pt", "--min-coverage", "0.99"]) == exits.GATE_FAILED
    out, err = capsys.readouterr()

    assert out
    assert err.startswith("boundkit: gate failed: coverage 0.97889 is below 0.99; not")
    assert err.count("\n") == 1


def test_a_passed_gate_is_silent(analyzed, capsys):
    analyzed(report(coverage=0.99))

    assert run(["analyze", "a.pt", "--min-coverage", "0.99"]) == exits.DONE
    assert not capsys.readouterr().err


@pytest.mark.parametrize("quiet", [[], ["--quiet"]])
def test_trust_is_said_loudly(quiet, analyzed, capsys):
    analyzed()
    run(["analyze", "a\x1b.pt", "--trust", *quiet])

    assert capsys.readouterr().err == (
        r"boundkit: warning: --trust lets code inside 'a\x1b.pt' run on this machine"
        "\n"
    )
