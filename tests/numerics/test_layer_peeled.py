"""Sums over batches: equal to the sample's, whatever the split, on any device."""

import math

import numpy as np
import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from boundkit.numerics.layer_peeled import (
    PeeledResiduals,
    PeeledSums,
    Tangent,
    extended,
    head_of,
    output_gradient,
)


def sample(seed=0, n=41, width=6, classes=4, scale=1.0):
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(n, width, generator=generator, dtype=torch.float64)
    labels = torch.randint(0, classes, (n,), generator=generator)
    weight = torch.randn(classes, width, generator=generator, dtype=torch.float64)
    bias = torch.randn(classes, generator=generator, dtype=torch.float64)
    return features, labels, scale * weight, scale * bias


def tangent_of(sums, scatter=True):
    return Tangent(
        pull=-0.3,
        log_scale=sums.log_scale,
        least_margin=sums.least_margin,
        scatter=scatter,
    )


def close(one, other):
    for name in one.__slots__:
        torch.testing.assert_close(
            getattr(one, name), getattr(other, name), rtol=1e-12, atol=1e-13
        )


def test_a_head_with_a_bias_is_one_column_wider():
    features, _, weight, bias = sample()
    head = head_of(weight.float(), bias.float())

    assert head.dtype == torch.float64
    torch.testing.assert_close(
        extended(features, head) @ head.mT,
        features @ weight.float().double().mT + bias.float().double(),
        rtol=1e-14,
        atol=1e-14,
    )
    assert extended(features, weight) is features


@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("scale", [0.01, 1.0, 40.0])
def test_sums_are_those_of_automatic_differentiation(biased, scale):
    features, labels, weight, bias = sample(scale=scale)
    head = head_of(weight, bias if biased else None).requires_grad_()
    wide = extended(features, head).requires_grad_()
    scores = wide @ head.mT
    scores.retain_grad()
    loss = torch.nn.functional.cross_entropy(scores, labels, reduction="sum")
    torch.autograd.backward(loss)
    truth = scores.gather(1, labels[:, None])
    rest = scores.scatter(1, labels[:, None], -torch.inf).amax(1)

    with torch.no_grad():
        sums = PeeledSums.of(features, labels, head)

    unit = sums.log_scale.exp()
    assert sums.log_loss.exp().item() == pytest.approx(loss.item(), rel=1e-13)
    assert sums.least_margin.item() == pytest.approx(
        (truth[:, 0] - rest).min().item(), rel=1e-13
    )
    assert sums.energy.item() == pytest.approx(
        features.square().sum().item(), rel=1e-13
    )
    assert sums.count.tolist() == torch.bincount(labels, minlength=4).tolist()
    torch.testing.assert_close(sums.gradient * unit, head.grad, rtol=1e-11, atol=1e-12)
    torch.testing.assert_close(
        sums.gram * unit**2, scores.grad.mT @ scores.grad, rtol=1e-11, atol=1e-12
    )


def test_residuals_are_those_of_automatic_differentiation():
    features, labels, weight, _ = sample()
    wide = features.clone().requires_grad_()
    loss = torch.nn.functional.cross_entropy(wide @ weight.mT, labels, reduction="sum")
    torch.autograd.backward(loss)
    sums = PeeledSums.of(features, labels, weight)
    unit = sums.log_scale.exp()
    terms = [
        torch.softmax(z, 0)[j] * (z[y] - z[j] - sums.least_margin)
        for z, y in zip(features @ weight.mT, labels, strict=True)
        for j in range(4)
        if j != y
    ]

    found = PeeledResiduals.of(features, labels, weight, tangent_of(sums))

    off = (wide.grad - -0.3 * unit * features).square().sum()
    assert (found.off_course * unit**2).item() == pytest.approx(off.item(), rel=1e-11)
    assert found.log_largest.exp().item() == pytest.approx(max(terms).item(), rel=1e-11)
    assert found.log_total.exp().item() == pytest.approx(sum(terms).item(), rel=1e-11)
    torch.testing.assert_close(
        found.scatter, features.mT @ features, rtol=1e-13, atol=1e-13
    )


