from __future__ import annotations

import unicodedata

import pytest

from boundkit.report.escape import escape, has_hidden


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("fc.weight", "fc.weight"),
        ("图层.weight", "图层.weight"),
        ("[bold]<b>&amp;", "[bold]<b>&amp;"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\nb\tc\x00", r"a\x0ab\x09c\x00"),
        ("\x7f\x9b2J", r"\x7f\x9b2J"),
        ("fc\u202etxt", r"fc\u202etxt"),
        ("a\u2066b\u2069", r"a\u2066b\u2069"),
        ("zero\u200bwidth\u200d", r"zero\u200bwidth\u200d"),
        ("\ufeffbom", r"\ufeffbom"),
        ("lone\udcff", r"lone\udcff"),
        ("line\u2028paragraph\u2029", r"line\u2028paragraph\u2029"),
        ("soft\u00adhyphen\u00a0", r"soft\xadhyphen\xa0"),
        ("tag\U000e0041", r"tag\U000e0041"),
        ("filler\u3164 selector\ufe0f", r"filler\u3164 selector\ufe0f"),
    ],
)
def test_what_cannot_be_seen_is_spelled_out(name, shown):
    assert escape(name) == shown


def test_no_control_or_format_character_of_unicode_survives():
    everything = "".join(map(chr, range(0x110000)))

    shown = escape(everything)

    left = {unicodedata.category(char) for char in set(shown)}
    assert not left & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert not any(unicodedata.bidirectional(c) in {"RLO", "RLI", "PDI"} for c in shown)


def test_escaping_twice_is_escaping_once():
    once = escape("a\x1bb\u202e\\x1b\udc80")

    assert escape(once) == once


def test_hidden_is_what_escaping_changes():
    for char in map(chr, range(0x3000)):
        assert has_hidden(char) == (escape(char) != char)
