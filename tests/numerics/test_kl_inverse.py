"""kl of two coins and its inverse: closed forms, and never below the truth."""

import math

import numpy as np
import pytest

from boundkit.numerics.kl_inverse import (
    bernoulli_kl,
    kl_inverse,
    kl_moment,
    log_kl_moment,
)


@pytest.mark.parametrize(
    ("q", "cost", "expected"),
    [
        (0.0, math.log(20) / 1000, 1 - 20 ** (-1 / 1000)),
        (0.1, 0.05, 0.22007860),
        (0.1, 0.15, 0.33362193),
    ],
)
def test_values(q, cost, expected):
    # Eight digits are printed; what is returned lies 1e-9 above.
    assert kl_inverse(q, cost) == pytest.approx(expected, abs=1.1e-8)


@pytest.mark.parametrize("q", [0.0, 1e-6, 0.1, 0.5, 0.99, 1.0])
@pytest.mark.parametrize("cost", [0.0, 1e-9, 1e-3, 0.5, 5.0])
def test_the_inverse_is_never_below_the_largest_probability(q, cost):
    p = kl_inverse(q, cost)

    assert q <= p <= 1
    assert p == 1 or bernoulli_kl(q, p) >= cost


def test_an_infinite_or_undefined_cost_says_nothing():
    assert kl_inverse(0.1, math.inf) == 1
    assert kl_inverse(0.1, math.nan) == 1


def test_kl_of_certain_coins():
    assert bernoulli_kl(0.0, 0.0) == 0
    assert bernoulli_kl(0.5, 0.0) == math.inf
    assert bernoulli_kl(0.5, 1.0) == math.inf
    assert bernoulli_kl(1.0, 0.5) == pytest.approx(math.log(2), rel=1e-15)


@pytest.mark.parametrize(
    ("n", "expected"),
    [(1, 2.0), (8, 4.24501802), (1000, 40.30321290), (60000, 307.66510)],
)
def test_moment(n, expected):
    assert kl_moment(n) == pytest.approx(expected, rel=3e-8)


@pytest.mark.parametrize("p", [0.01, 0.3, 0.5])
def test_the_moment_is_at_least_every_expectation(p):
    n = 30
    k = np.arange(n + 1)
    chances = [math.comb(n, j) * p**j * (1 - p) ** (n - j) for j in k]
    mean = sum(
        c * math.exp(n * bernoulli_kl(j / n, p))
        for j, c in zip(k, chances, strict=True)
    )

    # The expectation does not depend on p at all.
    assert mean <= kl_moment(n)
    assert mean == pytest.approx(kl_moment(n), rel=1e-7)


def test_huge_samples_take_the_known_upper_bound():
    assert log_kl_moment(3_000_000) == pytest.approx(
        math.log(2 * math.sqrt(3e6)), rel=1e-12
    )
    assert log_kl_moment(200_000) < math.log(2 * math.sqrt(2e5))
