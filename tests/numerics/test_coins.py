"""Constants of ReLU networks against hand-made values, enumeration and each other."""

import itertools
import math

import numpy as np
import pytest

from boundkit.numerics.coins import (
    activation_coin,
    chain_constant,
    chain_constant_of_data,
    dense_constant,
    dense_constant_of_data,
    heads,
    max_pool_coin,
    second_moment,
    sign_moments,
    tail_factors,
)


def coins(layers):
    return [0.5] * (layers - 1)


def signs(n):
    return np.array(list(itertools.product((-1.0, 1.0), repeat=n)))


def top_mean(values, share):
    """Mean of the top share of equally likely values, the last one cut if need be."""
    ordered = np.sort(values)[::-1]
    wanted = share * ordered.size
    taken = np.clip(wanted - np.arange(ordered.size), 0, 1)
    return float(taken @ ordered) / wanted


def sample(seed, n=8, d=3):
    """Random vectors of very different lengths and directions."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, d)) * np.exp(rng.normal(0, 1, (n, 1)))


def sums(x):
    """Values of ||sum e_i x_i|| over all signs."""
    return np.linalg.norm(signs(len(x)) @ x, axis=1)


def spectrum(x):
    values = np.linalg.eigvalsh(x.T @ x)[::-1].clip(min=0)
    return values / values.sum()


def test_tail_factors_that_every_sample_obeys():
    expected = [1, 2, 1 + math.sqrt(6), 4.7417, 6.2145, 7.6135]

    np.testing.assert_allclose(tail_factors(6), expected, rtol=1e-5)
    np.testing.assert_allclose(tail_factors(3)[2], 3.44949, rtol=1e-6)


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        (1, 1.0),
        (2, (1 + math.sqrt(2)) / 2),
        (3, 1.42143),
        (4, 1.6240),
        (5, 1.8127),
        (6, 1.9888),
        (7, 2.1539),
        (8, 2.3093),
        (9, 2.4558),
        (10, 2.5946),
        (20, 3.70),
        (50, 5.8723),
    ],
)
def test_chain_constant_of_relu(layers, expected):
    # Printed with four or five digits.
    np.testing.assert_allclose(chain_constant(coins(layers)), expected, rtol=3e-5)


def test_chain_constant_of_a_leaky_network():
    np.testing.assert_allclose(
        chain_constant([0.25]), 0.75 + math.sqrt(2) / 4, rtol=1e-12
    )
    np.testing.assert_allclose(chain_constant([0.25]), 1.10355, rtol=1e-5)


def test_chain_constant_after_max_pooling():
    coin = max_pool_coin(4, 0.0)

    assert coin == 7 / 8
    np.testing.assert_allclose(chain_constant([coin]), 1.36244, rtol=1e-5)


@pytest.mark.parametrize("layers", range(2, 60))
def test_constants_stay_below_the_simpler_ones(layers):
    c = (1 + math.sqrt(2)) / 2
    golowich = 1 + math.sqrt(2 * math.log(2) * (layers - 1))
    chain = chain_constant(coins(layers))

    assert chain <= c ** (layers - 1) * (1 + 1e-12)
    assert chain < golowich
    assert dense_constant(coins(layers)) <= chain
    assert chain > chain_constant(coins(layers - 1))


def test_closed_form_with_one_moment_is_never_better():
    double_factorial = 1.0
    for p in range(2, 20, 2):
        double_factorial *= p - 1
        for layers in range(2, 12):
            closed = ((1 + 2 ** (1 / p)) / 2) ** (layers - 1)
            closed *= double_factorial ** (1 / p)

            assert chain_constant(coins(layers)) <= closed * (1 + 1e-12)


def test_second_moments_of_two_numbers_of_heads():
    assert second_moment([]) == 1
    np.testing.assert_allclose(second_moment(coins(2)), 5 / 4, rtol=1e-12)
    np.testing.assert_allclose(second_moment(coins(3)), 1.6875, rtol=1e-12)


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        (2, math.sqrt(1.25)),
        (3, math.sqrt(27 / 16)),
        (4, 1.511),
        (5, 1.686),
        (10, 2.403),
    ],
)
def test_dense_constant(layers, expected):
    # Three digits are printed; the multipliers come from a search.
    np.testing.assert_allclose(dense_constant(coins(layers)), expected, rtol=3e-4)


def test_a_linear_map_costs_nothing():
    assert chain_constant([]) == dense_constant([]) == 1
    assert dense_constant_of_data([], np.ones(1)) == 1


def test_heads_against_all_outcomes():
    probabilities = [0.5, 0.5, 0.125, 0.3, 0.3, 0.3]
    expected = np.zeros(7)
    for outcome in itertools.product((0, 1), repeat=6):
        chance = math.prod(
            p if up else 1 - p for p, up in zip(probabilities, outcome, strict=True)
        )
        expected[sum(outcome)] += chance

    np.testing.assert_allclose(heads(probabilities), expected, rtol=1e-12)


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_certain_coins(p):
    assert np.argmax(heads([p] * 5)) == 5 * p
    assert heads([p] * 5).max() == 1


def test_thousands_of_layers_do_not_overflow():
    deep = chain_constant([0.5] * 5000)

    assert deep == dense_constant([0.5] * 5000)
    # C_j is at most about 2 j log 2, and j is near half the layers.
    assert 0.9 * math.sqrt(5000 * math.log(2)) < deep < 1.1 * math.sqrt(5000)


@pytest.mark.parametrize(
    ("slope", "coin", "factor"),
    [
        (0.0, 0.5, 1.0),
        (1.0, 0.0, 1.0),
        (-1.0, 1.0, 1.0),
        (0.5, 0.25, 1.0),
        (2.0, 0.25, 2.0),
        (-3.0, 2 / 3, 3.0),
    ],
)
def test_coin_and_factor_of_a_leaky_relu(slope, coin, factor):
    found = activation_coin(slope)

    np.testing.assert_allclose(found, (coin, factor), rtol=1e-12)
    # The factor is the Lipschitz constant, and factor times coin the share of |t|.
    assert found[1] == max(1.0, abs(slope))
    np.testing.assert_allclose(found[0] * found[1], abs(1 - slope) / 2, rtol=1e-12)


def test_max_pooling_of_one_position_is_the_activation_alone():
    for slope in (0.0, 0.3, 1.0):
        np.testing.assert_allclose(
            max_pool_coin(1, slope), activation_coin(slope)[0], rtol=1e-12
        )


def test_the_step_is_tight_in_the_law_of_the_linear_part():
    rows = np.array([[1, 0, 1], [-1, 1, 0], [0, -1, -1]], float)
    rows = np.vstack([rows, -rows])
    linear = (signs(3) @ rows.T).max(axis=1)
    kept = np.abs(signs(3) @ np.maximum(rows, 0).T).max(axis=1)

    assert kept.mean() == 7 / 4
    assert (linear.mean() + top_mean(linear, 1 / 2)) / 2 == 7 / 4


def test_one_relu_layer_obeys_the_step_on_random_sets():
    rng = np.random.default_rng(0)
    for _ in range(200):
        rows = rng.standard_normal((rng.integers(1, 6), 5)) * rng.integers(0, 2, 5)
        rows = np.vstack([rows, -rows])
        slope = rng.uniform(-1, 1)
        linear = (signs(5) @ rows.T).max(axis=1)
        bent = np.abs(signs(5) @ np.where(rows > 0, rows, slope * rows).T).max(axis=1)
        for share in (1, 0.5, 0.3):
            bound = (1 + slope) / 2 * top_mean(linear, share)
            bound += (1 - slope) / 2 * top_mean(linear, share / 2)

            assert top_mean(bent, share) <= bound + 1e-12


@pytest.mark.parametrize("seed", range(20))
def test_moments_of_signs_stay_below_the_bound(seed):
    x = sample(seed)
    squares = sums(x) ** 2 / np.sum(x**2)
    exact = np.array([np.mean(squares**m) for m in range(1, 13)])

    assert np.all(exact <= sign_moments(spectrum(x)) * (1 + 1e-10))


def test_moments_of_gaussians_in_closed_form():
    odd = np.cumprod(np.arange(1, 25, 2, dtype=float))
    np.testing.assert_allclose(sign_moments(np.array([1.0, 0.0])), odd, rtol=1e-12)

    d = 7
    chi_square = np.cumprod(1 + 2 * np.arange(12) / d)
    np.testing.assert_allclose(sign_moments(np.full(d, 1 / d)), chi_square, rtol=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_tail_factors_of_data_bound_the_tail(seed):
    x = sample(seed, n=10)
    squares = sums(x) ** 2 / np.sum(x**2)
    exact = [top_mean(squares, 2.0**-j) for j in range(8)]
    of_data = tail_factors(8, sign_moments(spectrum(x)))

    assert np.all(exact <= of_data * (1 + 1e-12))
    assert np.all(of_data <= tail_factors(8) * (1 + 1e-12))


@pytest.mark.parametrize("layers", [2, 3, 5])
@pytest.mark.parametrize("seed", range(8))
def test_dense_constant_of_data_bounds_the_theorem(seed, layers):
    x = sample(seed, n=9)
    law = heads(coins(layers))
    values = sums(x)
    tails = [top_mean(values, 2.0**-j) for j in range(law.size)]
    exact = float(law @ tails) / math.sqrt(np.sum(x**2))
    of_data = dense_constant_of_data(coins(layers), spectrum(x))

    assert exact <= of_data <= dense_constant(coins(layers))


@pytest.mark.parametrize("seed", range(8))
def test_chain_constant_of_data_bounds_the_theorem(seed):
    patches = [sample(10 * seed + q, n=8) for q in range(3)]
    paths = np.array([1.0, 3.0, 2.0])
    energy = np.array([np.sum(x**2) for x in patches])
    law = heads(coins(4))
    tails = np.array([
        [top_mean(sums(x) ** 2, 2.0**-j) for j in range(law.size)] for x in patches
    ])
    exact = float(law @ np.sqrt(paths @ tails)) / math.sqrt(paths @ energy)
    found = chain_constant_of_data(
        coins(4), paths * energy, np.stack([spectrum(x) for x in patches])
    )

    assert exact <= found <= chain_constant(coins(4))


def test_spread_data_need_a_smaller_constant():
    wide = np.full((1, 200), 1 / 200)
    narrow = np.eye(1, 200)

    spread = chain_constant_of_data(coins(3), np.ones(1), wide)
    assert spread < chain_constant_of_data(coins(3), np.ones(1), narrow)
    assert spread < 1.1
    assert dense_constant_of_data(coins(3), wide[0]) < dense_constant(coins(3))


def test_data_without_energy_say_nothing():
    zeros = np.zeros((2, 3))

    assert chain_constant_of_data(coins(3), np.zeros(2), zeros) == chain_constant(
        coins(3)
    )
