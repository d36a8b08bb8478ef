"""How much noise a network stands: closed form, reference, laws."""

import copy
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import norm
from torch import nn

from boundkit.data import open_data
from boundkit.measure import largest_noise as module_under_test
from boundkit.measure.largest_noise import largest_noise, noisy_accuracy, sharpness
from tests.certify.examples import mlp, stored, wired


def circle(n=400):
    """Points on a circle, labeled by the side of a line."""
    angles = (np.arange(n) + 0.5) * 2 * np.pi / n
    x = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return torch.tensor(x, dtype=torch.float32), torch.tensor(np.sign(x[:, 0])).long()


def line():
    """The line (1, 0), as a network."""
    module = nn.Linear(2, 1, bias=False).double()
    with torch.no_grad():
        module.weight.copy_(torch.tensor([[1.0, 0.0]]))
    return module


def found(network, x, y, seed=0, **settings):
    samples = open_data((x.numpy(), y.numpy()), "train")
    generator = np.random.default_rng(seed)
    return sharpness(network, samples, generator, device="cpu", **settings)


def test_a_line_turned_by_noise_errs_by_the_angle():
    x, y = circle()
    network, sigma, seed = wired(line(), (2,)), 0.4, 5
    noise = torch.randn(1, 2, generator=torch.Generator().manual_seed(seed)).numpy()[0]
    turned = np.array([1.0, 0.0]) + sigma * noise
    angle = abs(math.atan2(turned[1], turned[0]))

    accuracy = noisy_accuracy(network, x, y, sigma, None, seed, 64)

    np.testing.assert_allclose(accuracy, 1 - angle / np.pi, rtol=0.01)


def test_relative_noise_on_one_entry_is_computed_by_hand():
    x, y = circle()
    network, sigma, seed, epsilon = wired(line(), (2,)), 0.4, 5, 0.3
    noise = torch.randn(1, 2, generator=torch.Generator().manual_seed(seed)).numpy()[0]
    scale = [math.hypot(sigma, epsilon), epsilon]
    turned = np.array([1.0, 0.0]) + scale * noise
    right = np.mean(np.sign(x.numpy() @ turned) == y.numpy())

    accuracy = noisy_accuracy(network, x, y, sigma, epsilon, seed, 64)

    np.testing.assert_allclose(accuracy, right, rtol=1e-12)


def test_biases_are_perturbed_too():
    module = nn.Linear(2, 1).double()
    with torch.no_grad():
        module.weight.zero_()
        module.bias.fill_(1.0)
    x, y = circle()
    generator = torch.Generator().manual_seed(3)
    torch.randn(1, 2, generator=generator)
    noise = float(torch.randn(1, generator=generator))
    sigma = -2 / noise if noise < 0 else 2 / noise

    # Weights of zero get no relative noise, so that the bias alone decides.
    accuracy = noisy_accuracy(wired(module, (2,)), x, y, sigma, 0.0, 3, 64)

    assert accuracy == 0.5


@pytest.mark.parametrize("scale", [1e-3, 0.1, 1.0, 30.0])
def test_bisection_finds_where_a_known_accuracy_falls_by_a_tenth(scale):
    # A margin of 1 under noise of size s is lost with probability Phi(-1 / s).
    one = largest_noise(lambda s, _: float(norm.cdf(-scale / s)), 1.0)

    np.testing.assert_allclose(one.sigma, -scale / norm.ppf(0.1), rtol=0.03)
    assert one.spread == 0


def test_spread_is_that_of_draws_over_the_slope():
    offsets = np.linspace(-0.02, 0.02, 8)
    one = largest_noise(lambda s, k: 0.1 + 0.05 * math.log(s) + offsets[k], 1.0)
    expected = offsets.std(ddof=1) / math.sqrt(8) / 0.05

    np.testing.assert_allclose(one.sigma, 1, rtol=0.03)
    np.testing.assert_allclose(one.spread, expected, rtol=1e-9)


def test_no_slope_no_spread():
    one = largest_noise(lambda s, _: 0.05 if s < 1 else 0.2 * (not 1.2 < s < 1.3), 1.0)

    np.testing.assert_allclose(one.sigma, 1, rtol=0.03)
    assert one.spread is None


@pytest.mark.parametrize("drop", [0.0, 0.5])
def test_accuracy_that_never_or_always_falls_has_no_largest_noise(drop):
    assert largest_noise(lambda *_: drop, 1.0) is None


def test_draws_that_cannot_matter_are_not_made():
    seen = []

    def drop(_, k):
        seen.append(k)
        return 1.0

    assert largest_noise(drop, 1.0) is None
    assert set(seen) == {0}


def test_the_seed_decides():
    x, y = circle()
    network = wired(line(), (2,))

    assert found(network, x, y) == found(network, x, y)
    assert found(network, x, y) != found(network, x, y, seed=1)
    assert found(network, x, y) == found(network, x, y, batch_size=7)


def test_noise_grows_with_the_weights_of_a_homogeneous_network(monkeypatch):
    monkeypatch.setattr(module_under_test, "EPSILON", 0.0)
    module = mlp(2, 8, 1)
    x, _ = circle(200)
    with torch.no_grad():
        outputs = module(x.double())[:, 0]
    y = torch.where(outputs > outputs.median(), 1, -1)
    large = copy.deepcopy(module)
    for part in large.parameters():
        part.data.mul_(2)
    small_found, _ = found(wired(module, (2,)), x, y)
    large_found, _ = found(wired(large, (2,)), x, y)

    assert small_found[1] == large_found[1]
    np.testing.assert_allclose(
        large_found[0].sigma, 2 * small_found[0].sigma, rtol=0.05
    )


def test_progress_counts_passes():
    x, y = circle()
    calls = []
    found(wired(line(), (2,)), x, y, progress=lambda *call: calls.append(call))

    assert calls[0] == (1, None, "sharpness")
    assert [call[0] for call in calls] == list(range(1, len(calls) + 1))


def test_only_so_many_samples_are_kept():
    x, _ = circle(2400)
    network = wired(line(), (2,))
    _, notices = found(network, x, torch.where(torch.arange(2400) < 2000, 1, -1))

    assert [n.code for n in notices] == ["no-sharpness"]
    assert "first 2000 samples are of one class" in notices[0].message


def test_a_slow_pass_is_said(monkeypatch):
    monkeypatch.setattr(module_under_test, "_PATIENCE", -1.0)
    both, (notice,) = found(wired(line(), (2,)), *circle())

    assert both == (None, None)
    assert notice.code == "no-sharpness"
    assert "a pass over 400 samples takes" in notice.message


@pytest.mark.parametrize(
    "network",
    [
        stored(line()),
        replace(wired(line(), (2,)), doubts=("it differs",)),
        wired(nn.Sequential(nn.Linear(2, 2), nn.Softmax(1)).double(), (2,)),
    ],
)
def test_what_is_not_described_is_left_alone(network):
    assert found(network, *circle()) == ((None, None), ())
