"""Differences between groups of runs, whose verdict is known."""

import math

import numpy as np
import pytest

from boundkit.lab.figures.beyond_noise import (
    below,
    below_in_pairs,
    center,
    logs,
    shown,
)


@pytest.mark.parametrize(
    ("first", "second", "holds"),
    [
        ([1.0, 1.1], [2.0, 2.1], True),
        ([2.0, 2.1], [1.0, 1.1], False),
        # A gap of 1 beside standard errors of 1 each.
        ([0.0, 2.0], [1.0, 3.0], None),
        # One run says nothing of chance.
        ([1.0], [2.0, 2.1], None),
        ([1.0, None], [2.0, 2.1], None),
        # All runs agree, and there is no difference.
        ([1.0, 1.0], [1.0, 1.0], None),
        # They agree, and there is one.
        ([1.0, 1.0], [2.0, 2.0], True),
    ],
)
def test_a_difference_has_to_exceed_two_standard_errors(first, second, holds):
    found, reason = below(first, second)

    assert found is holds
    assert bool(reason) is (holds is not True)


def test_the_error_is_that_of_the_difference_of_means():
    random = np.random.default_rng(0)
    first, second = random.normal(0, 1, 5), random.normal(0, 2, 7)
    error = math.hypot(first.std(ddof=1) / 5**0.5, second.std(ddof=1) / 7**0.5)
    level = first - first.mean() - (second.mean() + 1.99 * error) + 2 * second.mean()

    assert below(level - 1e-3, second)[0] is None
    assert below(level - 0.02 * error, second)[0] is True


@pytest.mark.parametrize(
    ("first", "second", "holds"),
    [
        # Runs differ by 10, pairs by about 1.
        ([0.0, 10.0, 20.0], [1.0, 11.1, 20.9], True),
        ([1.0, 11.1, 20.9], [0.0, 10.0, 20.0], False),
        ([0.0, 10.0, 20.0], [1.0, 9.0, 20.5], None),
        ([0.0, 10.0], [0.0, 10.0], None),
        ([0.0, None], [1.0, 11.0], None),
    ],
)
def test_pairs_are_compared_within_themselves(first, second, holds):
    found, reason = below_in_pairs(first, second)

    assert found is holds
    assert bool(reason) is (holds is not True)


def test_what_is_undefined_does_not_count():
    assert center([1.0, None, 3.0]) == 2
    assert center([None]) is None
    assert logs([100.0, 0.0, None, -1.0]) == [2.0, None, None, None]
    assert shown(None) == "undefined"
    assert shown(0.012345) == "0.0123"
