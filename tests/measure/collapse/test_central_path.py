"""The closed-form flow against a simulation of it."""

import numpy as np
import pytest

from boundkit.measure.collapse.central_path import clock, moved


def test_the_published_example():
    assert moved(1.32792452, 200, 3, 6) == pytest.approx(2.64434372, rel=1e-8)


@pytest.mark.parametrize("value", [1e-6, 0.3, 1.0, 50.0])
@pytest.mark.parametrize("time", [0.0, 1e-3, 1.0, 1e9])
def test_the_clock_shows_the_time_that_passed(value, time):
    at = moved(value, time, 10, 50.0)

    start = clock(value, 10, 50.0)
    # The clock itself is known to a rounding of its largest term.
    size = max(abs(start), abs(clock(at, 10, 50.0)))
    assert clock(at, 10, 50.0) - start == pytest.approx(time, abs=1e-12 * size)


def test_the_differential_equation():
    value, classes, per_class, step = 0.7, 4, 3.0, 1e-4

    slope = (moved(value, step, classes, per_class) - value) / step
    # A difference quotient of step 1e-4 is off by its second derivative.
    assert slope == pytest.approx(
        value / (per_class * (classes + value**2) ** 2), rel=1e-4
    )


def test_the_flow_of_the_features_themselves():
    """Euler's method on class means with whitened noise follows the closed form."""
    classes, per_class = 3, 2
    means = np.diag([0.9, 0.5, 0.0])[:2]  # (p, C), singular values 0.9 and 0.5
    turn = np.linalg.svd(np.eye(3) - 1 / 3)[0][:, :2]
    means = means[:, :2] @ turn.T
    step = 1e-3
    for _ in range(1000):
        # d/dM of (1/2) sum 1/(C + s^2): each sample moves by 1/N of the gradient.
        left, size, right = np.linalg.svd(means, full_matrices=False)
        means += step / per_class * (left * (size / (classes + size**2) ** 2)) @ right

    found = np.linalg.svd(means, compute_uv=False)
    # Euler's method is of first order: 1000 steps of 1e-3.
    expected = [moved(start, 1.0, classes, per_class) for start in (0.9, 0.5)]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_late_values_grow_with_the_fourth_root_of_time():
    # c3 = N / 4 and the terms in c2 are a share sqrt(C^2 N / t) of the whole.
    assert moved(1.0, 1e20, 3, 1.0) == pytest.approx((4e20) ** 0.25, rel=1e-8)
