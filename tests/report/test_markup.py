from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from boundkit.report.markup import attribute, cell, row


@pytest.mark.parametrize("char", "\\`*_{}[]<>#!|~&@:")
def test_characters_with_a_meaning_are_escaped(char):
    assert cell(f"a{char}b") == f"a\\{char}b"


def test_a_colon_before_a_space_is_only_a_colon():
    assert cell("why: a") == "why: a"


def test_what_cannot_be_seen_is_spelled_out_first():
    assert cell("a\nb") == "a\\\\x0ab"


def test_a_row_has_its_cells_between_bars():
    assert row("a", "b") == "| a | b |"


def test_an_attribute_comes_back_as_it_was():
    written = "'\"<&>"

    assert ET.fromstring(f"<a b={attribute(written)}/>").get("b") == written
