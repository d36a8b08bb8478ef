"""Estimates from m of N samples: by enumeration of all minibatches, and by laws."""

from itertools import combinations

import numpy as np
import pytest

from boundkit.measure.noise.estimates import (
    Estimate,
    Sampled,
    mean_square,
    noise_scale,
    root,
    trace,
)

VECTORS = np.random.default_rng(0).standard_normal((7, 4)) + 0.3


def of(vectors, population):
    mean = vectors.mean(0)
    apart = vectors - mean
    return Sampled((apart**2).sum(1), apart @ mean, float(mean @ mean), population)


def minibatch_means(vectors, batch):
    return np.array([vectors[list(b)].mean(0) for b in combinations(range(7), batch)])


@pytest.mark.parametrize("batch", range(1, 8))
def test_the_trace_is_that_over_all_minibatches(batch):
    means = minibatch_means(VECTORS, batch)
    expected = means.var(axis=0).sum()

    np.testing.assert_allclose(
        trace(of(VECTORS, 7), batch).value, expected, rtol=1e-12, atol=1e-30
    )


@pytest.mark.parametrize("batch", range(1, 8))
def test_the_mean_square_is_that_over_all_minibatches(batch):
    expected = (minibatch_means(VECTORS, batch) ** 2).sum(1).mean()

    np.testing.assert_allclose(
        mean_square(of(VECTORS, 7), batch).value, expected, rtol=1e-12
    )


def test_all_samples_leave_no_error_and_the_whole_batch_no_noise():
    whole = of(VECTORS, 7)

    assert trace(whole, 7) == Estimate(0.0, 0.0)
    assert [f.stderr for f in (trace(whole, 2), mean_square(whole, 2))] == [0, 0]
    assert noise_scale(whole).stderr == 0


@pytest.mark.parametrize(
    "estimate", [lambda s: trace(s, 2), lambda s: mean_square(s, 3)]
)
def test_estimates_from_some_samples_are_unbiased(estimate):
    every = [of(VECTORS[list(c)], 7) for c in combinations(range(7), 4)]

    np.testing.assert_allclose(
        np.mean([estimate(one).value for one in every]),
        estimate(of(VECTORS, 7)).value,
        rtol=1e-12,
    )


@pytest.mark.parametrize(
    "estimate", [lambda s: trace(s, 8), lambda s: mean_square(s, 8), noise_scale]
)
def test_the_standard_error_is_the_spread_over_samples(estimate):
    generator = np.random.default_rng(1)
    population = generator.standard_normal((4000, 3)) ** 3 + [2.0, 0.0, 0.0]
    drawn = [
        estimate(of(population[generator.choice(4000, 1500, replace=False)], 4000))
        for _ in range(400)
    ]

    # 400 draws give a spread to 3.5 percent; errors to first order in 1/m.
    np.testing.assert_allclose(
        np.mean([one.stderr for one in drawn]),
        np.std([one.value for one in drawn]),
        rtol=0.12,
    )


def test_the_noise_scale_is_the_trace_over_the_signal():
    whole = of(VECTORS, 7)

    np.testing.assert_allclose(
        noise_scale(whole).value,
        VECTORS.var(axis=0).sum() / (VECTORS.mean(0) ** 2).sum(),
        rtol=1e-13,
    )


def test_a_signal_below_its_noise_gives_no_scale():
    few = of(np.array([[1.0], [-1.0]]), 1000)

    assert mean_square(few, 1000).value < 0
    assert np.isnan(noise_scale(few).value)


def test_one_sample_of_one_has_no_noise_and_one_of_many_is_unknown():
    one = (np.zeros(1), np.zeros(1), 4.0)

    assert Sampled(*one, 1).variance == 0
    assert mean_square(Sampled(*one, 1), 1) == Estimate(4.0, 0.0)
    assert np.isnan(Sampled(*one, 5).variance)


def test_roots_carry_their_error_and_negative_squares_none():
    assert root(Estimate(4.0, 0.4)) == Estimate(2.0, 0.1)
    assert root(Estimate(0.0)) == Estimate(0.0)
    assert np.isnan(root(Estimate(-1.0, 1.0)).value)
    assert np.isnan(root(Estimate(0.0, 1.0)).stderr)
