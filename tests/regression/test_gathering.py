"""From rows to points."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from boundkit.errors import DataError
from boundkit.regression.gathering import (
    gathered,
    reasons_in_words,
    require_line,
    text_of,
    with_logarithms,
)
from boundkit.regression.points import LeftOut


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.001, "0.001"), (1.0, "1"), (np.float64(0.1), "0.1"), (3, "3"), ("a", "a")],
)
def test_values_as_text(value, text):
    assert text_of(value) == text


def test_numbers_that_differ_have_different_texts():
    one, other = 0.123456789, 0.12345679

    assert text_of(one) != text_of(other)


def test_rows_are_called_by_their_path_or_number():
    frame = pd.DataFrame({"x": [1.0], "y": [2.0]}, index=[7])

    assert gathered(frame, "x", "y", (), None).labels == ("row 7",)
    assert gathered(frame.assign(path="p"), "x", "y", (), None).labels == ("p",)


def test_points_of_groups_are_apart():
    frame = pd.DataFrame({"x": [1.0, 2], "y": [1.0, 2], "b": [0, 0], "g": [1, 2]})
    found = gathered(frame, "x", "y", ("b",), "g")

    assert found.labels == ("b 0, g 1", "b 0, g 2")
    assert found.keys == (("0",), ("0",))
    assert found.groups.tolist() == ["1", "2"]


def test_logarithms_of_what_is_positive():
    frame, left = with_logarithms(pd.DataFrame({"x": [100.0, 0, -1]}), ["x"])

    assert frame["x"].tolist() == [2]
    assert left == (LeftOut("'x' is not above 0, so has no logarithm", (1, 2)),)


def test_reasons_in_words():
    assert reasons_in_words(()) == "none"
    assert (
        reasons_in_words([LeftOut("a", (1, 2)), LeftOut("b", (3,))])
        == "2 for a, 1 for b"
    )


def test_rounding_is_no_variation():
    x = np.array([1.0, 2, 3])

    with pytest.raises(
        DataError, match=r"'y' is constant \(0.3\d*\) over the 3 points"
    ):
        require_line(x, np.array([0.3, 0.1 + 0.2, 0.3]), "x", "y")
    with pytest.raises(DataError, match="1 point cannot tell a line from chance"):
        require_line(x[:1], x[:1], "x", "y")
