from __future__ import annotations

from pathlib import Path

import pytest

from boundkit.report.comparison_text import lines, render
from boundkit.report.escape import has_hidden
from boundkit.report.spans import cells, plain
from tests.report.comparisons import COMPARISONS, covered, two

GOLDEN = Path(__file__).parent / "golden_comparison"

each_comparison = pytest.mark.parametrize("name", COMPARISONS)
each_width = pytest.mark.parametrize("width", [60, 80, 100, 140])


@each_comparison
@pytest.mark.parametrize("width", [80, 100])
def test_the_text_is_the_golden_one(name, width, request):
    path = GOLDEN / f"{name}-{width}.txt"
    text = render(COMPARISONS[name](), width)
    if request.config.getoption("--overwrite", default=False):
        path.write_text(text, encoding="utf-8")

    assert text == path.read_text(encoding="utf-8")


@each_comparison
@each_width
def test_no_line_is_wider_than_asked(name, width):
    for line in render(COMPARISONS[name](), width).splitlines():
        assert cells(line) <= width


@each_comparison
def test_nothing_hidden_reaches_the_terminal(name):
    text = render(COMPARISONS[name]())

    assert not any(has_hidden(line) for line in text.split("\n"))


def test_the_styled_lines_are_the_plain_text_and_the_representation():
    made = covered()

    assert plain(lines(made, 100)) == render(made) == repr(made)


def test_a_narrow_terminal_is_taken_as_sixty_columns():
    assert render(two(), 10) == render(two(), 60)


@each_comparison
def test_it_always_says_that_only_upper_bounds_are_compared(name):
    assert "Upper bounds are compared, nothing else" in render(COMPARISONS[name]())


def test_no_golden_file_is_left_over():
    names = {f"{name}-{width}.txt" for name in COMPARISONS for width in (80, 100)}

    assert {path.name for path in GOLDEN.iterdir()} == names
