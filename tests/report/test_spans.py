from __future__ import annotations

import pytest

from boundkit.report.spans import cells, clip, fit, pad, plain, wrap

WORDS = "the quick brown fox jumps over the lazy dog " * 5


def test_plain_text_ends_each_line_and_drops_trailing_space():
    assert plain([(("a ", "title"), ("b  ", "")), ()]) == "a b\n\n"


@pytest.mark.parametrize(
    ("text", "columns"), [("abc", 3), ("图层", 4), ("e\u0301", 1), ("", 0), ("é·…", 3)]
)
def test_cells_are_columns_of_a_terminal(text, columns):
    assert cells(text) == columns


@pytest.mark.parametrize("width", range(3, 30))
@pytest.mark.parametrize("text", ["model.layers.11.attention.weight", "图层" * 12])
def test_a_clipped_text_fits_and_keeps_both_ends(text, width):
    clipped = clip(text, width)

    assert cells(clipped) <= width
    if "…" in clipped:
        head, tail = clipped.split("…")
        assert text.startswith(head)
        assert text.endswith(tail)
    else:
        assert clipped == text


def test_a_wide_character_is_never_halved():
    assert fit("图层", 3) == "图"


def test_padding_counts_columns():
    assert pad("图", 4) == "图  "
    assert pad("ab", 4, "right") == "  ab"
    assert pad("abcde", 4) == "abcde"


@pytest.mark.parametrize("width", [12, 30, 60])
def test_wrapping_keeps_every_word_and_no_line_is_too_long(width):
    lines = wrap([(WORDS, "dim"), ("x" * 100, "bad")], width, 2, 4)

    text = plain(lines)
    assert max(map(len, text.splitlines())) <= width
    assert text.replace(" ", "").replace("\n", "") == WORDS.replace(" ", "") + "x" * 100
    assert text.startswith("  the")
    assert all(line.startswith("    ") for line in text.splitlines()[1:])


def test_wrapping_nothing_is_one_blank_line():
    assert plain(wrap([], 40, 2, 4)) == "\n"


@pytest.mark.parametrize("text", ["word " * 3, "图" * 9, "x" * 50])
def test_wrapping_ends_even_where_there_is_no_room(text):
    lines = wrap([(text, "")], 10, 12, 20)

    assert plain(lines).replace(" ", "").replace("\n", "") == text.replace(" ", "")
