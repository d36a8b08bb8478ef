"""The search: tau from the slopes of the inverse of kl, a smaller bound, any device."""

import time

import pytest
import torch
from torch._subclasses import FakeTensorMode

from boundkit.numerics.kl_inverse import kl_inverse
from boundkit.posthoc.closed_form import closed_form, curvature, quick_bound
from boundkit.posthoc.coordinates import coordinates_of
from boundkit.posthoc.family import group_of_each
from boundkit.posthoc.gaussians import Posterior
from boundkit.posthoc.losses import smooth_loss
from boundkit.posthoc.objective import Task, weight_of_divergence
from boundkit.posthoc.refinement import _Descent, refined
from boundkit.posthoc.settled import settled
from tests.posthoc.nets import mlp, sample, trained


def task():
    x, y = sample()
    found = settled(trained(mlp, x, y), (6,))
    net = coordinates_of(found)
    vector = net.flattened(found.values()).float()
    groups = group_of_each(net)
    return Task(net, torch.zeros_like(vector), groups, x, y, len(x), 20.0, 1.0), vector


def quality(todo, posterior):
    source = torch.Generator().manual_seed(7)
    return quick_bound(
        todo.net,
        posterior,
        todo.center,
        todo.groups,
        todo.x,
        todo.labels,
        todo.n,
        todo.extra,
        source,
    )


@pytest.mark.parametrize(("q", "cost"), [(0.1, 0.05), (0.3, 0.2), (0.02, 0.01)])
def test_tau_is_the_ratio_of_the_slopes_of_the_bound(q, cost):
    e = 1e-5
    by_error = (kl_inverse(q + e, cost) - kl_inverse(q - e, cost)) / (2 * e)
    by_cost = (kl_inverse(q, cost + e) - kl_inverse(q, cost - e)) / (2 * e)
    loss = 0.4

    # Differences of numbers that are rounded up by 1e-9.
    assert weight_of_divergence(q, cost, loss) == pytest.approx(
        by_cost / by_error * loss / q, rel=1e-3
    )


def test_curvature_is_the_mean_squared_gradient():
    todo, vector = task()
    few = todo.x[:60]
    source = torch.Generator().manual_seed(0)
    found = curvature(todo.net, vector, few, 1.0, source)
    outputs = todo.net.outputs(vector, few)
    again = torch.Generator().manual_seed(0)
    labels = torch.multinomial(outputs.softmax(1), 1, generator=again)[:, 0]
    total = torch.zeros_like(vector)
    for x, y in zip(few, labels, strict=True):
        leaf = vector.clone().requires_grad_()
        loss = smooth_loss(todo.net.outputs(leaf, x[None]), y[None], 1.0)
        total += torch.autograd.grad(loss, leaf)[0] ** 2

    # Sums of 60 float32 squares in two orders.
    torch.testing.assert_close(found.float(), total / 60, rtol=1e-4, atol=1e-9)


def test_refinement_makes_the_bound_smaller():
    todo, vector = task()
    fisher = curvature(todo.net, vector, todo.x, 1.0, torch.Generator().manual_seed(0))
    start = closed_form(
        vector,
        todo.center,
        todo.groups,
        4,
        fisher.float(),
        todo.n,
        lambda posterior: quality(todo, posterior),
    )
    end = refined(
        todo,
        start,
        steps=300,
        deadline=time.perf_counter() + 600,
        generator=torch.Generator().manual_seed(0),
    )

    assert end.stopped == "finished"
    assert end.steps == 300
    assert quality(todo, end.posterior) < quality(todo, start) - 0.02


def test_the_clock_ends_it():
    todo, vector = task()
    start = Posterior(vector, torch.full_like(vector, -3.0))
    seen = []
    found = refined(
        todo,
        start,
        steps=10**6,
        deadline=time.perf_counter() + 0.5,
        generator=None,
        progress=lambda *told: seen.append(told),
    )

    assert 0 < found.steps < 10**6
    assert {told[2] for told in seen} == {"searching"}


def test_a_step_stays_on_the_device_of_the_tensors():
    net = coordinates_of(settled(mlp(), (6,)))
    size = sum(net.sizes)
    with FakeTensorMode(allow_non_fake_inputs=True):
        for part in net.module.modules():
            for name, value in list(part._parameters.items()):
                part._parameters[name] = torch.nn.Parameter(
                    torch.empty(value.shape, device="cuda"), requires_grad=False
                )
        on_gpu = Task(
            net,
            torch.empty(size, device="cuda"),
            torch.empty(size, dtype=torch.int64, device="cuda"),
            torch.empty(50, 6, device="cuda"),
            torch.empty(50, dtype=torch.int64, device="cuda"),
            600,
            20.0,
            1.0,
        )
        start = Posterior(
            torch.empty(size, device="cuda"), torch.empty(size, device="cuda")
        )
        descent = _Descent(on_gpu, start, 1.0)
        wide, away = descent._prior()
        # Without a GPU, autograd's engine cannot run on fake ones: the way forward only.
        with torch.no_grad():
            outputs = net.outputs(descent._mean, on_gpu.x)
            loss = smooth_loss(outputs, on_gpu.labels, 1.0)

        assert {t.device.type for t in (wide, away, outputs, loss)} == {"cuda"}
