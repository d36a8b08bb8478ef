from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from boundkit.lab.dynamics.flow_net import (
    Sample,
    fixed_norm_slopes,
    free_slopes,
    joined,
    margins_of,
    pulled,
    random_directions,
    split,
)


def sample_of(n=14, d=6, seed=0, rounding=0.0):
    generator = np.random.default_rng(seed)
    inputs = generator.standard_normal((n, d))
    inputs /= np.linalg.norm(inputs, axis=1)[:, None]
    return Sample("made", inputs, np.where(np.arange(n) % 2, 1.0, -1.0), rounding)


def torch_loss(layers, sample, rho, decay):
    """The loss of P1 (1) with torch's own ReLU and derivatives."""
    h = torch.from_numpy(sample.inputs)
    for layer in layers[:-1]:
        z = h @ layer.T
        if sample.rounding:
            q = sample.rounding * h.norm(dim=1, keepdim=True) * layer.norm()
            h = (z + (z**2 + q**2).sqrt()) / 2
        else:
            h = torch.relu(z)
    f = (h @ layers[-1].T)[:, 0] * torch.from_numpy(sample.signs)
    return ((1 - rho * f) ** 2).mean() + decay * rho**2


@pytest.mark.parametrize("rounding", [0.0, 0.05, 0.7])
@pytest.mark.parametrize("widths", [(), (5,), (5, 4), (4, 3, 3)])
def test_slopes_are_the_tangent_part_of_torchs_gradient(widths, rounding):
    sample = sample_of(rounding=rounding)
    layers, _ = random_directions(widths, sample, 1)
    rho, decay = 2.5, 0.03
    given = [torch.tensor(layer, requires_grad=True) for layer in layers]
    scale = torch.tensor(rho, dtype=torch.float64, requires_grad=True)
    torch_loss(given, sample, scale, decay).backward()

    found = fixed_norm_slopes(rho, layers, sample, decay)

    np.testing.assert_allclose(found.rho, -scale.grad.item(), rtol=1e-12, atol=1e-14)
    for slope, weight, layer in zip(found.layers, given, layers, strict=True):
        gradient = weight.grad.numpy()
        tangent = -(gradient - np.vdot(gradient, layer) * layer)
        np.testing.assert_allclose(slope, tangent, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("rounding", [0.0, 0.1])
@pytest.mark.parametrize("decay", [0.0, 0.02])
def test_the_free_flow_is_torchs_gradient(decay, rounding):
    sample = sample_of(rounding=rounding)
    layers = [1.3 * layer for layer in random_directions((5, 4), sample, 2)[0]]
    given = [torch.tensor(layer, requires_grad=True) for layer in layers]
    rho = torch.stack([layer.norm() for layer in given]).prod()
    (torch_loss(given, sample, 1.0, 0.0) + decay * rho**2).backward()

    for slope, weight in zip(free_slopes(layers, sample, decay), given, strict=True):
        np.testing.assert_allclose(slope, -weight.grad.numpy(), rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("rounding", [0.0, 0.05, 1.0])
def test_outputs_are_homogeneous_in_every_layer(rounding):
    sample = sample_of(rounding=rounding)
    layers, _ = random_directions((5, 4), sample, 3)
    margins = margins_of(layers, sample)

    for at in range(3):
        scaled = [3.0 * each if at == k else each for k, each in enumerate(layers)]
        np.testing.assert_allclose(
            margins_of(scaled, sample), 3 * margins, rtol=1e-12, atol=0
        )


@pytest.mark.parametrize("rounding", [0.0, 0.05])
def test_all_layers_have_one_multiplier(rounding):
    """P1 Lemma 2 and (4): nu_k = mean rho fb (1 - rho fb), whatever the layer."""
    sample = sample_of(rounding=rounding)
    layers, _ = random_directions((5, 4), sample, 4)
    found = fixed_norm_slopes(1.7, layers, sample, 0.1)
    fb = found.margins

    expected = np.mean(1.7 * fb * (1 - 1.7 * fb))
    np.testing.assert_allclose(found.multipliers, expected, rtol=1e-10, atol=0)


def test_the_second_form_of_eq_4_as_printed_is_wrong():
    sample = sample_of()
    layers, _ = random_directions((5,), sample, 4)
    found = fixed_norm_slopes(1.7, layers, sample, 0.1)
    printed = np.mean(1.7 * found.margins * (1 - 1.7 * found.margins * sample.signs))

    assert abs(found.multipliers[0] - printed) > 1e-3


def test_unit_layers_move_along_the_sphere():
    sample = sample_of(rounding=0.05)
    layers, _ = random_directions((5, 4), sample, 5)

    for layer, slope in zip(
        layers, fixed_norm_slopes(4.0, layers, sample, 0.0).layers, strict=True
    ):
        assert abs(np.vdot(layer, slope)) < 1e-15
        assert np.linalg.norm(slope) > 1e-4


def test_a_linear_net_on_one_input_by_hand():
    sample = Sample("one", np.array([[0.6, 0.8]]), np.array([-1.0]))
    layers = (np.array([[0.0, -1.0]]),)
    margins, (gradient,) = pulled(layers, sample, 2.0)

    assert margins.tolist() == pytest.approx([0.8], rel=1e-15)
    # 2 (1 - 2 * 0.8) y x
    assert gradient.ravel().tolist() == pytest.approx([0.72, 0.96], rel=1e-14)


def test_rounding_goes_to_relu():
    plain = sample_of()
    layers, _ = random_directions((5, 4), plain, 6)
    gaps = [
        np.abs(
            margins_of(layers, replace(plain, rounding=s)) - margins_of(layers, plain)
        ).max()
        for s in (1e-2, 1e-3, 1e-5)
    ]

    assert gaps[0] > gaps[1] > gaps[2]
    assert gaps[2] < 1e-5


def test_directions_have_norm_one_and_a_mean_margin_that_is_not_negative():
    sample = sample_of()
    flips = set()
    for seed in range(8):
        layers, negated = random_directions((5,), sample, seed)
        flips.add(negated)
        assert [layer.shape for layer in layers] == [(5, 6), (1, 5)]
        np.testing.assert_allclose(
            [np.linalg.norm(each) for each in layers], 1.0, rtol=1e-14
        )
        assert margins_of(layers, sample).mean() >= 0
    assert flips == {True, False}


def test_flat_states_come_apart_again():
    layers = [np.arange(6.0).reshape(2, 3), np.arange(2.0).reshape(1, 2)]
    again = split(np.append(joined(layers), 9.0), [(2, 3), (1, 2)])

    for one, other in zip(layers, again, strict=True):
        np.testing.assert_array_equal(one, other)
