"""The descent direction: the loss really falls, at fixed norm, as fast as it says."""

import math

import numpy as np
import pytest
import torch

from boundkit.measure.layer_peeled import layer_peeled

EXAMPLE = torch.tensor(
    [[1, -1, 0, 0], [-1, 1, 0, 0], [0, 0, 1, -1], [0, 0, -1, 1]], dtype=torch.float64
)


def measured(weight, features, labels, bias=None):
    return layer_peeled(lambda: [(features, labels)], weight, bias)


def loss_after(found, features, labels, arc):
    """Return loss and squared norm after a walk."""
    head, moved = found.moved(features, labels, arc)
    loss = torch.nn.functional.cross_entropy(moved @ head.mT, labels, reduction="sum")
    return loss.item(), (head.square().sum() + moved.square().sum()).item()


def at_random(seed, separated):
    rng = np.random.default_rng(seed)
    labels = torch.tensor(rng.integers(0, 4, size=30))
    weight = torch.tensor(rng.normal(size=(4, 6)))
    features = torch.tensor(rng.normal(size=(30, 6)))
    return weight, features + (2 * weight[labels] if separated else 0), labels


@pytest.mark.parametrize("separated", [False, True])
@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_following_the_tangent_lowers_the_loss_as_fast_as_it_says(
    seed, biased, separated
):
    weight, features, labels = at_random(seed, separated)
    bias = torch.linspace(-1, 1, 4, dtype=torch.float64) if biased else None
    found = measured(weight, features, labels, bias)
    start, norm = loss_after(found, features, labels, 0.0)
    radius = math.sqrt(norm)

    ahead, after = loss_after(found, features, labels, 1e-4)
    behind, _ = loss_after(found, features, labels, -1e-4)

    assert found.descent.kind == "tangent"
    assert start == pytest.approx(found["loss"], rel=1e-12)
    assert ahead < start < behind
    assert after == pytest.approx(norm, rel=1e-12)
    # Central differences of step 1e-4 are good to its square.
    slope = (ahead - behind) / 2e-4
    assert found.descent.slope == pytest.approx(slope, rel=1e-5)
    relative = found.descent.slope * radius / start
    assert found.descent.relative_slope == pytest.approx(relative, rel=1e-12)
    assert found.descent.curvature is None


@pytest.mark.parametrize("seed", range(5))
def test_no_tangent_direction_is_steeper(seed):
    weight, features, labels = at_random(seed, separated=True)
    found = measured(weight, features, labels)
    point = torch.cat([weight.flatten(), features.flatten()]).requires_grad_()
    w, h = point[: weight.numel()].view(4, 6), point[weight.numel() :].view(30, 6)
    loss = torch.nn.functional.cross_entropy(h @ w.mT, labels, reduction="sum")
    (slopes,) = torch.autograd.grad(loss, point)
    theta = point.detach()
    tangent = slopes - (slopes @ theta) / (theta @ theta) * theta

    assert found.descent.slope == pytest.approx(-tangent.norm().item(), rel=1e-10)


def test_example_31_has_a_direction_of_second_order():
    labels = torch.arange(4)
    found = measured(EXAMPLE, EXAMPLE, labels)
    step = 1e-3

    losses = [loss_after(found, EXAMPLE, labels, x)[0] for x in (-step, 0, step, 1.0)]

    e = math.exp(-2)
    pull = (2 + 2 * e) / (2 + e + math.exp(2))
    slopes = torch.softmax(EXAMPLE @ EXAMPLE.mT, 1) - torch.eye(4)
    largest = torch.linalg.svdvals(slopes)[0].item()
    assert pull == pytest.approx(0.2384058, rel=1e-6)
    assert largest == pytest.approx(0.4199744, rel=1e-6)
    assert found.descent.kind == "second order"
    assert found.descent.slope == 0
    assert found.descent.curvature == pytest.approx(pull - largest, rel=1e-12)
    curvature = (losses[0] - 2 * losses[1] + losses[2]) / step**2
    # Second differences of step 1e-3.
    assert found.descent.curvature == pytest.approx(curvature, rel=1e-5)
    relative = found.descent.curvature * 16 / found["loss"]
    assert found.descent.relative_curvature == pytest.approx(relative, rel=1e-12)
    assert losses[3] < losses[1]


