from __future__ import annotations

from fractions import Fraction

import pytest

from boundkit.report.wording import (
    at_most,
    confidence,
    count,
    needed,
    percent,
    plural,
    power,
    significant,
    sizes,
    summand,
)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (0.263, "0.263"),
        (2.306, "2.31"),
        (-12.34, "-12.3"),
        (123456, "123,000"),
        (999999.9, "1.00e6"),
        (4e10, "4.00e10"),
        (1.2345e-5, "1.23e-5"),
        (1e-310, "1.00e-310"),
    ],
)
def test_three_digits_are_significant(value, shown):
    assert significant(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.263, "0.263"),
        (0.2630001, "0.264"),
        (0.9999, "0.9999"),
        (0.999999, "0.999999"),
        (1.0, "1.00"),
        (3.871, "3.88"),
        (26.31, "26.4"),
        (1.001e9, "1.01e9"),
    ],
)
def test_an_upper_bound_is_rounded_up(value, shown):
    assert at_most(value) == shown


def test_a_rounded_bound_is_still_a_bound_and_close():
    for numerator in range(1, 3000, 7):
        value = numerator / 1237
        shown = Fraction(at_most(value).replace(",", ""))

        assert (
            Fraction(repr(value)) <= shown <= Fraction(repr(value)) * Fraction(101, 100)
        )
        assert (shown < 1) == (value < 1)


def test_a_bound_beyond_a_float_is_a_power():
    assert at_most(float("inf"), 400.21) == "10^400.2"
    assert at_most(float("inf"), None) == "-"
    assert power(None) == "-"


@pytest.mark.parametrize(
    ("delta", "shown"),
    [(0.05, "95 %"), (0.001, "99.9 %"), (1e-12, "99.9999999999 %"), (0.5, "50 %")],
)
def test_a_confidence_keeps_all_its_digits(delta, shown):
    assert confidence(delta) == shown


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        (0.43, "43 %"),
        (0.002, "0.2 %"),
        (-0.0001, "0.0 %"),
        (0, "0 %"),
        (-0.33, "-33 %"),
    ],
)
def test_small_shares_get_a_decimal_and_no_negative_zero(share, shown):
    assert percent(share) == shown


def test_counts_and_shapes_read_as_people_write_them():
    assert count(11800) == "11,800"
    assert count(2.5e12) == "2.50e12"
    assert plural(1, "tensor") == "1 tensor"
    assert plural(1200, "tensor") == "1,200 tensors"
    assert sizes((256, 1, 4, 4)) == "256x1x4x4"
    assert sizes(()) == "scalar"


def test_a_sufficient_sample_size_is_rounded_up():
    assert needed(3899.2) == "3,900"
    assert needed(2.0001e12) == "2.01e12"


@pytest.mark.parametrize(
    ("value", "shown"), [(0.0, "0.000"), (0.12416, "0.124"), (1e-5, "1.00e-5")]
)
def test_summands_line_up_unless_they_would_vanish(value, shown):
    assert summand(value) == shown
