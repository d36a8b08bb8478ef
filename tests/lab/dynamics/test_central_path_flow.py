"""Renormalized gradient flow: closed forms, finite differences, plain loops, laws."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from boundkit.lab.dynamics.central_path_flow import (
    Design,
    Law,
    beginning,
    classifier,
)
from boundkit.lab.dynamics.solving import solve

DESIGN = {"classes": 3, "per_class": 6, "width": 5}


def design(renormalize="project", **changes):
    return Design(**(DESIGN | changes), renormalize=renormalize)


def least_squares_loss(features, classes):
    """Return min over W, b of half the mean squared error, by numpy's own solver."""
    count = features.shape[1]
    targets = np.repeat(np.eye(classes), count // classes, axis=1)
    wide = np.vstack([features, np.ones(count)])
    found = np.linalg.lstsq(wide.T, targets.T, rcond=None)[0]
    return ((found.T @ wide - targets) ** 2).sum() / (2 * count)


def gradient(features, classes, step=1e-6):
    """Return central differences of the least-squares loss."""
    found = np.zeros_like(features)
    for place in np.ndindex(*features.shape):
        moved = np.zeros_like(features)
        moved[place] = step
        above, below = (
            least_squares_loss(features + sign * moved, classes) for sign in (1, -1)
        )
        found[place] = (above - below) / (2 * step)
    return found


def covariance(features, shape):
    own = shape.within(features)
    return own @ own.T / shape.count


def values_of(features, shape):
    means = shape.means(features)
    return np.linalg.svd(means - means.mean(axis=1, keepdims=True), compute_uv=False)[
        : shape.classes - 1
    ]


def test_the_closed_form_has_a_number_worked_out_elsewhere():
    found = Law(3, 6, "project").moved(1.32792452, 200.0)

    assert_allclose(found, 2.64434372, rtol=1e-8)


@pytest.mark.parametrize("renormalize", ["project", "whiten"])
@pytest.mark.parametrize("value", [1e-3, 0.5, 3.0, 40.0])
@pytest.mark.parametrize("time", [0.0, 1e-3, 7.0, 1e9])
def test_the_clock_tells_the_time_that_has_passed(renormalize, value, time):
    law = Law(4, 3, renormalize)

    moved = law.moved(value, time)

    scale = max(abs(law.clock(value)), time)
    assert_allclose(
        law.clock(moved), law.clock(value) + time, rtol=1e-11, atol=1e-11 * scale
    )


@pytest.mark.parametrize(
    ("renormalize", "rate"),
    [
        ("project", lambda w: w / (3 * (4 + w * w) ** 2)),
        ("whiten", lambda w: w / (3 * 4 * (4 + w * w))),
    ],
)
def test_the_clock_runs_at_the_rate_of_the_value(renormalize, rate):
    law, value, step = Law(4, 3, renormalize), 1.7, 1e-6

    slope = (law.clock(value + step) - law.clock(value - step)) / (2 * step)

    assert_allclose(1 / slope, rate(value), rtol=1e-8)


@pytest.mark.parametrize("renormalize", ["project", "whiten"])
def test_the_asymptote_is_met(renormalize):
    law = Law(5, 10, renormalize)

    assert_allclose(law.moved(1.0, 1e14), law.asymptote(1e14), rtol=1e-4)


def test_features_begin_renormalized():
    shape = design()

    features = beginning(shape, 0.7, 0)

    assert_allclose(covariance(features, shape), np.eye(5), atol=1e-13)
    assert_allclose(features.mean(axis=1), 0, atol=1e-14)
    assert_allclose(np.sqrt((values_of(features, shape) ** 2).mean()), 0.7, rtol=1e-12)


def test_the_classifier_is_that_of_least_squares():
    shape, count = design(), 18
    features = beginning(shape, 1.0, 1) + 3.0

    weight, bias = classifier(features, shape)

    targets = np.repeat(np.eye(3), 6, axis=1)
    wide = np.vstack([features, np.ones(count)])
    told = np.linalg.lstsq(wide.T, targets.T, rcond=None)[0].T
    assert_allclose(weight, told[:, :-1], rtol=1e-9, atol=1e-12)
    assert_allclose(bias, told[:, -1], rtol=1e-9)


def test_the_slope_is_the_gradient_projected_on_unit_covariance():
    shape = design()
    features = beginning(shape, 1.0, 2)
    own = shape.within(features)
    # Matrices S D with S symmetric are normal to the set of unit covariance.
    normals = []
    for row in range(shape.width):
        for column in range(row + 1):
            square = np.zeros((shape.width, shape.width))
            square[row, column] = square[column, row] = 1.0
            normals.append((square @ own).ravel())
    downhill = -gradient(features, 3).ravel()
    basis = np.array(normals).T
    told = downhill - basis @ np.linalg.lstsq(basis, downhill, rcond=None)[0]

    found = shape.slope(0.0, features.ravel())

    # Of central differences.
    assert_allclose(found, told, atol=1e-9)


@pytest.mark.parametrize("renormalize", ["project", "whiten"])
def test_the_slope_keeps_covariance_and_mean(renormalize):
    shape = design(renormalize)
    features = beginning(shape, 1.0, 3)

    slope = shape.shaped(shape.slope(0.0, features.ravel()))

    own, moving = shape.within(features), shape.within(slope)
    assert_allclose(moving @ own.T + own @ moving.T, 0, atol=1e-13)
    assert_allclose(slope.mean(axis=1), 0, atol=1e-15)


@pytest.mark.parametrize("renormalize", ["project", "whiten"])
def test_the_slope_is_that_of_a_loop_that_steps_and_whitens(renormalize):
    """Step along the gradient, then whiten by the inverse root of the covariance."""
    shape, step = design(renormalize), 1e-4
    features = beginning(shape, 1.0, 4)
    downhill = -gradient(features, 3)
    if renormalize == "project":
        own = shape.within(features)
        pull = downhill @ own.T / shape.count
        downhill -= (pull + pull.T) / 2 @ own
    trial = features + step * downhill
    values, vectors = np.linalg.eigh(covariance(trial, shape))
    whitened = vectors @ (vectors.T @ trial / np.sqrt(values)[:, None])

    found = shape.slope(0.0, features.ravel()).reshape(5, 18)

    # The loop's step is not infinitely small.
    assert_allclose((whitened - features) / step, found, atol=1e-6)


@pytest.mark.parametrize("renormalize", ["project", "whiten"])
def test_a_plain_loop_of_small_steps_follows_the_closed_form(renormalize):
    shape = design(renormalize)
    features = beginning(shape, 1.5, 5)
    first, step, steps = values_of(features, shape), 0.02, 1000

    for _ in range(steps):
        moved = features + step * shape.slope(0.0, features.ravel()).reshape(5, 18)
        values, vectors = np.linalg.eigh(covariance(moved, shape))
        features = vectors @ (vectors.T @ moved / np.sqrt(values)[:, None])

    told = [shape.law.moved(value, step * steps) for value in first]
    # Euler's error falls with the step.
    assert_allclose(values_of(features, shape), told, rtol=2e-4)


@pytest.mark.parametrize("renormalize", ["project", "whiten"])
def test_the_solver_follows_the_closed_form_far_closer(renormalize):
    shape = design(renormalize)
    features = beginning(shape, 1.5, 5)
    times = np.array([0.0, 20.0, 1e6])

    found = solve(
        shape.slope, features.ravel(), times, solver="DOP853", rtol=1e-10, atol=1e-12
    )

    first = values_of(features, shape)
    told = [shape.law.moved(value, 1e6) for value in first]
    assert_allclose(values_of(shape.shaped(found.end), shape), told, rtol=1e-8)


def test_unit_covariance_is_not_left_as_time_goes_on():
    shape = design(classes=5, per_class=10, width=20)
    features = beginning(shape, 1.0, 0)

    found = solve(
        shape.slope, features.ravel(), np.array([0.0, 1e6]), solver="DOP853", rtol=1e-9
    )

    assert found.evaluations < 3000
    assert_allclose(covariance(shape.shaped(found.end), shape), np.eye(20), atol=1e-9)


@pytest.mark.parametrize("renormalize", ["project", "whiten"])
def test_turning_the_features_turns_the_slope(renormalize):
    shape = design(renormalize)
    features = beginning(shape, 1.0, 6)
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((5, 5)))[0]

    found = shape.slope(0.0, (turn @ features).ravel()).reshape(5, 18)

    told = turn @ shape.slope(0.0, features.ravel()).reshape(5, 18)
    assert_allclose(found, told, atol=1e-14)


