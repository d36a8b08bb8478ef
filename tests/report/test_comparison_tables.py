from __future__ import annotations

import pytest

from boundkit.report.comparison_tables import blocks
from boundkit.report.spans import cells, plain


def row(name, *numbers):
    return (name, "name"), [(number, "") for number in numbers]


def test_columns_are_aligned_to_the_right_under_their_titles():
    text = plain(
        blocks("net", ["rho", "x"], [row("A", "1.0", "22"), row("B", "", "3")], 40)
    )

    assert text == "    net  rho   x\n    A    1.0  22\n    B          3\n"


def test_columns_that_do_not_fit_go_into_further_blocks_with_the_names_again():
    names = [f"column{i}" for i in range(5)]
    text = plain(blocks("net", names, [row("A", *"12345")], 40))
    first, second = text.split("\n\n")

    assert first.splitlines()[0].split() == ["net", "column0", "column1", "column2"]
    assert second.splitlines()[0].split() == ["net", "column3", "column4"]
    assert second.splitlines()[1].split() == ["A", "4", "5"]


@pytest.mark.parametrize("width", [60, 80, 100])
def test_long_names_are_clipped_so_that_lines_fit(width):
    rows = [row("层" * 90, "1.0", "2.0"), row("a" * 200, "1.0", "2.0")]

    for line in plain(blocks("layer", ["A", "B"], rows, width)).splitlines():
        assert cells(line) <= width
