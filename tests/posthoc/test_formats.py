"""Certificates in every format: what is stated, about which weights, and nothing else."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree as ET

import pytest

from boundkit.posthoc.certificate import document
from boundkit.posthoc.formats import CERTIFICATE_FORMATS, html, junit, markdown, text
from tests.posthoc.test_certificate import certificate
from tests.report.pages import HOSTILE
from tests.report.test_html import Page

STATED = "With probability 95 %, the error probability is at most 0.100"


@pytest.mark.parametrize("form", CERTIFICATE_FORMATS, ids=lambda form: form.name)
def test_every_format_has_the_bound(form):
    assert "0.1" in form.render(certificate())


def test_text_is_what_repr_says():
    assert STATED in " ".join(text(certificate()).split())
    assert repr(certificate()) == text(certificate())


def test_json_is_the_document():
    form = next(one for one in CERTIFICATE_FORMATS if one.name == "json")

    assert json.loads(form.render(certificate())) == document(certificate())


def test_the_page_says_what_is_proved_and_who_can_check_it():
    found = Page(html(certificate(bound=0.123456789))).text

    assert "is at most 0.124" in found
    assert "boundkit verify recomputes it" in found
    assert "bound 0.123456789" in found  # A bound that is rounded down is none.
    assert "i.i.d." in found


def test_the_verdict_is_green_only_below_guessing():
    assert '<div class="verdict good">' in html(certificate())
    assert '<div class="verdict fair">' in html(certificate(bound=0.9))


def test_no_text_of_a_certificate_is_markup():
    hostile = certificate(
        certifies=HOSTILE,
        model=HOSTILE,
        premises=(HOSTILE,),
        warnings=(HOSTILE,),
        own={"selections": 1, HOSTILE: HOSTILE},
    )
    page = Page(html(hostile))

    assert page.open == []
    assert sum(tag == "script" for tag, _ in page.tags) == 3
    assert not any(tag == "img" for tag, _ in page.tags)
    assert HOSTILE in page.text
    assert set(re.findall(r"(?<!\\)</?(\w+)", markdown(hostile))) == {
        "details",
        "summary",
    }


def test_long_texts_such_as_weights_are_left_out():
    long = certificate(own={"selections": 1, "mean": "A" * 10_000})

    assert "AAAA" not in html(long) + markdown(long) + text(long)


def test_markdown_has_the_statement_and_the_numbers():
    found = markdown(certificate())

    assert STATED in found
    assert "| errors | 3 |" in found


@pytest.mark.parametrize(("bound", "skipped"), [(0.1, "0"), (0.9, "1")])
def test_a_case_is_skipped_where_guessing_is_as_good(bound, skipped):
    suite = ET.fromstring(junit(certificate(bound=bound)))[0]

    assert suite.get("skipped") == skipped
    assert len(suite.findall("testcase/skipped")) == int(skipped)
