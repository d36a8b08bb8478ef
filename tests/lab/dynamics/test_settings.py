from __future__ import annotations

from math import inf, nan

import pytest

from boundkit.errors import UsageError
from boundkit.lab.dynamics.settings import (
    above_zero,
    not_below_zero,
    number,
    one_of,
    whole,
)


def test_what_is_in_range_passes():
    assert whole("n", 3, 3) == 3
    assert above_zero("rate", 1e-300) == 1e-300
    assert not_below_zero("decay", 0.0) == 0.0
    assert number("margins", -0.5) == -0.5
    assert one_of("solver", "BDF", ("RK45", "BDF")) == "BDF"


@pytest.mark.parametrize("value", [2, 3.5, True, -1])
def test_whole_numbers_below_the_least_are_refused(value):
    with pytest.raises(UsageError, match="n must be a whole number of at least 3, but"):
        whole("n", value, 3)


@pytest.mark.parametrize("value", [0.0, -1.0, nan, inf])
def test_what_must_be_above_zero(value):
    with pytest.raises(UsageError, match="rate must be a number above 0, but got"):
        above_zero("rate", value)


@pytest.mark.parametrize("value", [-1e-9, nan, inf])
def test_what_must_not_be_below_zero(value):
    with pytest.raises(UsageError, match="decay must be a number of at least 0, but"):
        not_below_zero("decay", value)


@pytest.mark.parametrize("value", [nan, -inf])
def test_what_must_be_finite(value):
    with pytest.raises(UsageError, match="margins must be a finite number, but got"):
        number("margins", value)


def test_an_unknown_word_is_quoted():
    with pytest.raises(UsageError, match=r"solver must be one of A, B, but got 'C\\n'"):
        one_of("solver", "C\n", ("A", "B"))