@pytest.mark.parametrize("scale", [1.0, 300.0])
@pytest.mark.parametrize("size", [1, 7, 40])
def test_neither_batches_nor_order_matter(size, scale):
    features, labels, weight, bias = sample(scale=scale)
    head = head_of(weight, bias)
    order = torch.randperm(len(features), generator=torch.Generator().manual_seed(1))
    whole = PeeledSums.of(features, labels, head)
    tangent = tangent_of(whole)
    nothing = PeeledSums.of(features[:0], labels[:0], head)
    none = PeeledResiduals.of(features[:0], labels[:0], head, tangent)

    parts = [(features[i], labels[i]) for i in order.split(size)]

    close(sum((PeeledSums.of(*part, head) for part in parts), nothing), whole)
    close(
        sum((PeeledResiduals.of(*part, head, tangent) for part in parts), none),
        PeeledResiduals.of(features, labels, head, tangent),
    )


def test_two_states_of_nothing_are_nothing():
    features, labels, weight, _ = sample()
    nothing = PeeledSums.of(features[:0], labels[:0], weight)

    both = nothing + nothing

    assert both.log_loss.item() == -math.inf
    assert both.least_margin.item() == math.inf
    assert both.gradient.abs().sum().item() == 0
    close(
        both + PeeledSums.of(features, labels, weight),
        sums := PeeledSums.of(features, labels, weight),
    )
    assert sums.count.sum().item() == 41


def test_margins_of_thousands_neither_vanish_nor_overflow():
    head = torch.eye(2, dtype=torch.float64)
    features = torch.tensor([[5000.0, 0.0], [0.0, 4000.0]], dtype=torch.float64)
    labels = torch.tensor([0, 1])

    right = PeeledSums.of(features, labels, head)
    wrong = PeeledSums.of(features, 1 - labels, head)

    assert right.log_loss.item() == pytest.approx(-4000, rel=1e-15)
    assert right.log_scale.item() == pytest.approx(-4000, rel=1e-15)
    np.testing.assert_allclose(right.gram, [[1, -1], [-1, 1]], rtol=1e-14)
    assert wrong.log_loss.item() == pytest.approx(math.log(9000), rel=1e-15)
    assert wrong.least_margin.item() == -5000


def test_the_output_gradient_is_softmax_minus_one_hot():
    features, labels, weight, _ = sample()
    scores = features @ weight.mT
    one_hot = torch.nn.functional.one_hot(labels, 4)
    scale = torch.tensor(0.7, dtype=torch.float64)

    found = output_gradient(features, labels, weight, scale)

    torch.testing.assert_close(
        found * scale.exp(), torch.softmax(scores, 1) - one_hot, rtol=1e-12, atol=1e-13
    )


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_half_precision_is_summed_in_float64(dtype):
    features, labels, weight, _ = sample()

    found = PeeledSums.of(features.to(dtype), labels, weight)

    close(found, PeeledSums.of(features.to(dtype).double(), labels, weight))
    assert {getattr(found, name).dtype for name in found.__slots__} == {torch.float64}


def test_everything_stays_on_the_device_of_the_features():
    with FakeTensorMode():
        features = torch.empty(5, 7, device="cuda", dtype=torch.bfloat16)
        labels = torch.zeros(5, device="cuda", dtype=torch.int64)
        head = torch.empty(3, 8, device="cuda", dtype=torch.float64)
        sums = PeeledSums.of(features, labels, head)
        sums += PeeledSums.of(features, labels, head)
        tangent = Tangent(-0.5, sums.log_scale, sums.least_margin, scatter=True)
        residuals = PeeledResiduals.of(features, labels, head, tangent)
        residuals += PeeledResiduals.of(features, labels, head, tangent)

    for state in (sums, residuals):
        devices = {getattr(state, name).device.type for name in state.__slots__}
        assert devices == {"cuda"}
