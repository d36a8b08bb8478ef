from __future__ import annotations

import pytest
import typer
from boundkit_cli import exits
from boundkit_cli.app import run
from boundkit_cli.values import PARTS, parse_gamma, parse_only, parse_shape


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--delta", "0", "delta must lie in (0, 1), but got 0.0"),
        ("--delta", "1", "delta must lie in (0, 1), but got 1.0"),
        ("--delta", "nan", "delta must lie in (0, 1), but got nan"),
        ("--n", "0", "it must be at least 1, but got 0"),
        ("--batch-size", "-3", "it must be at least 1, but got -3"),
        ("--input-norm", "0", "it must be a number above 0, but got 0.0"),
        ("--input-norm", "inf", "it must be a number above 0, but got inf"),
        ("--weight-decay", "-1", "it must be a number of at least 0, but got -1.0"),
        ("--weight-decay", "nan", "it must be a number of at least 0, but got nan"),
        ("--min-coverage", "1.1", "the coverage must lie in [0, 1], but got 1.1"),
        ("--gamma", "0", "gamma must be auto or a number above 0, but got '0'"),
        ("--gamma", "big", "gamma must be auto or a number above 0, but got 'big'"),
        ("--gamma", "inf", "gamma must be auto or a number above 0, but got 'inf'"),
        ("--input-shape", "1x28", "whole numbers such as 1,28,28, but got '1x28'"),
        ("--input-shape", "0,28", "whole numbers such as 1,28,28, but got '0,28'"),
        ("--only", "norms,rho", f"out of {', '.join(PARTS)}, but got 'rho'"),
        ("--only", "", f"out of {', '.join(PARTS)}, but got ''"),
        (
            "--loss",
            "hinge",
            "the loss must be square or cross-entropy, but got 'hinge'",
        ),
        ("--spectra", "most", "spectra must be among auto, full, top, none, but got"),
        (
            "--convention",
            "ours",
            "the convention must be boundkit or weightwatcher, but got 'ours'",
        ),
        ("--device", "gpu", "cpu, cuda, cuda:0 or mps, but got 'gpu'"),
    ],
)
def test_a_wrong_value_names_option_expectation_and_value(
    option, value, message, analyzed, capsys
):
    calls = analyzed()

    assert run(["analyze", "a.pt", option, value]) == exits.USAGE
    err = capsys.readouterr().err

    assert f"Invalid value for '{option}': " in err
    assert message in err
    assert err.count("\n") == 1
    assert not calls


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--delta", "1e-9"),
        ("--min-coverage", "0"),
        ("--min-coverage", "1"),
        ("--weight-decay", "0"),
        ("--device", "mps"),
        ("--device", "cuda"),
        ("--loss", "cross-entropy"),
    ],
)
def test_values_at_the_edge_are_accepted(option, value, analyzed):
    analyzed()

    assert run(["analyze", "a.pt", option, value]) == exits.DONE


def test_gamma_is_auto_or_a_number():
    assert parse_gamma("auto") == "auto"
    assert parse_gamma("0.25") == 0.25
    with pytest.raises(typer.BadParameter, match="gamma must be auto or a number"):
        parse_gamma("-1")


def test_a_shape_is_whole_numbers():
    assert parse_shape(None) is None
    assert parse_shape("3,224,224") == (3, 224, 224)
    with pytest.raises(typer.BadParameter, match="the input shape must be whole"):
        parse_shape("3,,4")


def test_parts_may_be_spaced():
    assert parse_only(None) is None
    assert parse_only("norms, bounds") == ("norms", "bounds")
    with pytest.raises(typer.BadParameter, match="parts must be out of norms"):
        parse_only("norms;bounds")
