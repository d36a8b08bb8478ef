"""The pruned scan finds what trying every start finds."""

import math

import numpy as np
import pytest

from boundkit.errors import NotApplicable
from boundkit.measure.power_law import power_law, scan


def by_trying_all(x):
    """Every start of the tail, as Clauset, Shalizi, Newman (2009) say."""
    x = np.sort(x)
    n = len(x)
    found = []
    for i in range(n - 1):
        tail = x[i:]
        if tail[-1] == tail[0]:
            continue
        alpha = 1 + len(tail) / np.sum(np.log(tail / x[i]))
        fitted = 1 - (tail / x[i]) ** (1 - alpha)
        distance = np.max(np.abs(fitted - np.arange(len(tail)) / len(tail)))
        found.append((distance, i, alpha))
    distance, i, alpha = min(found)
    return i, alpha, distance


def samples(kind, n, seed):
    rng = np.random.default_rng(seed)
    if kind == "pareto":
        return rng.pareto(1.7, n) + 1
    if kind == "bulk and tail":
        return np.r_[rng.random(n - n // 5), 1 + rng.pareto(2, n // 5)]
    if kind == "spectrum":
        return np.linalg.svd(rng.standard_normal((n, 2 * n)), compute_uv=False) ** 2
    return np.exp(3 * rng.standard_normal(n))


@pytest.mark.parametrize("kind", ["pareto", "bulk and tail", "spectrum", "lognormal"])
@pytest.mark.parametrize("n", [50, 400])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_scan_misses_nothing(kind, n, seed):
    x = samples(kind, n, seed)
    start, alpha, distance = by_trying_all(x)
    found = power_law(x)

    assert found.start == start
    assert found.tail == n - start
    np.testing.assert_allclose(found.alpha, alpha, rtol=1e-9)
    np.testing.assert_allclose(found.distance, distance, rtol=1e-9)
    np.testing.assert_allclose(found.x_min, np.sort(x)[start], rtol=1e-12)
    np.testing.assert_allclose(
        found.stderr, (alpha - 1) / math.sqrt(n - start), rtol=1e-9
    )


def test_the_exponent_of_a_pareto_sample_is_found():
    x = (1 - np.random.default_rng(0).random(20_000)) ** (-1 / 1.5)
    found = power_law(x)

    assert abs(found.alpha - 2.5) < 4 * found.stderr
    assert found.distance < 0.02


@pytest.mark.parametrize("scale", [1e-300, 1e-30, 1e200])
def test_scale_does_not_matter(scale):
    x = samples("bulk and tail", 200, 3)
    plain, scaled = power_law(x), power_law(x * scale)

    np.testing.assert_allclose(scaled.alpha, plain.alpha, rtol=1e-9)
    np.testing.assert_allclose(scaled.x_min, plain.x_min * scale, rtol=1e-12)


def test_ties_are_no_obstacle():
    x = np.repeat(samples("pareto", 60, 4), 3)
    start, alpha, distance = by_trying_all(x)
    found = power_law(x)

    assert found.start == start
    np.testing.assert_allclose(
        (found.alpha, found.distance), (alpha, distance), rtol=1e-9
    )


def test_too_few_and_equal_values_have_none():
    with pytest.raises(NotApplicable, match="49 eigenvalues are too few"):
        power_law(np.arange(1.0, 50))
    with pytest.raises(NotApplicable, match="equal eigenvalues have no tail"):
        power_law(np.full(80, 2.0))
    assert scan(np.log(np.array([2.0]))) is None
