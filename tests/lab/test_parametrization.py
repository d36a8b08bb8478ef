import pytest
import torch
from torch._subclasses import FakeTensorMode

from boundkit.lab.parametrization import (
    lagrange_step,
    plain_step,
    tangent,
    unit,
    weight_step,
)


def drawn(*shape, seed=0):
    source = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=source, dtype=torch.float64)


def test_plain_steps_are_those_of_torch():
    weight = drawn(3, 4)
    theirs = torch.nn.Parameter(weight.clone())
    optimizer = torch.optim.SGD([theirs], lr=0.1, momentum=0.8)
    velocity = torch.zeros_like(weight)

    for seed in range(5):
        gradient = drawn(3, 4, seed=seed + 1)
        theirs.grad = gradient
        optimizer.step()
        weight, velocity = plain_step(weight, velocity, gradient, 0.1, 0.8)

    torch.testing.assert_close(weight, theirs.detach(), rtol=1e-12, atol=0)


def test_tangents_are_orthogonal():
    normal, vector = unit(drawn(2, 3, 3)), drawn(2, 3, 3, seed=1)

    found = tangent(vector, normal)

    assert abs((found * normal).sum()) < 1e-15
    torch.testing.assert_close(tangent(found, normal), found, rtol=1e-12, atol=1e-15)


def test_a_lagrange_step_turns_by_the_arctangent():
    # From (1, 0) along (0, -1): tan(angle) = rate times the tangential gradient, whatever
    # the radial part is.
    weight, zero = torch.tensor([1.0, 0.0]).double(), torch.zeros(2).double()

    found, _ = lagrange_step(weight, zero, torch.tensor([5.0, -2.0]).double(), 0.1, 0.0)

    angle = torch.atan(torch.tensor(0.2, dtype=torch.float64))
    expected = torch.stack([angle.cos(), angle.sin()])
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=0)


def test_norms_stay_one_over_many_steps():
    weight, velocity = unit(drawn(5, 5).float()), torch.zeros(5, 5)

    for seed in range(200):
        gradient = drawn(5, 5, seed=seed).float()
        weight, velocity = lagrange_step(weight, velocity, gradient, 0.1, 0.9)

    assert abs(float(weight.double().norm()) - 1) < 2e-7


def test_weight_steps_are_those_of_torchs_weight_normalization():
    layer = torch.nn.Linear(4, 3, bias=False).double()
    layer.weight.data = unit(drawn(3, 4))
    weight, velocity = layer.weight.detach().clone(), torch.zeros(3, 4).double()
    length = torch.ones(()).double()
    target = drawn(3, 4, seed=9)
    # dim=None: one norm for the whole matrix.
    layer = torch.nn.utils.parametrizations.weight_norm(layer, dim=None)
    g, v = (
        layer.parametrizations.weight.original0,
        layer.parametrizations.weight.original1,
    )
    g.requires_grad_(requires_grad=False)
    optimizer = torch.optim.SGD([v], lr=0.3, momentum=0.5)

    for _ in range(20):
        optimizer.zero_grad()
        (layer.weight**3 - target).square().sum().backward()
        optimizer.step()
        gradient = 6 * (weight**3 - target) * weight**2
        weight, velocity, length = weight_step(
            weight, velocity, length, gradient, 0.3, 0.5
        )

    torch.testing.assert_close(weight, layer.weight.detach(), rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(length, v.detach().norm(), rtol=1e-10, atol=0)


def test_lengths_grow_by_the_squared_step():
    weight, one = unit(drawn(6)), torch.ones(()).double()
    gradient = drawn(6, seed=1)

    _, _, found = weight_step(weight, torch.zeros(6).double(), one, gradient, 0.2, 0.0)

    expected = (1 + 0.04 * tangent(gradient, weight).square().sum()).sqrt()
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=0)


def flow(rate, momentum=0.0):
    """Follow both normalizations for the same time on a quadratic, return their gap."""
    matrix = drawn(8, 8, seed=2)
    matrix = matrix @ matrix.T / 8
    first = second = unit(drawn(8, seed=3))
    slow = fast = torch.zeros(8).double()
    length = torch.ones(()).double()
    for _ in range(round(2 / rate)):
        first, slow = lagrange_step(first, slow, matrix @ first, rate, momentum)
        second, fast, length = weight_step(
            second, fast, length, matrix @ second, rate, momentum
        )
    return float((first - second).norm())


@pytest.mark.parametrize("momentum", [0.0, 0.5])
def test_both_normalizations_agree_to_first_order_in_the_rate(momentum):
    gaps = [flow(rate, momentum) for rate in (0.02, 0.01, 0.005)]

    # Halving the rate halves the gap; what is left over is of second order.
    assert gaps[0] / gaps[1] == pytest.approx(2, abs=0.2)
    assert gaps[1] / gaps[2] == pytest.approx(2, abs=0.1)


def test_both_normalizations_agree_in_the_first_step():
    weight, zero = unit(drawn(5)), torch.zeros(5).double()
    gradient = drawn(5, seed=1)

    first, _ = lagrange_step(weight, zero, gradient, 0.4, 0.9)
    second, _, _ = weight_step(
        weight, zero, torch.ones(()).double(), gradient, 0.4, 0.9
    )

    torch.testing.assert_close(first, second, rtol=1e-12, atol=1e-15)


def test_steps_stay_on_their_device():
    with FakeTensorMode(), torch.device("cuda"):
        weight, velocity, length = torch.zeros(3, 4), torch.zeros(3, 4), torch.ones(())

        found = [
            *plain_step(weight, velocity, weight, 0.1, 0.9),
            *lagrange_step(weight, velocity, weight, 0.1, 0.9),
            *weight_step(weight, velocity, length, weight, 0.1, 0.9),
        ]

        assert {each.device.type for each in found} == {"cuda"}
