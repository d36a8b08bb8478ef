"""The binomial tail in logs, where scipy's logarithm of it underflows."""

import math

import pytest
from scipy.special import betaincinv
from scipy.stats import binom

from boundkit.numerics.binomial_tail import binomial_upper, log_binomial_tail
from boundkit.numerics.kl_inverse import kl_inverse


@pytest.mark.parametrize(("k", "n", "p"), [(0, 10, 0.3), (7, 10, 0.3), (30, 100, 0.35)])
def test_small_tails_are_sums(k, n, p):
    total = sum(math.comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(k + 1))

    assert log_binomial_tail(k, n, p) == pytest.approx(math.log(total), rel=1e-12)


def test_the_tail_that_underflows():
    # scipy 1.17: binom.logcdf(6000, 60000, .3) == -inf
    assert log_binomial_tail(6000, 60000, 0.3) == pytest.approx(-6984.22135, abs=1e-4)
    assert not math.isfinite(binom.logcdf(6000, 60000, 0.3))


def test_the_tail_above_the_mode():
    assert log_binomial_tail(17_900, 60_000, 0.3) == pytest.approx(
        binom.logcdf(17_900, 60_000, 0.3), rel=1e-9
    )
    assert log_binomial_tail(50_000, 60_000, 0.3) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("k", "p", "expected"), [(10, 0.5, 0.0), (3, 0.0, 0.0), (3, 1.0, -math.inf)]
)
def test_the_ends(k, p, expected):
    assert log_binomial_tail(k, 10, p) == expected


@pytest.mark.parametrize("k", [0, 1, 50, 999])
def test_the_limit_is_clopper_pearsons(k):
    found = binomial_upper(k, 1000, math.log(0.05))
    exact = betaincinv(k + 1, 1000 - k, 0.95)

    assert exact <= found <= exact + 2e-9


def test_a_prior_probability_far_below_a_float():
    found = binomial_upper(6000, 60000, -9000.0)

    assert found == pytest.approx(0.33354317, abs=2e-8)
    assert found < kl_inverse(0.1, 9000 / 60000)


def test_nothing_is_known_where_every_sample_is_an_error():
    assert binomial_upper(10, 10, math.log(0.05)) == 1
    assert binomial_upper(1, 10, -math.inf) == 1
