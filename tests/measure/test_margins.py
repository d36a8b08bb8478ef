"""Margin statistics, by hand and against the equilibrium of the square loss."""

import json

import numpy as np
import pytest

from boundkit.measure.margins import margin_summary
from boundkit.types import Alignment

MARGINS = np.array([0.2, 0.3, 0.1, 0.4])


def test_the_equilibrium_by_hand():
    found = margin_summary(MARGINS, 0.0, 0.01)["normalized"]

    expected = {
        "mean": 0.25,
        "second_moment": 0.075,
        "variance": 0.0125,
        "rho_eq": 0.25 / 0.085,
        "epsilon": 0.0225 / 0.085,
        "rho_dot": 2 * (0.25 - 0.085),
        "interpolation_gap": 0.75,
    }
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-12)
    np.testing.assert_allclose(found["rho_eq"], 2.9411765, rtol=1e-7)
    np.testing.assert_allclose(found["epsilon"], 0.2647059, rtol=1e-6)


@pytest.mark.parametrize("log10_rho", [-3.0, 0.5, 7.0])
def test_rho_takes_raw_margins_to_normalized_ones(log10_rho):
    found = margin_summary(MARGINS * 10**log10_rho, log10_rho, 0.01)
    expected = margin_summary(MARGINS, 0.0, 0.01)["normalized"]

    np.testing.assert_allclose(
        found["normalized"]["rho_eq"], expected["rho_eq"], rtol=1e-9
    )
    np.testing.assert_allclose(
        found["mean"], found["normalized"]["mean"] * 10**log10_rho, rtol=1e-12
    )


def test_at_equilibrium_nothing_moves_and_the_gap_is_epsilon():
    rho = 0.25 / 0.085

    found = margin_summary(MARGINS * rho, np.log10(rho), 0.01)["normalized"]

    np.testing.assert_allclose(found["rho_dot"], 0, atol=1e-13)
    np.testing.assert_allclose(found["interpolation_gap"], found["epsilon"], rtol=1e-12)


def test_equal_margins_leave_only_the_decay():
    found = margin_summary(np.full(5, 0.5), 0.0, 0.1)["normalized"]

    np.testing.assert_allclose(found["epsilon"], 0.1 / 0.35, rtol=1e-12)


def test_quantiles_interpolate_and_errors_count_ties():
    margins = np.arange(101.0) - 10

    found = margin_summary(margins, None)

    assert (found["min"], found["q01"], found["q05"], found["q10"]) == (-10, -9, -5, 0)
    assert found["median"] == 40
    np.testing.assert_allclose(found["train_error"], 11 / 101, rtol=1e-12)
    assert found["separable"] is False
    assert margin_summary(margins + 11, None)["separable"] is True


def test_what_is_not_known_or_not_defined_is_none():
    assert margin_summary(MARGINS, None)["normalized"] is None
    assert margin_summary(MARGINS, 400.0)["normalized"] is None
    without_decay = margin_summary(MARGINS, 0.0)["normalized"]
    assert [without_decay[k] for k in ("rho_eq", "epsilon", "rho_dot")] == [None] * 3
    at_zero = margin_summary(np.zeros(3), 0.0, 0.0)["normalized"]
    assert at_zero["rho_eq"] is None


def test_overflow_is_none_and_the_rest_stays():
    found = margin_summary(np.array([1e200, 2e200]), -200.0, 0.1)

    assert found["second_moment"] is None
    assert found["mean"] == pytest.approx(1.5e200, rel=1e-12)
    assert found["normalized"]["mean"] is None
    json.dumps(found, allow_nan=False)


def test_the_histogram_counts_every_margin_once():
    margins = np.concatenate([np.linspace(-1, 3, 400), [3.0]])

    for found, scale in (
        (margin_summary(margins, None), 1),
        (margin_summary(margins, 1.0)["normalized"], 10),
    ):
        histogram = found["histogram"]
        assert sum(histogram["counts"]) == 401
        assert len(histogram["edges"]) == len(histogram["counts"]) + 1 == 41
        ends = [histogram["edges"][0], histogram["edges"][-1]]
        np.testing.assert_allclose(ends, [-1 / scale, 3 / scale], rtol=1e-12)
        assert histogram["counts"][0] == 10


@pytest.mark.parametrize("margins", [[0.5] * 3, [1.0, np.nextafter(1, 2)], [1e300] * 2])
def test_margins_that_rounding_makes_alike_share_a_bin(margins):
    found = margin_summary(np.array(margins), None)["histogram"]

    assert found["counts"] == [len(margins)]
    assert found["edges"] == [min(margins), max(margins)]


def test_margins_too_far_apart_have_no_histogram():
    assert margin_summary(np.array([-1e308, 1e308]), None)["histogram"] is None


def test_upper_quantiles_and_the_largest():
    found = margin_summary(np.arange(101.0), None)

    assert [found[k] for k in ("q90", "q95", "q99", "max")] == [90, 95, 99, 100]


def test_the_equilibrium_of_several_outputs_minimizes_the_loss():
    generator = np.random.default_rng(0)
    classes, rho, decay = 4, 2.5, 0.03
    targets = np.full((50, classes), -1 / (classes - 1))
    targets[np.arange(50), np.arange(50) % classes] = 1
    f = targets + 0.4 * generator.standard_normal((50, classes))
    alignment = Alignment(
        classes, (f * targets).sum(1).mean(), np.square(f).sum(1).mean()
    )

    found = margin_summary(MARGINS, np.log10(rho), decay, alignment)["normalized"]

    def loss(r):
        return np.square(r * f / rho - targets).sum(1).mean() + decay * r**2

    best = found["rho_eq"]
    step = 1e-4
    assert loss(best) <= min(loss(best - step), loss(best + step))
    zero = classes / (classes - 1)
    np.testing.assert_allclose(found["epsilon"], loss(best) / zero, rtol=1e-9)
    slope = (loss(rho + step) - loss(rho - step)) / (2 * step)
    # The loss is quadratic in rho: the central difference is exact up to rounding.
    np.testing.assert_allclose(found["rho_dot"], -slope, rtol=1e-8)
    np.testing.assert_allclose(found["equilibrium_gap"], rho - best, rtol=1e-12)
    gap = 1 - alignment.mean / zero
    np.testing.assert_allclose(found["interpolation_gap"], gap, rtol=1e-9)


def test_two_logits_that_mirror_each_other_are_one_output():
    f = MARGINS
    mirrored = Alignment(2, (2 * f).mean(), np.square(f).mean() * 2)

    one = margin_summary(f, 0.0, 0.01)["normalized"]
    two = margin_summary(2 * f, 0.0, 0.02, mirrored)["normalized"]

    for name in ("rho_eq", "epsilon", "interpolation_gap", "equilibrium_gap"):
        np.testing.assert_allclose(two[name], one[name], rtol=1e-12)
