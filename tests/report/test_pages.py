"""Pages made of parts: balanced, escaped, self-contained, and what each kind shows."""

from __future__ import annotations

import json
import re

import pytest

from boundkit.report.escape import has_hidden
from boundkit.report.pages import (
    Chart,
    Charts,
    Column,
    Page,
    Pairs,
    Table,
    Words,
    badge,
    framed,
    render_page,
    shortened,
)
from tests.report.pages import HOSTILE, PAGES
from tests.report.test_html import Page as Parsed

NAN, INF = float("nan"), float("inf")


def page(*parts, **changed):
    return Page(
        **{
            "version": "0.1.0",
            "name": "n",
            "heading": ("h",),
            "verdict": ("v", "- item"),
            "style": "good",
            "facts": (("label", "value"),),
            "parts": parts,
        }
        | changed
    )


def embedded(written):
    found = re.search(
        r'<script type="application/json" id="data">(.*?)</script>', written
    )
    return json.loads(found[1])


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_whole_asks_for_nothing_and_takes_no_name_for_markup(name):
    written = PAGES[name]()
    parsed = Parsed(written)

    assert parsed.open == []
    assert sum(tag == "script" for tag, _ in parsed.tags) == 3
    assert not {"img", "iframe", "object", "embed", "form", "link"} & {
        tag for tag, found in parsed.tags if found.get("rel") != "icon"
    }
    assert not any(key.startswith("on") for _, found in parsed.tags for key in found)
    policy = next(found["content"] for _, found in parsed.tags if "http-equiv" in found)
    assert policy.startswith("default-src 'none';")
    assert not any(has_hidden(line) for line in written.split("\n"))
    embedded(written)


def test_parts_stand_in_their_order():
    written = render_page(
        page(
            Words("First", ("one", "two")),
            Table("Second", (Column("c"),), [["cell"]], "note", "Find"),
            Pairs("Third", (("a", 1.5), ("b", None))),
        )
    )
    text = Parsed(written).text
    places = [text.index(one) for one in ("First", "two", "Second", "note", "Third")]

    assert places == sorted(places)
    assert "a 1.5 b -" in text
    assert 'data-filters="table-1"' in written


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        (1234.5678, '<td class="number" data-value="1234.5678">1,235</td>'),
        (3, '<td class="number" data-value="3">3</td>'),
        (None, '<td class="number" data-value="">-</td>'),
        (NAN, '<td class="number" data-value="">-</td>'),
        (INF, '<td class="number" data-value="Infinity">inf</td>'),
        (-INF, '<td class="number" data-value="-Infinity">-inf</td>'),
        ("a<b", '<td class="tag">a&lt;b</td>'),
        ("a" * 20, f'<td class="name">{"a" * 20}</td>'),
        (badge("ok", "valid"), '<td class="badge valid">ok</td>'),
        ("\x1b[31m", '<td class="tag">\\x1b[31m</td>'),
    ],
)
def test_a_cell_shows_and_sorts_by_what_it_is(cell, shown):
    assert shown in render_page(page(Table("", (Column("c"),), [[cell]])))


def test_charts_are_numbered_by_part_and_place():
    charts = Charts(
        "", (Chart("x", {"kind": "bars"}), Chart(HOSTILE, {"kind": "bars"}))
    )
    written = render_page(page(Words("w", ()), charts))

    assert embedded(written) == {
        "charts": [
            {"place": "chart-1-0", "kind": "bars"},
            {"place": "chart-1-1", "kind": "bars"},
        ]
    }
    assert 'id="chart-1-1"' in written


def test_a_long_table_is_cut_and_says_so():
    table = Table("", (Column("c"),), [["x"]] * 4001)

    assert "The first 4000 of 4001 rows" in Parsed(render_page(page(table))).text


def test_numbers_to_draw_have_six_digits_and_no_nan():
    assert shortened([1 / 3, NAN, INF, None, 2]) == [0.333333, None, None, None, 2.0]


def test_a_frame_quotes_the_page():
    written = framed('<p title="x">&amp;</p>', 'a"b')

    assert 'title="a&quot;b"' in written
    assert 'srcdoc="&lt;p title=&quot;x&quot;&gt;&amp;amp;&lt;/p&gt;"' in written
