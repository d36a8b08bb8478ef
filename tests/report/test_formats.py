from __future__ import annotations

import pytest

from boundkit.report import FORMATS
from tests.report.reports import REPORTS

each_format = pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)


def test_names_are_distinct():
    assert len({form.name for form in FORMATS}) == len(FORMATS)


@each_format
@pytest.mark.parametrize("name", REPORTS)
def test_every_format_renders_every_report_as_utf8_with_a_last_newline(form, name):
    text = form.render(REPORTS[name]())

    assert text.encode("utf-8").endswith(b"\n")


@each_format
def test_rendering_twice_gives_the_same_bytes(form):
    assert form.render(REPORTS["proved"]()) == form.render(REPORTS["proved"]())
