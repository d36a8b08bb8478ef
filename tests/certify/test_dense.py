"""The bound for dense networks."""

import math

import numpy as np
import pytest

from boundkit.numerics.coins import dense_constant
from tests.certify.examples import certificate, cnn, mlp, seen, stored, told, wired


@pytest.mark.parametrize("layers", [1, 2, 4])
def test_constant_and_norm_of_dense_networks(layers):
    module = mlp(*[5] * layers, 1)
    found = certificate("dense", wired(module, (5,)), seen(5000))
    rho = math.prod(float(p.detach().norm()) for p in module.parameters())

    assert found.status == "valid"
    assert found.terms["K_L"] == dense_constant([0.5] * (layers - 1))
    np.testing.assert_allclose(10 ** found.terms["rho_log10"], rho, rtol=1e-12)


def test_convolutions_are_not_dense():
    for network in (wired(cnn(), (1, 6)), stored(cnn())):
        found = certificate("dense", network, told(1000))

        assert (found.status, found.value) == ("invalid", None)
        assert "sparse_cnn covers convolutions" in found.note
        assert any("0.weight is applied at many" in a.detail for a in found.assumptions)


def test_tensors_alone_are_assumed():
    assert certificate("dense", stored(mlp(5, 5, 1)), told(1000)).status == "assumed"


def test_it_is_the_headline_bound_where_both_hold():
    network = wired(mlp(5, 7, 1), (5,))
    values = {
        certificate(bound, network, seen(5000, 0.3)).value
        for bound in ("dense", "sparse_cnn", "toeplitz")
    }

    assert len(values) == 1
