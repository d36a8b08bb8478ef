"""P4 Example 3.1: its numbers, its curvature, and how fast one leaves it."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from boundkit.lab.dynamics.layer_peeled_paths import Model, Point
from boundkit.lab.dynamics.layer_peeled_saddle import escape, measured, pull, saddle_of

PRINTED = np.array([[1, -1, 0, 0], [-1, 1, 0, 0], [0, 0, 1, -1], [0, 0, -1, 1.0]])
EXAMPLE = Model(4, 1, 4, "sum")


@pytest.fixture(scope="module")
def saddle():
    return saddle_of(EXAMPLE, 1.0, 0.1)


def test_the_example_is_as_printed(saddle):
    assert np.array_equal(saddle.center.weight, PRINTED)
    assert np.array_equal(saddle.center.features, PRINTED)
    assert_allclose(saddle.loss, 4 * math.log1p(math.exp(-4) + 2 * math.exp(-2)))
    assert_allclose(saddle.loss, 1.0154241, rtol=1e-7)


def test_its_margin_is_three_quarters_of_the_bound(saddle):
    found = measured(EXAMPLE, saddle.center)

    assert_allclose(found["least_margin"], 2)
    assert_allclose(found["margin_efficiency"], 3 / 4)


def test_its_multiplier_has_the_corrected_denominator(saddle):
    told = (2 + 2 * math.exp(-2)) / (2 + math.exp(-2) + math.exp(2))

    assert_allclose(pull(4, 1, 2.0), told, rtol=1e-14)
    assert_allclose(saddle.pull, -told, rtol=1e-14)
    assert_allclose(saddle.pull, -0.2384058, rtol=1e-6)


def test_the_way_out_is_that_of_the_example(saddle):
    """The printed W', H' with alpha = 0.1 lie at the angle atan(alpha sqrt(2))."""
    alpha = 0.1
    side = alpha * np.array([1, 1, -1, -1.0])
    scale = 1 / math.sqrt(1 + 2 * alpha**2)
    there = Point(scale * (PRINTED + side[:, None]), scale * (PRINTED + side[:, None]))
    angle = math.atan(alpha * math.sqrt(2))

    loss = measured(EXAMPLE, there)["loss"]

    assert_allclose(loss, 0.9876636, rtol=1e-7)
    arc = saddle.circle[:, 0]
    near = saddle.loss + saddle.curvature * angle**2 / 2
    assert_allclose(loss, near, rtol=2e-3)
    # Between two angles of the circle.
    assert_allclose(loss, np.interp(angle, arc, saddle.circle[:, 1]), rtol=1e-3)


def test_the_curvature_is_that_of_the_losses(saddle):
    """2 (|lam| - s) times half of the squared norm, s and lam as in P4 (C.8)."""
    other = math.exp(-2) / (1 + math.exp(-4) + 2 * math.exp(-2))
    told = -(4 * other - pull(4, 1, 2.0)) * 16

    assert_allclose(saddle.curvature, told, rtol=1e-12)
    assert_allclose(saddle.bend, told, rtol=1e-5)
    assert_allclose(saddle.slope, 0, atol=1e-10)


def test_the_start_is_turned_and_no_longer(saddle):
    assert_allclose(saddle.begin.radius, saddle.center.radius, rtol=1e-14)
    assert_allclose(saddle.angle(saddle.begin.flat), 0.1, rtol=1e-10)
    assert_allclose(saddle.angle(3 * saddle.begin.flat), 0.1, rtol=1e-10)
    assert_allclose(saddle.out @ saddle.center.flat, 0, atol=1e-13)
    assert_allclose(saddle.out @ saddle.out, 1, rtol=1e-12)


def test_the_margin_along_the_ray_is_read_off(saddle):
    assert_allclose(saddle.margin(saddle.center.flat, 1), 2)
    assert_allclose(saddle.margin(3 * saddle.center.flat, 1), 18)


@pytest.mark.parametrize("classes", [4, 6])
@pytest.mark.parametrize("per_class", [1, 3])
@pytest.mark.parametrize("scale", [0.7, 1.5])
def test_more_classes_and_samples_have_the_same_saddle(classes, per_class, scale):
    shape = Model(classes, per_class, classes + 1, "mean")

    found = saddle_of(shape, scale, 0.0)

    downhill = shape.slope()(0.0, found.center.flat) / shape.share
    assert_allclose(downhill, -found.pull * found.center.flat, atol=1e-13)
    assert_allclose(found.pull, -pull(classes, per_class, 2 * scale**2), rtol=1e-12)
    assert_allclose(found.bend, found.curvature, rtol=1e-4)
    assert found.curvature < 0
    peeled = measured(shape, found.center)
    assert_allclose(peeled["margin_efficiency"], 1 - 1 / classes, rtol=1e-12)
    assert_allclose(
        found.margin(found.center.flat, per_class), peeled["least_margin"], rtol=1e-12
    )
    assert_allclose(found.begin.flat, found.center.flat, atol=1e-15)


def test_the_angle_of_four_classes_grows_with_a_hyperbolic_tangent():
    margins = np.linspace(2, 9, 20_001)
    rate = np.tanh(margins / 2) / (2 * margins)

    assert_allclose(escape(4, 2.0, 9.0), np.trapezoid(rate, margins), rtol=1e-8)


@pytest.mark.parametrize("classes", [4, 8])
def test_large_margins_grow_the_angle_as_a_power(classes):
    found = escape(classes, 100.0, 10_000.0)

    assert_allclose(found, math.log(100) / (classes - 2), rtol=1e-12)
