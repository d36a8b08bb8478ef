from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest

from boundkit.report.escape import has_hidden
from boundkit.report.html import render
from boundkit.report.model import Certificates
from boundkit.types import Notice
from tests.report.reports import REPORTS, certificate, layer, proved, report

each_report = pytest.mark.parametrize("name", REPORTS)
VOID = {"meta", "link", "input", "br"}


class Page(HTMLParser):
    """Tags with their attributes, visible text, and whether the tags are balanced."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.words = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] not in {"script", "style"}:
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


@each_report
def test_every_page_is_balanced_html(name):
    assert Page(render(REPORTS[name]())).open == []


@each_report
def test_a_page_asks_for_nothing(name):
    tags = Page(render(REPORTS[name]())).tags

    assert all("src" not in attributes for _, attributes in tags)
    assert {attributes["href"] for _, attributes in tags if "href" in attributes} == {
        "data:,"
    }
    assert not {"iframe", "object", "embed", "base", "form", "img"} & {
        t for t, _ in tags
    }
    policy = next(a["content"] for t, a in tags if a.get("http-equiv"))
    assert policy.startswith("default-src 'none';")


@each_report
def test_a_name_from_a_file_is_never_markup(name):
    written = render(REPORTS[name]())
    tags = Page(written).tags

    assert sum(tag == "script" for tag, _ in tags) == 3
    assert not any(key.startswith("on") for _, attributes in tags for key in attributes)
    assert not any(has_hidden(line) for line in written.split("\n"))


def test_a_name_that_would_end_the_data_does_not():
    name = "</script><script>alert(1)</script>{{ 7 * 7 }}"
    rows = tuple(layer(f"{name}{k}", "linear", (2, 2), 2.0, 0.3) for k in range(2))
    written = render(report(layers=rows, warnings=(Notice("x", name, name),)))

    assert sum(tag == "script" for tag, _ in Page(written).tags) == 3
    assert embedded(written)["norms"]["names"] == [f"{name}0", f"{name}1"]
    assert "{{ 7 * 7 }}" in Page(written).text


def embedded(written):
    return json.loads(
        re.search(r'<script type="application/json" id="data">(.*?)</script>', written)[
            1
        ]
    )


def test_the_text_of_the_page_has_the_verdict_the_bounds_and_the_ledger():
    text = Page(render(proved())).text
    places = [
        text.index(words)
        for words in (
            "Proved from the weights and the training margins alone",
            "Test error is at most, with probability 95 %",
            "margin loss 0.074 + complexity 0.124 + confidence 0.065",
            "cv.0.weight",
            "dense_printed",
            "what became of every tensor",
            "Provenance and conventions",
        )
    ]

    assert places == sorted(places)


def test_every_term_and_assumption_of_every_bound_is_there():
    made = proved()
    text = Page(render(made)).text

    for one in made.certificates.values():
        assert one.bound in text
        assert all(name in text for name in one.terms)
        assert all(each.detail in text for each in one.assumptions)


def test_the_verdict_is_green_only_where_something_is_proved():
    assert '<div class="verdict good">' in render(proved())
    assert '<div class="verdict fair">' in render(REPORTS["assumed"]())


def test_spectra_margins_and_their_law_are_drawn():
    from dataclasses import replace

    from boundkit.types import Measurement

    rows = tuple(
        replace(
            layer(name, "linear", (4, 4), 2.0, 0.3, columns={"alpha": 3.0}),
            spectrum=((1, 2.0), (2, 1.0), (4, 0.0)),
        )
        for name in ("a", "b")
    )
    start = Measurement("power_law.x_min", 1.0, "1", "s", layer="a")
    data = embedded(
        render(
            report(
                layers=rows,
                measurements=(start,),
                margins={"histogram": {"edges": [0, 1, 3], "counts": [1, 3]}},
            )
        )
    )

    assert data["spectra"][0]["squares"] == [4.0, 1.0]
    # Both squares are in the tail: rank 2 at x_min, and rank 1 where 2 x^-2 = 1.
    assert data["spectra"][0]["law"]["line"] == [pytest.approx(2**0.5, rel=1e-5), 1.0]
    assert "law" not in data["spectra"][1]
    assert data["margins"] == {"train": {"middles": [0.5, 2.0], "shares": [0.25, 0.75]}}


def test_cosines_between_classes_are_a_map():
    table = [[1.0, -0.5, -0.4], [-0.5, 1.0, None], [-0.4, None, 1.0]]
    written = render(report(collapse={"cosines": {"means": table}, "conventions": {}}))

    assert "Cosines of class means" in written
    assert '<td style="background:rgb(255,255,255)">-0.50</td>' in written


def test_a_page_of_five_hundred_layers_is_small():
    assert len(render(REPORTS["deep"]()).encode()) < 3_000_000


def test_a_large_ledger_is_cut_and_says_so():
    from tests.report.reports import row

    text = Page(
        render(report(ledger=tuple(row(f"t{k}", (1,)) for k in range(4001))))
    ).text

    assert "The first 4000 of 4001; the whole ledger is in --format json." in text


def test_an_upper_bound_is_rounded_up_and_other_numbers_lose_their_zeros():
    made = report(
        certificates=Certificates((certificate(value=0.12345611, terms={"n": 0.5}),))
    )
    text = Page(render(made)).text

    assert "value 0.123457" in text
    assert "n 0.5 delta 0.05 value" in text
