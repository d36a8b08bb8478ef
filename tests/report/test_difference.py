from __future__ import annotations

import json
from dataclasses import replace

import jsonschema
import pytest

import boundkit
from boundkit.errors import DataError, UsageError
from boundkit.report.difference import Change, diff
from boundkit.report.difference_formats import (
    DIFFERENCE_FORMATS,
    json_text,
    markdown,
    schema,
    text,
)
from boundkit.report.escape import has_hidden
from boundkit.report.json import render
from boundkit.report.model import Rho
from boundkit.types import Notice
from tests.report.reports import REPORTS, proved, report

each_report = pytest.mark.parametrize("name", REPORTS)


def changed(one, other, **options):
    return {
        change.path: (change.old, change.new, change.kind)
        for change in diff(one, other, **options).changes
    }


@each_report
def test_a_report_does_not_differ_from_itself(name, tmp_path):
    path = tmp_path / "r.json"
    path.write_text(render(REPORTS[name]()), encoding="utf-8")
    found = diff(REPORTS[name](), path)

    assert found.changes == ()
    assert found.same > 20


@each_report
def test_what_is_added_one_way_is_removed_the_other_way(name):
    one, other = proved(), REPORTS[name]()
    there, back = diff(one, other), diff(other, one)
    turned = {"added": "removed", "removed": "added", "changed": "changed"}

    assert there.same == back.same
    assert {(c.path, c.old, c.new, c.kind) for c in there.changes} == {
        (c.path, c.new, c.old, turned[c.kind]) for c in back.changes
    }


def test_one_number_is_one_change():
    other = replace(proved(), rho_stored=Rho(0.84362, 13.9524))
    (found,) = diff(proved(), other).changes

    assert found == Change("rho", "rho.stored.value", 6.9762, 13.9524, "changed")
    assert found.relative == 1.0


def test_numbers_are_the_same_up_to_the_tolerance():
    other = replace(proved(), rho_stored=Rho(0.84362, 6.9762 * 1.01))

    assert changed(proved(), other, rtol=0.02) == {}
    assert len(changed(proved(), other, rtol=0.001)) == 1
    assert len(changed(proved(), other, rtol=0)) == 1


def test_rows_are_matched_by_name_not_by_place():
    made = report()
    other = replace(made, layers=made.layers[::-1], ledger=made.ledger[::-1])

    assert changed(made, other) == {}


def test_a_layer_that_is_gone_is_gone_in_every_column():
    made = report()
    found = changed(made, replace(made, layers=made.layers[:1]))

    assert found["layers.fc.weight.rho"] == (3.02, None, "removed")
    assert found["rho.layers"] == (2, 1, "changed")


def test_warnings_of_one_code_are_told_apart():
    two = report(warnings=(Notice("a", "first"), Notice("a", "second")))

    assert changed(report(warnings=two.warnings[:1]), two) == {
        "warnings.a[2].message": (None, "second", "added")
    }


def test_times_are_no_difference():
    assert changed(report(), report(seconds={"total": 9.0})) == {}


def test_zero_has_no_relative_change():
    assert Change("rho", "rho.stored.value", 0.0, 1.0, "changed").relative is None
    assert Change("rho", "rho.stored.value", None, 1.0, "added").relative is None
    assert Change("a", "a", True, False, "changed").relative is None


@pytest.mark.parametrize("rtol", [-1, 1, float("nan")])
def test_a_tolerance_out_of_range_is_refused(rtol):
    with pytest.raises(UsageError, match=r"rtol must lie in \[0, 1\), but got"):
        diff(report(), report(), rtol=rtol)


def test_a_file_that_is_no_report_is_refused(tmp_path):
    with pytest.raises(DataError, match="No such file"):
        boundkit.diff(tmp_path / "none.json", report())


@each_report
@pytest.mark.parametrize("form", DIFFERENCE_FORMATS, ids=lambda form: form.name)
def test_every_format_is_utf8_and_safe_to_look_at(form, name):
    written = form.render(diff(report(), REPORTS[name]()))

    assert written.encode("utf-8").endswith(b"\n")
    assert not any(has_hidden(line) for line in written.split("\n"))


@each_report
def test_the_schema_describes_every_difference(name):
    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.validate(
        json.loads(json_text(diff(proved(), REPORTS[name]()))), schema()
    )


def test_text_shows_old_and_new_in_digits_that_tell_them_apart():
    written = text(diff(proved(), replace(proved(), rho_stored=Rho(0.84362, 6.97621))))

    assert "6.9762000 -> 6.9762100 (+0.000143 %)" in written
    assert "1 difference; " in written


def test_text_says_that_nothing_differs():
    assert "no difference in" in text(diff(proved(), proved()))


def test_markdown_has_a_table_per_part():
    written = markdown(diff(proved(), REPORTS["assumed"]()))

    assert "#### Certificates" in written
    assert "| sparse\\_cnn.value | 0.2631 -> 0.5512 (+110 %) |" in written.replace(
        "\\>", ">"
    )


def test_a_frame_has_a_row_per_change():
    found = diff(proved(), REPORTS["assumed"]())

    assert len(found.frame()) == len(found.changes)
    assert list(diff(proved(), proved()).frame().columns) == list(found.frame().columns)


def test_a_difference_shows_itself_as_text():
    assert repr(diff(proved(), report())) == text(diff(proved(), report()))