def test_a_point_that_should_shrink_has_a_direction_of_second_order():
    """With lam > 0 the curvature is -(s + lam): steeper than with |lam| for -lam."""
    labels = torch.arange(4)
    found = measured(-EXAMPLE, EXAMPLE, labels)
    step = 1e-3

    before, start, after = (
        loss_after(found, EXAMPLE, labels, x)[0] for x in (-step, 0, step)
    )

    assert found["alignment"] == pytest.approx(-1, rel=1e-12)
    assert found.descent.kind == "second order"
    # Second differences of step 1e-3.
    curvature = (before - 2 * start + after) / step**2
    assert found.descent.curvature == pytest.approx(curvature, rel=1e-5)


@pytest.mark.parametrize(
    ("dtype", "scale"),
    [(torch.float32, 1.0), (torch.float64, 1.0), (torch.float64, 50.0)],
)
def test_there_is_none_at_the_optimum(dtype, scale):
    basis = torch.linalg.qr(torch.randn(6, 4, dtype=torch.float64))[0]
    weight = scale * (torch.eye(4, dtype=torch.float64) - 0.25) @ basis.mT
    features = (weight / math.sqrt(2)).repeat_interleave(2, 0)
    labels = torch.arange(4).repeat_interleave(2)

    found = measured(weight.to(dtype), features.to(dtype), labels)

    assert found.descent.kind == "none"
    assert "smallest on the sphere" in found.descent.reason
    assert found.moved(features, labels, 0.1) is None


def test_a_collapsed_point_of_unequal_norms_is_no_optimum():
    weight = torch.eye(3, dtype=torch.float64) - 1 / 3

    found = measured(2 * weight, weight, torch.arange(3))

    assert found["margin_efficiency"] < 1
    assert found["margin_efficiency_scale_free"] == pytest.approx(1, rel=1e-12)
    assert found.descent.kind == "tangent"


def test_too_few_dimensions_leave_no_room_for_second_order():
    angles = torch.arange(8, dtype=torch.float64) * math.pi / 4
    weight = 2 * torch.stack([angles.cos(), angles.sin()], 1)

    found = measured(weight, weight, torch.arange(8))

    assert found.descent.kind == "none"
    assert "leave none of 2 dimensions free" in found.descent.reason


def test_at_zero_there_is_no_sphere():
    zero = torch.zeros(3, 4)

    found = measured(zero, zero, torch.arange(3))

    assert found.descent.reason == "every weight and every feature is zero"


def test_a_direction_holds_beyond_the_range_of_exp():
    """Losses of exp(-4000) still have a direction, and a relative slope."""
    weight, features, labels = at_random(0, separated=True)
    scale = 4000 / measured(weight, features, labels)["least_margin"]
    features = abs(scale) * features + 20 * abs(scale) * weight[labels]

    found = measured(weight, features, labels)
    ahead, behind = (
        measured(*found.moved(features, labels, arc), labels)["log10_loss"]
        for arc in (1e-7, -1e-7)
    )

    radius = math.sqrt((weight.square().sum() + features.square().sum()).item())
    slope = math.log(10) * (ahead - behind) / 2e-7 * radius
    assert found["log10_loss"] < -1000
    # Central differences: the loss is exp(-margin), and margins are large.
    assert found.descent.relative_slope == pytest.approx(slope, rel=1e-4)


def test_in_very_many_dimensions_a_free_one_is_not_sought(monkeypatch):
    monkeypatch.setattr("boundkit.measure.layer_peeled._WIDEST", 3)

    found = measured(EXAMPLE, EXAMPLE, torch.arange(4))

    assert found.descent.kind == "none"
    assert "one of 4 dimensions free" in found.descent.reason
    assert found["alignment"] is not None
