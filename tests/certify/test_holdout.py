"""The bound from held-out samples."""

import numpy as np

from tests.certify.examples import certificate, mlp, seen, stored, told


def test_value_is_the_limit_of_the_counted_errors():
    margins = np.r_[np.full(97, 1.0), -1.0, 0.0, -2.0]
    found = certificate("holdout", stored(mlp(3, 1)), held_out=seen(100, margins))

    # R: binom.test(3, 100, alternative = "less")$conf.int
    np.testing.assert_allclose(found.value, 0.07571, rtol=1e-3)
    assert found.status == "valid"
    assert (found.terms["errors"], found.terms["n"]) == (3, 100)


def test_no_errors_in_closed_form():
    found = certificate("holdout", stored(mlp(3, 1)), held_out=seen(50), delta=0.1)

    np.testing.assert_allclose(found.value, 1 - 0.1 ** (1 / 50), rtol=1e-9)


def test_without_samples_the_options_are_named():
    found = certificate("holdout", stored(mlp(3, 1)), told(100))

    assert (found.status, found.value) == ("unavailable", None)
    assert "--test-data" in found.note


def test_simulated_coverage():
    rng = np.random.default_rng(0)
    network = stored(mlp(3, 1))
    missed = 0
    for _ in range(400):
        true = rng.uniform(0.01, 0.6)
        margins = np.where(rng.random(60) < true, -1.0, 1.0)
        found = certificate("holdout", network, held_out=seen(60, margins), delta=0.1)
        missed += found.value < true

    # Three standard errors of 400 tosses.
    assert missed / 400 <= 0.1 + 3 * 0.015
