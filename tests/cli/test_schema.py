from __future__ import annotations

import json

from boundkit_cli import exits
from boundkit_cli.app import run

from boundkit.gate import rendering
from boundkit.lab import documents as lab_documents
from boundkit.lab.dynamics import documents as dynamics_documents
from boundkit.report import comparison_json, difference_formats
from boundkit.report.json import schema
from boundkit.tracing import documents


def test_the_printed_schema_is_the_shipped_one(capsys):
    assert run(["schema"]) == exits.DONE

    assert json.loads(capsys.readouterr().out) == schema()


def test_the_schema_of_a_comparison_is_printed_by_name(capsys):
    assert run(["schema", "comparison"]) == exits.DONE
    assert json.loads(capsys.readouterr().out) == comparison_json.schema()


def test_the_schema_of_a_verdict_is_printed_by_name(capsys):
    assert run(["schema", "verdict"]) == exits.DONE
    assert json.loads(capsys.readouterr().out) == rendering.schema()


def test_the_schema_of_a_difference_is_printed_by_name(capsys):
    assert run(["schema", "diff"]) == exits.DONE
    assert json.loads(capsys.readouterr().out) == difference_formats.schema()


def test_the_schema_of_a_trace_is_printed_by_name(capsys):
    assert run(["schema", "trace"]) == exits.DONE
    assert json.loads(capsys.readouterr().out) == documents.schema()


def test_the_schemas_of_the_lab_are_printed_by_name(capsys):
    for name, own in (
        ("simulation", dynamics_documents),
        ("reproduction", lab_documents),
    ):
        assert run(["schema", name]) == exits.DONE
        assert json.loads(capsys.readouterr().out) == own.schema()


def test_an_unknown_schema_is_refused_with_those_there_are(capsys):
    assert run(["schema", "nonsense"]) == exits.USAGE
    err = capsys.readouterr().err

    assert (
        "must be one of report, comparison, certificate, verdict, diff, trace, "
        "simulation, reproduction, but got 'nonsense'" in err
    )
