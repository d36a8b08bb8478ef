from __future__ import annotations

from math import inf, nan

import pytest

from boundkit.lab.dynamics.checks import (
    at_least,
    at_most,
    equal,
    open_claim,
    residual,
)

ABOUT = ("name", "a claim", "P1 (7)")


def test_numbers_within_the_tolerance_hold():
    check = equal(*ABOUT, 2.0, 2.02, 0.011)

    assert check.holds is True
    assert check.error == pytest.approx(0.01, rel=1e-9)
    assert equal(*ABOUT, 2.0, 2.02, 0.009).holds is False


def test_an_absolute_error_is_not_divided():
    assert equal(*ABOUT, 2.0, 2.02, 0.011, relative=False).holds is False


def test_nothing_is_relative_to_zero():
    check = equal(*ABOUT, 0.0, 1e-300, 1.0)

    assert (check.holds, check.error) == (False, inf)


@pytest.mark.parametrize("found", [nan, inf])
@pytest.mark.parametrize("make", [residual, None])
def test_what_is_not_finite_never_holds(found, make):
    checks = (
        [residual(*ABOUT, found, inf)]
        if make
        else [
            equal(*ABOUT, 1.0, found, inf),
            at_most(*ABOUT, 1.0, found, inf),
            at_least(*ABOUT, 1.0, -found, inf),
        ]
    )

    for check in checks:
        assert check.holds is False
        assert check.reason == "a number is not finite"


def test_bounds_hold_on_their_side_and_up_to_the_tolerance():
    assert at_most(*ABOUT, 1.0, 0.5, 0.0).holds
    assert at_most(*ABOUT, 1.0, 1.05, 0.1).holds
    assert not at_most(*ABOUT, 1.0, 1.2, 0.1).holds
    assert at_least(*ABOUT, 1.0, 1.5, 0.0).holds
    assert at_least(*ABOUT, 1.0, 0.95, 0.1).holds
    assert not at_least(*ABOUT, 1.0, 0.8, 0.1).holds


def test_an_open_claim_says_why():
    check = open_claim(*ABOUT, "too short", predicted=1.0)

    assert (check.holds, check.reason, check.predicted, check.found) == (
        None,
        "too short",
        1.0,
        None,
    )
