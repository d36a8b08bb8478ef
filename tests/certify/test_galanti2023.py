"""The strict reading of the sparse-network bound."""

import math

import numpy as np
import pytest
from torch import nn

from tests.certify.examples import certificate, cnn, mlp, seen, stored, told, wired


def test_every_degree_counts_the_first_and_the_head_too():
    evidence = seen(500, margins=2.0, positions=np.arange(1.0, 7))
    found = certificate("galanti2023", wired(cnn(), (1, 6)), evidence, gamma=0.7)
    terms = found.terms
    inner = 2 * math.log(2) + math.log(3 * 4) + math.log(2)

    assert found.status == "valid"
    np.testing.assert_allclose(terms["K_L"], 1 + math.sqrt(2 * inner), rtol=1e-12)
    np.testing.assert_allclose(terms["degrees_log10"], math.log10(12), rtol=1e-12)
    np.testing.assert_allclose(
        terms["complexity"],
        2
        * 10 ** terms["rho_log10"]
        / terms["gamma"]
        * terms["K_L"]
        * math.sqrt(12 * 6 * 500)
        / 500,
        rtol=1e-12,
    )


def test_two_outputs_have_the_printed_constant():
    # 2 sqrt(2) times the Frobenius norm of both centered rows is 2 times that of their
    # difference.
    module = cnn(2)
    rows = module[-1].weight
    centered = (rows - rows.mean(0)).norm()
    terms = certificate("galanti2023", wired(module, (1, 6)), told(100)).terms

    np.testing.assert_allclose(
        2 * 10 ** terms["rho_log10"],
        float((2 * math.sqrt(2) * module[0].weight.norm() * centered).detach()),
        rtol=1e-12,
    )
    assert terms["A_C"] == 1


def test_several_outputs_cost_two_roots():
    terms = certificate("galanti2023", wired(cnn(7), (1, 6)), told(100)).terms

    assert terms["A_C"] == 2 * math.sqrt(7)


@pytest.mark.parametrize(
    ("module", "why"),
    [
        (cnn(bias=True), "has a bias"),
        (cnn(1, nn.ReLU(), nn.MaxPool1d(2)), "pools"),
        (cnn(1, nn.ReLU(), nn.AvgPool1d(2)), "pools"),
    ],
)
def test_what_the_theorem_leaves_out_is_invalid_and_names_who_covers_it(module, why):
    found = certificate("galanti2023", wired(module, (1, 6)), told(100))

    assert found.status == "invalid"
    assert why in found.note
    assert "sparse_cnn_log covers" in found.note


def test_looser_than_the_bound_that_keeps_patches_whole():
    for module in (cnn(), cnn(4), cnn(1, nn.LeakyReLU(0.1))):
        network = wired(module, (1, 6))
        evidence = seen(300, positions=np.ones(6))
        ours = certificate("sparse_cnn_log", network, evidence).value

        assert ours <= certificate("galanti2023", network, evidence).value


def test_random_labels_are_not_certified():
    # 2500 random labels fitted by a linear map of norm 57.8 on 10,000 pixels of +-1/100.
    network = wired(nn.Sequential(nn.Flatten(), mlp(10_000, 1)), (1, 100, 100))
    sizes_of = network.layers[0].weight
    evidence = seen(2500, margins=1.0, positions=np.full((100, 100), 1e-4))
    found = certificate("galanti2023", network, evidence)

    assert sizes_of.shape == (1, 10_000)
    assert found.terms["degrees_log10"] == 4
    # The norm of this untrained head is below 1; the label-fitting one is 57.8.
    radius = 57.8 / 10 ** found.terms["rho_log10"]
    fixed = certificate("galanti2023", network, evidence, gamma=1 / radius)
    assert fixed.value > 1


def test_convolutions_need_an_architecture():
    assert certificate("galanti2023", stored(cnn()), told(9)).status == "unavailable"
