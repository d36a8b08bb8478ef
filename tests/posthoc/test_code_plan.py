import numpy as np
import pytest
import torch
from torch import nn

from boundkit.posthoc.code_plan import as_code, factors, numbers, opened, planned, put
from boundkit.posthoc.coded import decoded
from boundkit.posthoc.saliency import input_moments, squared_gradients
from boundkit.posthoc.settled import settled


def case(rank, center="zero"):
    torch.manual_seed(0)
    net = settled(nn.Sequential(nn.Linear(30, 20), nn.ReLU(), nn.Linear(20, 2)), (30,))
    x = torch.randn(256, 30) - 1
    values = net.values()
    inputs = input_moments(net, net.module, x)
    saliency = squared_gradients(
        net.module, values, inputs, x, torch.Generator().manual_seed(0)
    )
    centers = {n: torch.zeros_like(v) for n, v in values.items()}
    if center == "init":
        centers = {n: torch.full_like(v, 0.01) for n, v in values.items()}
    return net, x, inputs, planned(values, center, centers, saliency, inputs, rank)


@pytest.mark.parametrize(
    ("shape", "rank", "expected"),
    [
        ((20, 30), 4, True),
        ((20, 30), 8, False),
        ((20, 30), 0, False),
        ((3, 100), 4, False),
        ((20, 3, 3, 3), 1, False),
    ],
)
def test_factors_must_save_numbers(shape, rank, expected):
    assert factors(shape, rank) is expected


@pytest.mark.parametrize("center", ["zero", "init"])
def test_an_unquantized_plan_is_the_network(center):
    net, _, _, plan = case(0, center)
    found = put(plan, [part.values for part in plan.parts])

    for name, value in net.values().items():
        torch.testing.assert_close(found[name], value.double(), rtol=1e-12, atol=1e-12)


def test_a_bias_makes_up_for_the_mean_of_what_a_rank_loses():
    net, x, inputs, plan = case(2)
    found = put(plan, [part.values for part in plan.parts])
    first = nn.functional.linear(x.double(), found["0.weight"], found["0.bias"])
    exact = net.module[0](x).double()

    assert [part.tensor for part in plan.parts][:2] == ["0.weight", "0.weight"]
    assert plan.ranks == {"0.weight": 2}
    # The module computes in float32.
    torch.testing.assert_close(first.mean(0), exact.mean(0), rtol=0, atol=1e-5)
    assert inputs["0.weight"].bias == "0.bias"


@pytest.mark.parametrize("rank", [0, 2])
@pytest.mark.parametrize("center", ["zero", "init"])
def test_the_code_stands_for_the_same_weights(rank, center):
    _, _, inputs, plan = case(rank, center)
    plan, books = opened(plan, inputs, 1e-5)
    expected = put(plan, numbers(plan.parts, books))
    centers = {n: v.numpy().astype(np.float32) for n, v in plan.centers.items()}

    found = decoded(as_code(plan, books), centers)

    for name, value in expected.items():
        # Sums of products may round otherwise, in the last bit of a float32.
        np.testing.assert_allclose(found[name], value.numpy(), rtol=1e-6, atol=1e-9)


def test_a_low_price_keeps_the_outputs():
    net, x, inputs, plan = case(0)
    plan, books = opened(plan, inputs, 1e-9)
    tensors = put(plan, [v.float() for v in numbers(plan.parts, books)])
    outputs = torch.func.functional_call(net.module, tensors, (x,))

    # Seventeen levels for each tensor: a tenth of the spread of the outputs.
    off, own = (outputs - net.module(x)).detach(), net.module(x).detach()
    assert float(off.std()) < 0.1 * float(own.std())


def test_what_has_no_saliency_keeps_relative_accuracy():
    values = {"w": torch.tensor([1.0, 2.0, 100.0])}
    plan = planned(values, "zero", {"w": torch.zeros(3)}, {}, {}, 0)

    expected = 1 / (values["w"].double().square() + 10005 / 3)

    torch.testing.assert_close(plan.parts[0].weights, expected, rtol=1e-9, atol=0)
