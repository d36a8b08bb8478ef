"""Two per activation."""

import math

import numpy as np
from torch import nn

from boundkit.certify.neyshabur2015 import printed_complexity
from tests.certify.examples import certificate, cnn, mlp, seen, stored, told, wired


def test_the_printed_complexity():
    np.testing.assert_allclose(printed_complexity(2, 3, 1, 100), 0.8485281, rtol=1e-7)


def test_ours_is_the_printed_one_without_the_root_of_two():
    network = wired(mlp(6, 5, 1), (6,))
    found = certificate("neyshabur2015", network, seen(100), gamma=1.0).terms
    psi = 10 ** found["rho_log10"] / found["gamma"]

    np.testing.assert_allclose(
        found["complexity"],
        2 * printed_complexity(2, psi, 1, 100) / math.sqrt(2),
        rtol=1e-12,
    )


def test_toeplitz_is_the_same_theorem_with_a_better_constant():
    for module, shape in ((cnn(), (1, 6)), (cnn(bias=True), (1, 6)), (cnn(3), (1, 6))):
        network = wired(module, shape)
        ours, theirs = (
            certificate(b, network, seen(400)) for b in ("toeplitz", "neyshabur2015")
        )

        assert ours.terms["rho_log10"] == theirs.terms["rho_log10"]
        assert ours.terms["energy_per_sample"] == theirs.terms["energy_per_sample"]
        assert theirs.terms["K_L"] == 2 > ours.terms["K_L"]
        assert ours.value < theirs.value


def test_max_pooling_does_not_unroll():
    network = wired(cnn(1, nn.ReLU(), nn.MaxPool1d(2)), (1, 6))
    found = certificate("neyshabur2015", network, told(100))

    assert found.status == "invalid"
    assert "max pooling is not a matrix" in found.assumptions[-1].detail


def test_dense_layers_need_no_architecture_but_convolutions_do():
    dense = certificate("neyshabur2015", stored(mlp(6, 5, 1)), told(100))
    local = certificate("neyshabur2015", stored(cnn()), told(100))

    assert (dense.status, local.status) == ("assumed", "unavailable")
    assert "--model" in local.note
