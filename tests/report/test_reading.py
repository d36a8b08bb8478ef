from __future__ import annotations

import copy
import json

import pytest

from boundkit.errors import DataError
from boundkit.report import FORMATS
from boundkit.report.json import document, render
from boundkit.report.reading import read_document, read_report, report_of
from tests.report.reports import REPORTS, proved

each_report = pytest.mark.parametrize("name", REPORTS)


@each_report
def test_a_report_that_is_read_back_is_written_alike(name, tmp_path):
    path = tmp_path / "r.json"
    path.write_text(render(REPORTS[name]()), encoding="utf-8")

    assert document(read_report(path)) == document(REPORTS[name]())


@each_report
@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_every_format_of_it_is_the_same_but_for_broken_characters(name, form):
    made = REPORTS[name]()
    again = report_of(document(made))

    # A lone surrogate is spelled out in JSON, and shows alike.
    assert form.render(again).replace("\\\\udcff", "\\udcff") == (
        form.render(made).replace("\\\\udcff", "\\udcff")
    )


def test_what_an_older_report_lacks_is_taken_as_unknown():
    old = document(proved())
    for row in old["ledger"]:
        del row["parameter"]
    for row in old["layers"]:
        del row["spectrum"]
    for row in old["measurements"]:
        del row["log10"]
    found = report_of(old)

    assert all(row.parameter for row in found.ledger)
    assert found.layers[0].spectrum == ()
    assert found.measurements[0].log10 is None


@pytest.mark.parametrize(
    ("steps", "value", "message"),
    [
        (["boundkit"], 1, "'r': boundkit must be a string; write it again with"),
        (["rho"], None, "rho must be an object"),
        (["rho", "stored", "log10"], "x", "rho.stored.log10 must be a number"),
        (["coverage"], None, "coverage must be a number"),
        (["layers"], {}, "layers must be an array"),
        (["layers", 1], 3, r"layers\[1\] must be an object"),
        (["layers", 0, "shape"], ["x"], r"layers\[0\].shape must be an array of the"),
        (["layers", 0, "parameters"], 1.5, "parameters must be a whole number"),
        (
            ["layers", 0, "spectrum"],
            [[1]],
            "spectrum must be an array of 2 numbers each",
        ),
        (["layers", 0, "counted"], 1, "counted must be true, false or null"),
        (["ledger", 0, "status"], "odd", "status must be one of counted, folded"),
        (["certificates", 0, "delta"], True, "delta must be a number"),
        (["certificates", 0, "assumptions", 0, "name"], 1, "name must be a string"),
        (["margins"], [], "margins must be an object"),
    ],
)
def test_what_does_not_fit_is_named_by_its_place(steps, value, message):
    broken = copy.deepcopy(document(proved()))
    node = broken
    for step in steps[:-1]:
        node = node[step]
    node[steps[-1]] = value

    with pytest.raises(DataError, match=message):
        report_of(broken, "r")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No such file or directory; give a report that boundkit analyze"),
        ("{", "no JSON"),
        ('{"schema": NaN}', "NaN is no JSON number"),
        ("[" * 100_000, "no JSON"),
        ("[]", "it is no report: schema is 'None'"),
        ('{"schema": "boundkit.report/2"}', "schema is 'boundkit.report/2', not"),
    ],
)
def test_a_file_that_is_no_report_is_refused(tmp_path, content, message):
    path = tmp_path / "r.json"
    if content is not None:
        path.write_text(content)

    with pytest.raises(DataError, match=message):
        read_document(path)


def test_the_document_of_a_file_is_the_one_that_was_written(tmp_path):
    path = tmp_path / "r.json"
    path.write_text(json.dumps(document(proved())))

    assert read_document(path) == document(proved())
