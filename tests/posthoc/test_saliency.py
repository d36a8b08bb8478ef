from functools import cache

import pytest
import torch
from torch import nn

from boundkit.posthoc.saliency import input_moments, squared_gradients
from boundkit.posthoc.settled import settled


def generator():
    return torch.Generator().manual_seed(0)


def inputs(size=4000, width=3):
    x = torch.randn(size, width, generator=torch.Generator().manual_seed(1))
    return x * torch.tensor([0.5, 1.0, 2.0]) + torch.tensor([1.0, -2.0, 0.0])


def test_moments_are_those_of_the_inputs():
    x = inputs(500)
    net = settled(nn.Sequential(nn.Linear(3, 2)), (3,))

    found = input_moments(net, net.module, x)["0.weight"]

    torch.testing.assert_close(found.mean, x.double().mean(0), rtol=1e-9, atol=1e-12)
    expected = torch.cov(x.double().T, correction=0)
    torch.testing.assert_close(found.covariance, expected, rtol=1e-8, atol=1e-9)
    assert found.bias == "0.bias"


def test_without_a_bias_moments_are_about_zero():
    x = inputs(500)
    net = settled(nn.Sequential(nn.Linear(3, 2, bias=False)), (3,))

    found = input_moments(net, net.module, x)["0.weight"]

    expected = x.double().T @ x.double() / len(x)
    torch.testing.assert_close(found.covariance, expected, rtol=1e-8, atol=1e-9)
    assert found.bias is None


def test_positions_count_like_samples():
    net = settled(nn.Sequential(nn.Linear(3, 2)), (5, 3))
    x = inputs(500).reshape(100, 5, 3)

    found = input_moments(net, net.module, x)["0.weight"]

    expected = x.double().reshape(-1, 3).mean(0)
    torch.testing.assert_close(found.mean, expected, rtol=1e-9, atol=1e-12)


@cache
def fisher(bias):
    # Logistic regression: E p (1 - p) x^2, the inputs about their mean under a bias.
    module = nn.Sequential(nn.Linear(3, 2, bias=bias))
    with torch.no_grad():
        module[0].weight.zero_()
        if bias:
            module[0].bias.zero_()
    x = inputs(4000)
    net = settled(module, (3,))
    known = input_moments(net, net.module, x)
    return x, squared_gradients(net.module, net.values(), known, x, generator())


@pytest.mark.parametrize("bias", [True, False])
def test_it_is_the_fisher_information(bias):
    x, found = fisher(bias)
    about = x - x.mean(0) if bias else x
    expected = (about.square().mean(0) / 4).expand(2, 3)

    # Sums over eight samples are squared: 500 terms, so 6 percent, here five times.
    torch.testing.assert_close(found["0.weight"], expected, rtol=0.32, atol=0)


def test_a_bias_has_its_own():
    _, found = fisher(bias=True)

    # As above.
    torch.testing.assert_close(
        found["0.bias"], torch.full((2,), 0.25), rtol=0.32, atol=0
    )


def test_one_output_is_a_coin():
    module = nn.Sequential(nn.Linear(3, 1, bias=False))
    nn.init.zeros_(module[0].weight)
    net = settled(module, (3,))
    x = inputs(4000)

    found = squared_gradients(net.module, net.values(), {}, x, generator())

    # The loss is softplus(-2 y f), so a derivative is +-1 times x.
    expected = x.square().mean(0)[None]
    torch.testing.assert_close(found["0.weight"], expected, rtol=0.32, atol=0)


def test_what_has_no_derivative_is_left_out():
    net = settled(nn.Sequential(nn.Linear(3, 2)), (3,))
    values = {**net.values(), "unused": torch.zeros(4)}

    found = squared_gradients(net.module, net.values(), {}, inputs(64), generator())

    assert set(found) == set(values) - {"unused"}


def test_a_deadline_leaves_a_few_samples():
    net = settled(nn.Sequential(nn.Linear(3, 2)), (3,))
    x = inputs(4000)

    late = squared_gradients(net.module, net.values(), {}, x, generator(), 0.0)
    few = squared_gradients(net.module, net.values(), {}, x[:256], generator())

    assert torch.equal(late["0.weight"], few["0.weight"])
