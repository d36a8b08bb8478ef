from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from boundkit.gate.rendering import (
    VERDICT_FORMATS,
    json_text,
    junit,
    markdown,
    schema,
    text,
    workflow_commands,
)
from boundkit.gate.verdict import Finding, Verdict
from boundkit.report.escape import has_hidden

ODD = "\x1b[31m|x|\n<b>`a`</b> ]]> & \udcff, 50% @you"
VERDICT = Verdict(
    "p.toml",
    "net.pt",
    "old.pt",
    (
        Finding("coverage", "at least 1", "1", passed=True, line=3),
        Finding("best (dense)", "at most 0.2", "0.3", passed=False, why="0.1 above"),
    ),
)
HOSTILE = Verdict(
    ODD, ODD, ODD, (Finding(ODD, ODD, ODD, passed=False, why=ODD, line=7),)
)
KEPT = Verdict("p.toml", "net.pt", None, VERDICT.findings[:1])

each_verdict = pytest.mark.parametrize(
    "verdict", [VERDICT, HOSTILE, KEPT], ids=["failed", "hostile", "kept"]
)


@each_verdict
def test_the_schema_describes_every_verdict(verdict):
    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.validate(json.loads(json_text(verdict)), schema())


@each_verdict
@pytest.mark.parametrize("form", VERDICT_FORMATS, ids=lambda form: form.name)
def test_every_format_is_utf8_and_safe_to_look_at(form, verdict):
    written = form.render(verdict)

    assert written.encode("utf-8").endswith(b"\n")
    assert not any(has_hidden(line) for line in written.split("\n"))


def test_text_says_failures_first():
    lines = text(VERDICT).splitlines()

    assert lines[0] == "FAILED  net.pt against p.toml: 1 of 2 checks"
    assert lines[1].strip() == "baseline old.pt"
    assert lines[3].split() == ([
        "FAIL",
        "best",
        "(dense)",
        "0.3;",
        "asked:",
        "at",
        "most",
        "0.2;",
        "0.1",
        "above",
    ])
    assert lines[4].split() == ["ok", "coverage", "1;", "asked:", "at", "least", "1"]


def test_junit_has_a_case_per_finding():
    suite = ET.fromstring(junit(VERDICT))[0]

    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert [len(case) for case in suite] == [0, 1]
    assert suite[1][0].get("message") == "0.3; 0.1 above"


def test_junit_keeps_odd_names_as_text():
    case = ET.fromstring(junit(HOSTILE))[0][0]

    assert "<b>`a`</b> ]]> & " in case.get("name")


def test_markdown_is_a_table_with_failures_first():
    rows = markdown(VERDICT).splitlines()

    assert rows[0] == "### boundkit check: **failed** (1)"
    assert rows[6] == "| FAIL | best (dense) | 0.3 | at most 0.2 | 0.1 above |"
    assert rows[7].startswith("| ok | coverage |")


def test_markdown_cells_stay_cells():
    row = markdown(HOSTILE).splitlines()[6]

    assert row.replace("\\|", "").count("|") == 6
    assert "<b>" not in row


def test_annotations_name_the_failures_alone():
    assert workflow_commands(VERDICT) == (
        "::error file=p.toml,line=1,title=best (dense)::"
        "0.3; asked: at most 0.2; 0.1 above\n"
    )
    assert workflow_commands(KEPT) == ""


def test_annotations_cannot_be_forged():
    written = workflow_commands(HOSTILE)

    assert written.count("\n") == 1
    assert "50%25" in written
    assert "line=7," in written
