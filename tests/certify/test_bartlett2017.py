"""Spectral norms, and the mixed ratio of norms."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from boundkit.certify.bartlett2017 import spectral_complexity
from boundkit.certify.margin import dudley
from tests.certify.examples import certificate, cnn, mlp, seen, stored, told, wired


def matrix(module, size):
    basis = torch.eye(math.prod(size), dtype=torch.float64).reshape(-1, *size)
    with torch.no_grad():
        return module(basis).flatten(1).T.numpy()


def steps(ratio):
    return max(0, math.ceil(math.log(ratio) / math.log(1.05) - 1e-9))


def test_the_spectral_complexity_of_the_paper():
    # A_1 = diag(2, 1), A_2 = [1, 0], references zero.
    np.testing.assert_allclose(
        spectral_complexity([2, 1], [3, 1]), 7.0234824, rtol=1e-7
    )


def test_the_value_is_the_formula():
    module = mlp(6, 5, 1)
    network = wired(module, (6,))
    found = certificate("bartlett2017", network, seen(100_000), gamma=0.5).terms
    weights = [p.detach().numpy() for p in module.parameters()]
    spectral = [np.linalg.norm(w, 2) for w in weights]
    ratios = [
        np.linalg.norm(w, axis=1).sum() / s
        for w, s in zip(weights, spectral, strict=True)
    ]
    ks = [steps(r) for r in ratios]
    mixed = sum(1.05 ** (2 / 3 * k) for k in ks) ** 1.5
    radius = math.prod(spectral) / found["gamma"]
    e = radius * math.sqrt(2 * math.log(2 * 6**2)) * mixed * math.sqrt(100_000)
    expected = 2 * 12 * e * (1 + math.log(100_000 / (3 * e))) / 100_000

    np.testing.assert_allclose(found["complexity"], expected, rtol=1e-7)
    np.testing.assert_allclose(
        found["mixed_ratio"], sum(r ** (2 / 3) for r in ratios) ** 1.5, rtol=1e-7
    )
    share = math.prod(1 / ((k + 1) * (k + 2)) for k in ks)
    np.testing.assert_allclose(found["grid_share"], share, rtol=1e-12)
    assert found["delta_j"] <= 0.05 * share / 3


def test_convolutions_count_as_operators_with_their_rows_repeated():
    module = cnn(padding=1)
    found = certificate("bartlett2017", wired(module, (1, 6)), seen(1000)).terms
    conv = matrix(module[0], (1, 6))
    head = module[3].weight.detach().numpy()
    spectral = np.linalg.norm(conv, 2) * np.linalg.norm(head)
    rows = np.linalg.norm(conv, axis=1).sum() / np.linalg.norm(conv, 2)
    mixed = (rows ** (2 / 3) + 1) ** 1.5

    assert spectral <= 10 ** found["spectral_product_log10"] <= 1.1 * spectral
    # An operator norm from above makes the product larger, and the ratio smaller.
    assert mixed / 1.1 <= found["mixed_ratio"] <= mixed * (1 + 1e-8)
    assert found["width"] == 18


def test_max_pooling_without_overlap_is_free():
    plain = certificate("bartlett2017", wired(cnn(), (1, 6)), told(100)).terms
    for window, factor in (
        (nn.MaxPool1d(2, 2), 1),
        (nn.MaxPool1d(2, 1), math.sqrt(2)),
        (nn.AvgPool1d(2, 2), math.sqrt(0.5)),
    ):
        module = cnn(1, nn.ReLU(), window)
        conv = plain["spectral_product_log10"] - math.log10(
            float(cnn()[-1].weight.detach().norm())
        )
        head = math.log10(float(module[-1].weight.detach().norm()))
        found = certificate("bartlett2017", wired(module, (1, 6)), told(100)).terms

        np.testing.assert_allclose(
            found["spectral_product_log10"],
            conv + head + math.log10(factor),
            rtol=0,
            atol=1e-8,
        )


def test_biases_add_to_norms_and_to_the_inputs():
    module = mlp(2, 1, bias=True)
    with torch.no_grad():
        module[0].weight.copy_(torch.tensor([[3.0, 4.0]]))
        module[0].bias.fill_(5.0)
    found = certificate("bartlett2017", wired(module, (2,)), seen(99, energy=0.5)).terms

    np.testing.assert_allclose(10 ** found["spectral_product_log10"], 10, rtol=1e-8)
    np.testing.assert_allclose(found["mixed_ratio"], 1, rtol=1e-8)
    assert found["energy_per_sample"] == 2


@pytest.mark.parametrize(("outputs", "lipschitz"), [(1, 1), (2, 1), (5, math.sqrt(2))])
def test_margins_of_several_outputs_are_root_two_lipschitz(outputs, lipschitz):
    found = certificate("bartlett2017", wired(mlp(6, outputs), (6,)), told(100)).terms
    mixed = sum(1.05 ** (2 / 3 * steps(found["mixed_ratio"])) for _ in range(1)) ** 1.5

    np.testing.assert_allclose(
        found["K_L"], lipschitz * math.sqrt(2 * math.log(2 * 36)) * mixed, rtol=1e-12
    )


def test_dudleys_integral_is_cut_at_its_best_point():
    n = 10_000
    for scale in (0.1, 10, 1000):
        cuts = np.geomspace(1e-6, math.sqrt(n), 200_001)
        integral = 12 * scale * np.log(math.sqrt(n) / cuts) + 4 * math.sqrt(n) * cuts

        found = np.exp(dudley(np.log([scale]), math.log(n)))[0]
        # The grid of cuts is within 1e-4 of the best one.
        np.testing.assert_allclose(found, integral.min(), rtol=1e-6)


def test_beyond_the_trivial_bound_the_integral_is_still_above_it():
    n = 100
    scales = np.array([n / 3, n, 50 * n])

    assert np.all(np.exp(dudley(np.log(scales), math.log(n))) >= n)


def test_huge_norms_leave_a_logarithm():
    module = mlp(6, 5, 5, 1)
    for part in module.parameters():
        part.data *= 1e150
    found = certificate("bartlett2017", wired(module, (6,)), told(100))

    assert found.value is None
    assert 400 < found.log10 < 500


def test_convolutions_need_an_architecture():
    found = certificate("bartlett2017", stored(cnn()), told(100))

    assert found.status == "unavailable"
    assert "--input-shape" in found.note


def test_operator_norms_of_the_certificate_are_never_below():
    found = certificate("bartlett2017", wired(cnn(), (1, 6)), seen(100))
    names = {a.name: a.holds for a in found.assumptions}

    assert names["operator norms are not underestimated"] is True
