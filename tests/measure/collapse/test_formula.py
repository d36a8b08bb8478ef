"""Findings: finite, or with a reason."""

import math

import pytest

from boundkit.errors import NotApplicable
from boundkit.measure.collapse.formula import evaluated, formula


def made(rule):
    return formula("name", "convention", "source")(rule)


def test_a_number_is_a_finding():
    (found,) = evaluated([made(lambda x: x * 2)], lambda: 4)

    assert (found.name, found.value, found.reason) == ("name", 8, "")
    assert (found.convention, found.source) == ("convention", "source")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_has_a_reason(value):
    (found,) = evaluated([made(lambda _: value)], lambda: None)

    assert found.value is None
    assert found.reason == "is not finite in float64; rescale the features"


def test_a_rule_may_not_apply():
    def rule(_):
        raise NotApplicable("because")

    (found,) = evaluated([made(rule)], lambda: None)

    assert (found.value, found.reason) == (None, "because")


def test_a_subject_that_cannot_be_made_is_the_reason_of_all():
    def subject():
        raise NotApplicable("no subject")

    found = evaluated([made(lambda _: 1), made(lambda _: 2)], subject)

    assert [one.reason for one in found] == ["no subject", "no subject"]
