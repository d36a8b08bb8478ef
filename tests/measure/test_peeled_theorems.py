"""Logarithms that neither cancel nor overflow."""

import math
from decimal import Decimal, localcontext

import pytest

from boundkit.measure.peeled_theorems import log_expm1


@pytest.mark.parametrize(
    "x", [1e-300, 1e-20, 1e-9, 0.1, math.log(2) * 1.01, 3, 40, 800]
)
def test_log_expm1_against_fifty_digits(x):
    with localcontext() as context:
        context.prec = 350
        expected = float((Decimal(x).exp() - 1).ln())

    assert log_expm1(math.log(x)) == pytest.approx(expected, rel=1e-12)


def test_log_expm1_of_what_a_float_cannot_hold():
    assert log_expm1(-5000.0) == -5000.0
