"""Standards of agreement: closed forms, and slow loops that spell out the definitions."""

from __future__ import annotations

import itertools
import math
from collections import Counter

import numpy as np
import pytest

from boundkit.regression.agreement import (
    conditional_information,
    granulated_kendall,
    sign_errors,
    signs_of,
)
from boundkit.regression.pairs import environments_of, pairs_of

GRID = np.array([[a, b] for a in range(3) for b in range(3) for _ in range(2)])


def case(seed):
    rng = np.random.default_rng(seed)
    return rng.normal(size=18).round(1), rng.normal(size=18).round(1)


def settled(measure, errors, codes=GRID, n=None):
    pairs = pairs_of(errors, codes, n)
    return signs_of(measure, pairs), pairs


def slow_granulated(measure, errors):
    psi = []
    for i in range(2):
        groups = []
        for other in range(3):
            nets = [k for k in range(18) if GRID[k, 1 - i] == other]
            terms = [
                np.sign(measure[a] - measure[b]) * np.sign(errors[a] - errors[b])
                for a, b in itertools.combinations(nets, 2)
                if GRID[a, i] != GRID[b, i]
            ]
            groups.append(np.mean(terms))
        psi.append(np.mean(groups))
    return psi


def slow_information(measure, errors, chosen):
    pairs = [
        (
            tuple(GRID[a, list(chosen)]) + tuple(GRID[b, list(chosen)]),
            np.sign(measure[a] - measure[b]),
            np.sign(errors[a] - errors[b]),
        )
        for a, b in itertools.permutations(range(18), 2)
        if errors[a] != errors[b]
    ]
    total, all_u = len(pairs), Counter(u for u, _, _ in pairs)
    information = entropy = 0.0
    for u, count in all_u.items():
        inside = [(m, g) for v, m, g in pairs if v == u]
        joint, ms, gs = (
            Counter(inside),
            *(Counter(p[k] for p in inside) for k in (0, 1)),
        )
        for (m, g), c in joint.items():
            information += c / total * math.log(c * count / (ms[m] * gs[g]))
        entropy -= sum(c / total * math.log(c / count) for c in gs.values())
    return information / entropy if entropy > 1e-12 else math.inf


@pytest.mark.parametrize("seed", range(4))
def test_granulated_kendall_is_its_definition(seed):
    measure, errors = case(seed)
    psi, whole = granulated_kendall(*settled(measure, errors))

    np.testing.assert_allclose(psi, slow_granulated(measure, errors), atol=1e-14)
    assert whole == pytest.approx(psi.mean(), abs=1e-14)


@pytest.mark.parametrize("seed", range(4))
def test_conditional_information_is_its_definition(seed):
    measure, errors = case(seed)
    sets = [(), (0,), (1,), (0, 1)]
    expected = min(slow_information(measure, errors, chosen) for chosen in sets)

    found = conditional_information(*settled(measure, errors))

    assert found == pytest.approx(expected, rel=1e-9)


def test_the_error_itself_agrees_fully():
    _, errors = case(5)
    signs, pairs = settled(errors, errors)
    environments = environments_of(pairs)

    assert granulated_kendall(signs, pairs)[1] <= 1
    assert conditional_information(signs, pairs) == pytest.approx(1, rel=1e-12)
    assert sign_errors(signs, pairs, environments).max() == 0
    assert sign_errors(-signs, pairs, environments).min() == 1


def test_a_constant_says_nothing():
    _, errors = case(6)
    signs, pairs = settled(np.ones(18), errors)

    assert granulated_kendall(signs, pairs)[1] == 0
    assert conditional_information(signs, pairs) == 0
    assert set(sign_errors(signs, pairs, environments_of(pairs))) == {0.5}


def test_a_measure_that_only_knows_a_hyperparameter_gives_no_information():
    # The measure is the first hyperparameter, and so decides the error's sign between
    # its values; given both nets' values it says nothing more.
    codes = GRID
    errors = codes[:, 0] + 0.1 * np.random.default_rng(0).normal(size=18)
    signs, pairs = settled(codes[:, 0].astype(float), errors)

    assert conditional_information(signs, pairs) == pytest.approx(0, abs=1e-12)


def test_sign_errors_weigh_pairs():
    # Nets of settings 0, 0 | 1: dG = .1 and .3 at n = 1,000, only the first in order.
    errors, measure = np.array([0.2, 0.0, 0.3]), np.array([1.0, 3.0, 2.0])
    signs, pairs = settled(measure, errors, np.array([[0], [0], [1]]), 1000)
    (one,) = environments_of(pairs)
    small, large = ((1 - 2 * math.exp(-500 * d * d)) ** 2 - 0.5 for d in (0.1, 0.3))

    (found,) = sign_errors(signs, pairs, [one])

    assert found == pytest.approx(large / (small + large), rel=1e-12)


def test_infinite_measures_are_ordered():
    pairs = pairs_of(np.arange(3.0), np.zeros((3, 1), int), None)

    assert signs_of(np.array([1.0, np.inf, np.inf]), pairs).tolist() == [-1, -1, 0]
