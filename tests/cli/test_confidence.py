"""The option ``--confidence``."""

import pytest
import typer
from boundkit_cli.app import run
from boundkit_cli.confidence import parse_confidence


def test_the_form_reaches_the_analysis(analyzed):
    calls = analyzed()
    run(["analyze", "net.pt", "--confidence", "normalized", "--quiet"])
    run(["analyze", "net.pt", "--quiet"])

    assert [options["confidence"] for _, options in calls] == [
        "normalized",
        "empirical",
    ]


def test_another_form_is_refused():
    with pytest.raises(
        typer.BadParameter, match="empirical or normalized, but got 'a'"
    ):
        parse_confidence("a")