@pytest.mark.parametrize("renormalize", ["project", "whiten"])
def test_the_order_of_samples_and_classes_does_not_matter(renormalize):
    shape = design(renormalize)
    features = beginning(shape, 1.0, 7)
    random = np.random.default_rng(1)
    order = np.concatenate([6 * c + random.permutation(6) for c in (2, 0, 1)])

    found = shape.slope(0.0, features[:, order].ravel()).reshape(5, 18)

    told = shape.slope(0.0, features.ravel()).reshape(5, 18)[:, order]
    assert_allclose(found, told, atol=1e-14)


@pytest.mark.parametrize("renormalize", ["project", "whiten"])
def test_the_loss_falls_along_the_slope(renormalize):
    shape = design(renormalize)
    features = beginning(shape, 1.0, 8)

    slope = shape.slope(0.0, features.ravel()).reshape(5, 18)

    assert least_squares_loss(features + 1e-3 * slope, 3) < least_squares_loss(
        features, 3
    )


def test_the_loss_is_that_of_the_signal_to_noise_values():
    shape = design()
    features = beginning(shape, 1.0, 9)

    told = 0.5 * sum(1 / (3 + w * w) for w in values_of(features, shape))

    assert_allclose(least_squares_loss(features, 3), told, rtol=1e-12)
    assert math.isfinite(told)
