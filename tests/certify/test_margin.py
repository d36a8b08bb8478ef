"""The margin bound against a plain re-implementation over the same grid."""

import math

import numpy as np
import pytest

from boundkit.certify.margin import (
    deviation,
    grid_delta,
    margin_bound,
    ramp_loss,
    smallest,
)


def by_the_book(rho, unit, margins, n, anchor, delta, indices):
    """err <= ramp + 2R/n + (2/n)(l/2 + sqrt(l^2/4 + l R)) + sqrt(l/(2n)), best j."""
    best = math.inf
    for j in indices:
        r = anchor * 1.05**j
        gamma = rho / r
        ramp = np.mean(np.clip(1 - margins / gamma, 0, 1))
        share = 2 / 3 * delta / ((abs(j) + 1) * (abs(j) + 2))
        level = math.log(2 / share)
        complexity = r * unit
        more = level / 2 + math.sqrt(level**2 / 4 + level * complexity)
        total = ramp + 2 * complexity / n + 2 * more / n + math.sqrt(level / (2 * n))
        best = min(best, total)
    return best


@pytest.mark.parametrize("seed", range(30))
def test_best_margin_is_the_best_of_the_whole_grid(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(50, 20000))
    rho = float(np.exp(rng.normal(1, 2)))
    margins = rng.normal(rng.uniform(0, 2), 1, n) * np.exp(rng.normal(0, 1))
    unit = float(rng.uniform(0.1, 3)) * math.sqrt(n)
    anchor = math.sqrt(n) / 16
    delta = float(rng.uniform(0.01, 0.2))
    found = margin_bound(
        math.log(rho),
        math.log(unit),
        margins,
        log_n=math.log(n),
        log_anchor=math.log(anchor),
        delta=delta,
        gamma=None,
    )
    expected = by_the_book(rho, unit, margins, n, anchor, delta, range(-150, 151))

    # Outside the searched margins the bound cannot be below 1.
    assert 10**found.log10 == pytest.approx(expected, rel=1e-9) or expected >= 1


def test_terms_add_up():
    margins = np.linspace(-0.5, 3, 4000)
    found = margin_bound(
        math.log(3),
        math.log(70),
        margins,
        log_n=math.log(4000),
        log_anchor=math.log(4),
        delta=0.05,
        gamma=None,
    )

    total = found.margin_loss + found.complexity + found.confidence
    np.testing.assert_allclose(10**found.log10, total, rtol=1e-12)


def test_deviation_by_hand():
    np.testing.assert_allclose(deviation(100, 4), 22.0998, rtol=1e-5)


def test_shares_of_delta_sum_to_delta():
    j = np.arange(-200000, 200001)

    np.testing.assert_allclose(grid_delta(j, 0.05).sum(), 0.05, rtol=1e-5)
    np.testing.assert_allclose(grid_delta(0, 0.05), 1 / 60, rtol=1e-12)


@pytest.mark.parametrize("gamma", [0.3, 1.0, 7.0])
def test_a_margin_fixed_in_advance_is_kept_up_to_the_grid(gamma):
    found = margin_bound(
        math.log(5),
        math.log(10),
        np.ones(100),
        log_n=math.log(100),
        log_anchor=math.log(10 / 16),
        delta=0.05,
        gamma=gamma,
    )

    assert gamma / 1.05 <= found.margin <= gamma * (1 + 1e-9)


def test_margins_that_are_all_wrong_give_nothing():
    found = margin_bound(
        0.0,
        0.0,
        np.array([-1.0, 0.0]),
        log_n=math.log(2),
        log_anchor=0.0,
        delta=0.05,
        gamma=None,
    )

    assert found.margin_loss == 1
    assert found.log10 > 0


def at_size(log_rho, log_unit, margins, log_anchor, gamma):
    """Tell for a natural logarithm of n whether the bound is below 1."""
    return lambda log_n: (
        margin_bound(
            log_rho,
            log_unit + log_n / 2,
            margins,
            log_n=log_n,
            log_anchor=log_anchor + log_n / 2,
            delta=0.05,
            gamma=gamma,
        ).log10
        < 0
    )


@pytest.mark.parametrize("cost", [0.0, 3.0, 2000.0])
def test_a_share_of_delta_is_a_smaller_delta(cost):
    def at(delta, log_cost):
        return margin_bound(
            1.0,
            3.0,
            np.linspace(-0.5, 3, 400),
            log_n=math.log(400),
            log_anchor=1.0,
            delta=delta,
            gamma=None,
            log_cost=log_cost,
        )

    found = at(0.05, cost)

    if cost < 100:
        expected = at(0.05 * math.exp(-cost), 0.0)
        np.testing.assert_allclose(found.log10, expected.log10, rtol=1e-12)
        np.testing.assert_allclose(found.delta_j, expected.delta_j, rtol=1e-12)
    else:
        # No float holds that share of delta, the bound is finite all the same.
        assert found.delta_j == 0
        assert math.isfinite(found.log10)


@pytest.mark.parametrize("seed", range(5))
def test_the_ramp_loss_of_sorted_margins_is_that_of_the_margins(seed):
    rng = np.random.default_rng(seed)
    margins = rng.normal(0.5, 1, 50)
    gammas = rng.uniform(0.01, 4, 7)
    expected = [np.clip(1 - margins / g, 0, 1).mean() for g in gammas]

    np.testing.assert_allclose(ramp_loss(margins).mean(gammas), expected, rtol=1e-12)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("margins", [None, np.ones(1000)])
def test_huge_norms_have_a_logarithm(margins):
    log_rho = 636 * math.log(10)
    log_anchor = -math.log(16)
    found = margin_bound(
        log_rho,
        math.log(1000) / 2,
        margins,
        log_n=math.log(1000),
        log_anchor=log_anchor + math.log(1000) / 2,
        delta=0.05,
        gamma=1.0,
    )

    # 2 rho / sqrt(n), at a norm of the grid at most 5 % above rho.
    low = 636 + math.log10(2) - 1.5
    assert low - 1e-6 <= found.log10 <= low + math.log10(2 * 1.05)
    assert math.isinf(found.complexity)
    needed = smallest(at_size(log_rho, 0.0, margins, log_anchor, 1.0))
    assert 2 * 636 < needed < 2 * 638


def test_no_sample_is_large_enough_where_the_network_errs():
    margins = np.array([-1.0, -1.0, 1.0])
    found = smallest(at_size(0.0, 0.0, margins * 0 - 1, 0.0, None))

    assert found is None
