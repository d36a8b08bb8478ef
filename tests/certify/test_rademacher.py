"""The pieces of n Rh <= A_C K rho S_N, and how they become a certificate."""

import math

import numpy as np
import pytest

from boundkit.certify.bound import Missing
from boundkit.certify.margin import margin_bound
from boundkit.certify.rademacher import (
    Complexity,
    class_factor,
    conclude,
    log_product,
)
from tests.certify.examples import seen, told


@pytest.mark.parametrize(
    ("classes", "expected"),
    [(1, 1), (2, 1), (3, 2), (4, 2.41421), (5, 2.73205), (10, 3.23607), (100, 8.07107)],
)
def test_price_of_classes(classes, expected):
    # Printed with six digits.
    np.testing.assert_allclose(class_factor(classes), expected, rtol=3e-6)


def test_without_biases_norms_multiply():
    np.testing.assert_allclose(
        log_product([2, 3, 5], [0, 0, 0]), math.log(30), rtol=1e-12
    )


def test_one_bias_by_hand():
    np.testing.assert_allclose(log_product([3], [4]), math.log(5), rtol=1e-12)


def test_biases_count_relative_to_the_norm_before_them():
    first = math.hypot(0.5, 2)
    second = first * math.hypot(3, 1 / first)
    third = second * math.hypot(0.1, 7 / second)
    found = log_product([0.5, 3, 0.1], [2, 1, 7])

    np.testing.assert_allclose(found, math.log(third), rtol=1e-12)


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_products_beyond_floats(scale):
    found = log_product([scale] * 4, [0, scale, 0, 1.0])

    assert math.isfinite(found)


def complexity(**changes):
    fields = {
        "log_rho": math.log(6.0),
        "constant": 1.2,
        "constant_kind": "free of data",
        "classes": 1,
        "energy": 0.25,
        "mean_paths": 4.0,
        "layers": 2,
    }
    return Complexity(**(fields | changes))


def test_terms_show_every_factor():
    evidence = seen(10000, np.linspace(0.1, 4, 10000))
    terms = conclude(complexity(), (), evidence, 0.05, None, 1.0).terms
    # r_j = r_0 1.05^j with r_0 = sqrt(n / mean N_p) / 16.
    r = 6.0 / terms["gamma"]
    j = math.log(r / (math.sqrt(10000 / 4) / 16)) / math.log(1.05)

    np.testing.assert_allclose(j, round(j), atol=1e-9)
    np.testing.assert_allclose(terms["S_N"], 50, rtol=1e-12)
    np.testing.assert_allclose(
        terms["complexity"], 2 * r * 1.2 * 50 / 10000, rtol=1e-12
    )
    np.testing.assert_allclose(10 ** terms["rho_log10"], 6, rtol=1e-12)
    assert (terms["K_L"], terms["A_C"], terms["n"]) == (1.2, 1.0, 10000)


def test_the_anchor_of_ten_thousand_samples():
    # r_0 = sqrt(10000) / 16 = 6.25 is on the grid: rho = 6.25 is met at margin 1.
    evidence = told(10000)
    of = complexity(log_rho=math.log(6.25), mean_paths=1.0)
    terms = conclude(of, (), evidence, 0.05, None, 1.0).terms

    np.testing.assert_allclose(terms["gamma"], 1, rtol=1e-12)
    np.testing.assert_allclose(terms["delta_j"], 1 / 60, rtol=1e-12)


def test_classes_multiply_the_complexity():
    evidence = seen(1000, 2.0)
    one = conclude(complexity(), (), evidence, 0.05, 1.0, 1.0)
    ten = conclude(complexity(classes=10), (), evidence, 0.05, 1.0, 1.0)

    np.testing.assert_allclose(
        ten.terms["complexity"] / one.terms["complexity"], 1 + math.sqrt(5), rtol=1e-12
    )


def test_inputs_that_are_zero_leave_the_confidence_terms():
    evidence = seen(1000, 2.0, energy=0.0)
    found = conclude(complexity(energy=0.0), (), evidence, 0.05, 1.0, 1.0)
    expected = margin_bound(
        math.log(6),
        -800.0,
        np.full(1000, 2.0),
        log_n=math.log(1000),
        log_anchor=math.log(math.sqrt(250) / 16),
        delta=0.05,
        gamma=1.0,
    )

    np.testing.assert_allclose(found.log10, expected.log10, rtol=1e-9)


def test_without_n_the_option_is_named_and_n_needed_is_told():
    with pytest.raises(Missing, match="give --n, or --model and --data") as caught:
        conclude(complexity(), (), None, 0.05, None, 1.0)

    assert caught.value.terms["n_needed"] > 100


def test_what_overflows_is_left_out_of_the_terms():
    of = complexity(log_rho=636 * math.log(10))
    terms = conclude(of, (), told(100), 0.05, None, 1.0).terms

    assert terms["complexity"] is None
    assert terms["n_needed"] is None
    assert terms["log10_n_needed"] > 1270
    assert all(not isinstance(v, float) or math.isfinite(v) for v in terms.values())


def test_more_paths_than_a_float_counts_have_no_value():
    with pytest.raises(Missing, match="too many for a float"):
        conclude(complexity(energy=math.inf), (), told(100), 0.05, None, 1.0)
