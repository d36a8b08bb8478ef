"""The public form that is false."""

import math

import numpy as np
from torch import nn

from boundkit.measure.galanti2023_literal import galanti2023_literal, galanti_terms
from tests.certify.examples import cnn, mlp, seen, stored, told, wired


def test_the_public_form_term_by_term():
    complexity, confidence = galanti_terms(
        math.log(3), 3, [9.0, 9.0], 2, 4.0, 100, 0.001
    )

    np.testing.assert_allclose(math.exp(complexity), 9.7466088, rtol=1e-7)
    np.testing.assert_allclose(confidence, 0.6977751, rtol=1e-6)


def test_the_degrees_stop_before_the_head():
    evidence = seen(400, margins=2.0, positions=np.arange(1.0, 7))
    found = galanti2023_literal(wired(cnn(), (1, 6)), math.log(5), evidence, 0.05)
    complexity, confidence = galanti_terms(
        math.log(5 / math.sqrt(2)), 2, [3.0], 2, 6 * 400, 400, 0.05
    )

    np.testing.assert_allclose(
        found.value, math.exp(complexity) + confidence, rtol=1e-12
    )
    assert found.kind == "heuristic"
    assert "false as a bound" in found.source


def test_a_hidden_dense_layer_reads_the_whole_map():
    module = nn.Sequential(nn.Flatten(), *mlp(6, 5, 3)).double()
    evidence = seen(400, margins=2.0, positions=np.ones(6), outputs=3)
    found = galanti2023_literal(wired(module, (1, 6)), 0.0, evidence, 0.05)
    complexity, confidence = galanti_terms(0.0, 2, [6.0], 3, 400, 400, 0.05)

    np.testing.assert_allclose(
        found.value, math.exp(complexity) + confidence, rtol=1e-12
    )


def test_margins_below_one_are_losses():
    network = wired(cnn(), (1, 6))
    right, wrong = (
        galanti2023_literal(network, 0.0, seen(0, margins), 0.05).value
        for margins in (np.full(100, 1.0), np.r_[np.full(75, 1.0), np.full(25, 0.99)])
    )

    np.testing.assert_allclose(wrong - right, 0.25, rtol=1e-12)


def test_it_has_no_value_without_an_architecture_or_with_pooling():
    pooled = wired(cnn(1, nn.ReLU(), nn.MaxPool1d(2)), (1, 6))
    for network in (stored(cnn()), pooled):
        assert galanti2023_literal(network, 0.0, told(100), 0.05).value is None


def test_the_public_form_is_false():
    """Random labels on independent pixels: it promises 0.205, the error is a half."""
    rng = np.random.default_rng(0)
    n, pixels = 500, 2000
    x = rng.choice([-1.0, 1.0], (n, pixels)) / math.sqrt(pixels)
    y = rng.choice([-1.0, 1.0], n)
    w = x.T @ np.linalg.solve(x @ x.T, y)
    test = rng.choice([-1.0, 1.0], (4000, pixels)) @ w
    error = np.mean(test * rng.choice([-1.0, 1.0], 4000) <= 0)
    module = nn.Sequential(nn.Flatten(), nn.Linear(pixels, 1, bias=False)).double()
    evidence = seen(
        0, y * (x @ w) * (1 + 1e-9), positions=np.full((40, 50), 1 / pixels)
    )
    found = galanti2023_literal(
        wired(module, (1, 40, 50)), math.log(np.linalg.norm(w)), evidence, 0.05
    )

    # Coin flips are wrong half the time, to four standard errors.
    np.testing.assert_allclose(error, 0.5, rtol=0, atol=0.032)
    assert found.value < error


def test_the_published_numbers_of_the_counterexample():
    # 10,000 pixels of +-1/100, 2,500 labels, norm 40.9 after the split in two outputs.
    complexity, confidence = galanti_terms(
        math.log(40.9), 1, [], 2, 2500 * 1e-4, 2500, 0.05
    )

    assert round(math.exp(complexity) + confidence, 3) == 0.205
