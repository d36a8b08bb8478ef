"""Margin statistics, by hand and against the equilibrium of the square loss."""

import json

import numpy as np
import pytest

from boundkit.measure.margins import margin_summary

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
