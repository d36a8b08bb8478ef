"""PAC-Bayes with Gaussian perturbations."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from boundkit.certify.neyshabur2018 import printed_excess, printed_log_kl
from tests.certify.examples import certificate, cnn, mlp, seen, stored, told, wired


def test_the_printed_constants():
    kl = math.exp(printed_log_kl(2, 2, 1.0, math.log(2), 2.25, 1.0))

    np.testing.assert_allclose(kl, 1.3010e6, rtol=1e-4)
    np.testing.assert_allclose(
        printed_excess(kl, 2, 1_000_000, 0.05), 4.5625, rtol=1e-4
    )


def formula(weights, margins, gamma, n, largest, delta, measured=True):
    """The statement in plain Python."""
    d, h = len(weights), max(max(w.shape) for w in weights)
    spectral = [np.linalg.norm(w, 2) for w in weights]
    beta = (math.prod(spectral) / gamma) ** (1 / d)
    spread = math.sqrt(2 * h * math.log(4 * d * h))
    reach = beta * ((1 + 1 / (2 * largest * beta**d)) ** (1 / d) - 1)
    k = math.floor(math.log(reach * d) / math.log(1.05))
    sigma = 1.05**k / (d * spread)
    ratios = sum(
        (np.linalg.norm(w) / s) ** 2 for w, s in zip(weights, spectral, strict=True)
    )
    kl = beta**2 * ratios / (2 * sigma**2)
    share = 0.9 * delta * 2 / 3 / ((abs(k) + 1) * (abs(k) + 2))
    inner = 2 * kl + 2 * math.log(2) + math.log(2 * math.sqrt(n) / share)
    unseen = math.log(10 / delta) / n if measured else 0
    return np.mean(margins <= gamma) + unseen + math.sqrt(inner / (2 * n))


@pytest.mark.parametrize("n", [50, 4000])
def test_the_value_is_the_formula(n):
    module = mlp(6, 5, 1)
    margins = np.random.default_rng(0).normal(2, 1, n)
    evidence = seen(0, margins, energy=3.0)
    found = certificate("neyshabur2018", wired(module, (6,)), evidence, gamma=0.8)
    weights = [p.detach().numpy() for p in module.parameters()]

    np.testing.assert_allclose(
        found.value,
        formula(weights, margins, 0.8, n, math.sqrt(3), 0.05),
        # Operator norms are rounded up by 1e-9; the grid hides that or shifts by one.
        rtol=1e-6,
    )


def test_the_best_margin_is_found():
    module = mlp(6, 5, 1)
    margins = np.random.default_rng(0).normal(2, 1, 300)
    found = certificate("neyshabur2018", wired(module, (6,)), seen(0, margins))
    weights = [p.detach().numpy() for p in module.parameters()]
    best = min(
        formula(weights, margins, m * (1 - 1e-9), 300, 1.0, 0.05)
        for m in margins
        if m > 0
    )

    np.testing.assert_allclose(found.value, best, rtol=1e-6)


def test_without_data_no_input_is_unseen():
    module = mlp(6, 5, 1)
    found = certificate("neyshabur2018", wired(module, (6,)), told(1000))
    weights = [p.detach().numpy() for p in module.parameters()]
    expected = formula(weights, np.ones(1), 1 - 1e-12, 1000, 1.0, 0.05, measured=False)

    np.testing.assert_allclose(found.value, expected, rtol=1e-6)


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_no_perturbation_of_that_size_moves_an_output_further(depth):
    # The deterministic half of the proof, by gradient ascent over perturbations.
    rng = np.random.default_rng(depth)
    weights = [rng.normal(size=(4, 4)) for _ in range(depth)]
    weights = [torch.tensor(w / np.linalg.norm(w, 2) * 1.3) for w in weights]
    x = torch.tensor(rng.normal(size=(4, 64)))
    x /= x.norm(dim=0)
    tolerance = 0.5
    u = (1.3**depth + tolerance) ** (1 / depth) - 1.3

    def net(parts):
        z = x
        for i, w in enumerate(parts):
            z = w @ z if i == depth - 1 else torch.relu(w @ z)
        return z

    worst = 0.0
    for _ in range(20):
        moves = [
            torch.tensor(rng.normal(size=(4, 4)), requires_grad=True) for _ in weights
        ]
        for _ in range(30):
            unit = [m / torch.linalg.matrix_norm(m, 2) * u for m in moves]
            moved = [w + v for w, v in zip(weights, unit, strict=True)]
            gap = (net(moved) - net(weights)).norm(dim=0).max()
            worst = max(worst, float(gap.detach()))
            for m, g in zip(moves, torch.autograd.grad(gap, moves), strict=True):
                m.data += 0.3 * g / g.norm().clamp(min=1e-12)

    assert 0.1 * tolerance < worst <= tolerance * (1 + 1e-12)


def test_biases_are_not_covered():
    found = certificate("neyshabur2018", wired(mlp(6, 5, 1, bias=True), (6,)), told(9))

    assert found.status == "invalid"
    assert "bias" in found.note


def test_several_outputs_tolerate_less():
    one, two, five = (
        certificate("neyshabur2018", wired(mlp(6, c), (6,)), told(10**6)).terms
        for c in (1, 2, 5)
    )

    assert all("KL_log10" in t for t in (one, two, five))
    assert five["KL_log10"] > one["KL_log10"]


def test_pooling_reaches_further_only_where_windows_overlap():
    def kl(window):
        module = cnn(1, nn.ReLU(), window)
        with torch.no_grad():
            module[-1].weight.fill_(1.0)
            module[-1].weight /= module[-1].weight.norm()
        network = wired(module, (1, 6))
        return certificate("neyshabur2018", network, told(100), gamma=1.0).terms

    assert kl(nn.MaxPool1d(2, 1))["KL_log10"] > kl(nn.MaxPool1d(2, 2))["KL_log10"]


def test_huge_norms_leave_a_logarithm():
    module = mlp(6, 5, 5, 1)
    for part in module.parameters():
        part.data *= 1e150
    found = certificate("neyshabur2018", wired(module, (6,)), told(100))

    assert found.value is None
    assert 400 < found.log10 < 500


def test_convolutions_need_an_architecture():
    found = certificate("neyshabur2018", stored(cnn()), told(100))

    assert found.status == "unavailable"
    assert "--input-shape" in found.note
