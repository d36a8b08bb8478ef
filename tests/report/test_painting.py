"""Every result on a console of rich, and in a notebook."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from boundkit.report.painting import STYLES, painted
from tests.posthoc.test_certificate import certificate
from tests.report import pages
from tests.report.comparisons import covered
from tests.report.reports import proved

RESULTS = {
    "report": proved,
    "comparison": covered,
    "regression": pages.regression,
    "trace": pages.made_trace,
    "certificate": certificate,
}


def printed(subject, width=100, **options):
    stream = io.StringIO()
    Console(file=stream, width=width, **options).print(subject)
    return stream.getvalue()


@pytest.mark.parametrize("name", RESULTS)
def test_rich_prints_what_repr_says(name):
    made = RESULTS[name]()

    assert [one.rstrip() for one in printed(made).splitlines()] == [
        one.rstrip() for one in repr(made).splitlines()
    ]


@pytest.mark.parametrize("name", RESULTS)
def test_rich_paints_on_a_terminal(name):
    found = printed(RESULTS[name](), force_terminal=True, color_system="standard")

    assert "\x1b[1m" in found


@pytest.mark.parametrize("name", RESULTS)
def test_a_notebook_shows_a_page_in_a_frame(name):
    found = RESULTS[name]()._repr_html_()

    assert found.startswith('<iframe sandbox="allow-scripts" title="boundkit ')
    assert "&lt;!doctype html&gt;" in found


def test_brackets_and_emoji_in_names_are_no_markup():
    line = (("[red]x[/red] :smile: [link=a]b[/link] 3", "name"),)
    stream = io.StringIO()
    console = Console(file=stream, width=80)
    for text in painted([line], console):
        console.print(text)

    assert stream.getvalue() == "[red]x[/red] :smile: [link=a]b[/link] 3\n"


def test_lines_are_as_wide_as_the_console():
    assert max(map(len, printed(proved(), width=64).splitlines())) <= 64


def test_every_style_has_a_look():
    from typing import get_args

    from boundkit.report.spans import Style

    assert set(STYLES) == set(get_args(Style))


def test_the_library_does_not_import_rich():
    code = (
        "import sys; from tests.report.reports import proved; r = proved(); "
        "repr(r); r._repr_html_(); sys.exit('rich' in sys.modules)"
    )
    root = Path(__file__).parents[2]

    assert (
        subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode
        == 0
    )
