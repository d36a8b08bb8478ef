from __future__ import annotations

from html import unescape
from pathlib import Path

import pytest

from boundkit.report.escape import has_hidden
from boundkit.report.html import render as html_page
from boundkit.report.model import Certificates, Provenance
from boundkit.report.spans import cells, plain
from boundkit.report.text import lines, render
from boundkit.types import Assumption, Measurement, Notice
from tests.report.reports import REPORTS, certificate, layer, report, row

GOLDEN = Path(__file__).parent / "golden"

each_report = pytest.mark.parametrize("name", REPORTS)
each_width = pytest.mark.parametrize("width", [60, 80, 100, 140])


@each_report
@pytest.mark.parametrize("width", [80, 100])
def test_the_report_is_the_golden_one(name, width, request):
    path = GOLDEN / f"{name}-{width}.txt"
    text = render(REPORTS[name](), width)
    if request.config.getoption("--overwrite", default=False):
        path.write_text(text, encoding="utf-8")

    assert text == path.read_text(encoding="utf-8")


@each_report
@each_width
def test_no_line_is_wider_than_asked(name, width):
    for line in render(REPORTS[name](), width).splitlines():
        assert cells(line) <= width


@each_report
@each_width
def test_nothing_hidden_reaches_the_terminal(name, width):
    text = render(REPORTS[name](), width)

    assert not any(has_hidden(line) for line in text.split("\n"))


@each_report
def test_the_styled_lines_are_the_plain_text(name):
    made = REPORTS[name]()

    assert plain(lines(made, 100)) == render(made) == repr(made) + ""


def test_a_narrow_terminal_is_taken_as_sixty_columns():
    assert render(report(), 10) == render(report(), 60)


def test_no_golden_file_is_left_over():
    names = {f"{name}-{width}.txt" for name in REPORTS for width in (80, 100)}

    assert {path.name for path in GOLDEN.iterdir()} == names


def test_a_notebook_gets_the_page_in_a_frame_of_its_own():
    made = REPORTS["hostile"]()
    html = made._repr_html_()

    assert html.startswith('<iframe sandbox="allow-scripts"')
    assert html.count("<") == 2  # of the frame; the page is in its attribute
    assert html_page(made) in unescape(html)


def test_a_message_without_end_is_clipped():
    made = report(warnings=(Notice("odd", "x" * 100_000),))

    assert len(render(made)) < 3000


def test_names_of_any_length_are_clipped():
    name = "n" * 100_000
    made = report(
        checkpoint=Provenance(name, name, (name,), None, 1, 1, 4),
        layers=(layer(name, "linear", (2, 2), 2.0, 0.30103),),
        ledger=(row(name, (2,)),),
        warnings=(Notice("odd", "a thing", name),),
        certificates=Certificates((
            certificate(
                status="invalid",
                value=None,
                assumptions=(Assumption("a", holds=False, detail=name),),
            ),
        )),
        measurements=(Measurement(name, 1.0, "1", "s", layer=name),),
    )

    assert len(render(made)) < 10_000
