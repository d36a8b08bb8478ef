"""Every tensor of draw, code and holdout stays on the device that it is given.

Meta tensors have a device and a shape but no values, and torch refuses to mix them with
those of a CPU. Unlike fake CUDA tensors they have gradients without a build for CUDA. What
counts or compares ends where a value is asked for.
"""

import pytest
import torch
from torch import nn

from boundkit.posthoc.bridge import disagreements
from boundkit.posthoc.closed_form import stationary
from boundkit.posthoc.code_plan import as_code, opened, planned, put
from boundkit.posthoc.code_refine import trained
from boundkit.posthoc.coordinates import coordinates_of
from boundkit.posthoc.counting import counted
from boundkit.posthoc.gaussians import Posterior, divergence, log_ratio
from boundkit.posthoc.objective import Task, slope
from boundkit.posthoc.refinement import _Descent
from boundkit.posthoc.saliency import Inputs, squared_gradients
from boundkit.posthoc.settled import settled
from tests.posthoc.nets import mlp

OTHER = torch.device("meta")
BATCH = 40


def moved(module):
    for part in module.modules():
        for name, value in list(part._parameters.items()):
            part._parameters[name] = nn.Parameter(value.to(OTHER), requires_grad=False)
    return module


def vectors(size, count):
    return [torch.empty(size, device=OTHER) for _ in range(count)]


def batch():
    labels = torch.empty(BATCH, dtype=torch.int64, device=OTHER)
    return torch.empty(BATCH, 6, device=OTHER), labels


def task(net):
    size = sum(net.sizes)
    groups = torch.empty(size, dtype=torch.int64, device=OTHER)
    return Task(net, *vectors(size, 1), groups, *batch(), 600, 20.0, 1.0)


def devices(*tensors):
    return {tensor.device.type for tensor in tensors}


def search_net():
    return coordinates_of(settled(mlp(), (6,)))


def test_a_slope_of_draw():
    net = search_net()
    moved(net.module)
    todo = task(net)
    found = slope(todo, *vectors(sum(net.sizes), 2), 30, None)

    assert devices(found.mean, found.log_scale, found.loss, found.wrong) == {"meta"}


@pytest.mark.parametrize("done", [0.0, 0.9])
def test_a_step_of_draw(done):
    net = search_net()
    moved(net.module)
    descent = _Descent(task(net), Posterior(*vectors(sum(net.sizes), 2)), 1.0)
    descent.slow_down(done)

    descent.advance(None)

    found = descent.posterior(kept=False)
    assert devices(found.mean, found.log_scale, *descent._seen) == {"meta"}


def test_scales_of_draw():
    size = 83
    groups = torch.empty(size, dtype=torch.int64, device=OTHER)
    mean, scales, center, precision = vectors(size, 4)
    found = stationary(
        Posterior(mean, scales), center, groups, 4, precision, shrink=True
    )

    assert devices(found.mean, found.log_scale) == {"meta"}


def test_ratios_of_draw():
    from boundkit.posthoc.gaussians import Prior

    mean, scales, center, h = vectors(83, 4)
    prior = Prior(center, *vectors(4, 1), torch.empty(83, dtype=torch.int64).to(OTHER))
    posterior = Posterior(mean, scales)

    found = (log_ratio(h, posterior, prior), divergence(posterior, prior))
    assert devices(*found) == {"meta"}


def test_errors_are_counted_up_to_the_last_number():
    net = moved(mlp())
    choices = [{}, {"0.weight": torch.empty(8, 6)}]
    seen = []

    # The number itself is what meta tensors do not have.
    with pytest.raises(NotImplementedError, match="meta"):
        counted(
            net, choices, [batch()], OTHER, progress=lambda *told: seen.append(told)
        )

    assert seen == [(BATCH, None, "counting errors")]


def test_disagreements_are_counted_up_to_the_last_number():
    with pytest.raises(NotImplementedError, match="meta"):
        disagreements(moved(mlp()), moved(mlp()), [batch()], OTHER)


def test_curvature_of_code():
    net = moved(mlp())
    values = dict(net.named_parameters())
    mean, square = torch.empty(6, device=OTHER), torch.empty(6, 6, device=OTHER)
    inputs = {"0.weight": Inputs(mean.double(), square.double(), "0.bias")}
    source = torch.Generator().manual_seed(0)
    found = squared_gradients(net, values, inputs, batch()[0], source)

    assert devices(*found.values()) == {"meta"}


def plan_of(net):
    values = {name: value.detach() for name, value in net.named_parameters()}
    zeros = {name: torch.zeros_like(value) for name, value in values.items()}
    return planned(values, "zero", zeros, zeros, {}, 0)


def books_of(plan):
    size = [part.values.numel() for part in plan.parts]
    return tuple(
        (
            torch.empty(5, dtype=torch.float64, device=OTHER),
            torch.empty(n, dtype=torch.int64, device=OTHER),
        )
        for n in size
    )


def test_a_segment_of_code():
    net = moved(mlp())
    plan = plan_of(net)
    found = trained(
        net,
        plan,
        books_of(plan),
        *batch(),
        price=1e-5,
        scale=1.0,
        steps=2,
        rates=(1e-3, 1e-4),
        deadline=float("inf"),
        generator=torch.Generator().manual_seed(0),
    )

    assert devices(*(part.values for part in found.parts)) == {"meta"}
    values = put(found, [part.values for part in found.parts])
    assert devices(*values.values()) == {"meta"}


def test_a_code_leaves_the_device_once_it_is_chosen():
    torch.manual_seed(0)
    plan, books = opened(plan_of(mlp()), {}, 1e-5)

    found = as_code(plan, books)

    assert [tensor.name for tensor in found.tensors] == list(plan.shapes)
