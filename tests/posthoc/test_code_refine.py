import time

import torch
from torch import nn

from boundkit.posthoc.code_plan import numbers, opened, planned, put
from boundkit.posthoc.code_refine import requantized, trained
from boundkit.posthoc.losses import smooth_loss


def case():
    g = torch.Generator().manual_seed(0)
    x = torch.randn(2000, 20, generator=g)
    labels = (x[:, :3].sum(1) > 0).long()
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(20, 2)).eval()
    values = {n: v.detach() for n, v in module.named_parameters()}
    zero = {n: torch.zeros_like(v) for n, v in values.items()}
    ones = {n: torch.full_like(v, 0.1) for n, v in values.items()}
    plan, books = opened(planned(values, "zero", zero, ones, {}, 0), {}, 1e-3)
    return module, plan, books, x, labels


def refine(steps, deadline=float("inf"), x=None):
    module, plan, books, own, labels = case()
    return trained(
        module,
        plan,
        books,
        own if x is None else x,
        labels,
        price=1e-4,
        scale=1.0,
        steps=steps,
        rates=(1e-2, 1e-3),
        deadline=deadline,
        generator=torch.Generator().manual_seed(0),
    )


def loss(plan):
    module, _, _, x, labels = case()
    books = requantized(plan, 1e-4)
    tensors = put(plan, [v.float() for v in numbers(plan.parts, books)])
    return float(
        smooth_loss(torch.func.functional_call(module, tensors, (x,)), labels, 1.0)
    )


def test_training_lowers_the_loss_of_the_quantized_network():
    assert loss(refine(150)) < 0.8 * loss(refine(0))


def test_no_step_changes_nothing():
    _, plan, _, _, _ = case()

    for one, other in zip(refine(0).parts, plan.parts, strict=True):
        torch.testing.assert_close(one.values, other.values, rtol=1e-6, atol=1e-7)


def test_past_the_deadline_no_step_is_taken():
    late, none = refine(50, time.perf_counter() - 1), refine(0)

    assert all(
        torch.equal(a.values, b.values)
        for a, b in zip(late.parts, none.parts, strict=True)
    )


def test_inputs_that_are_not_finite_do_not_spoil_the_weights():
    x = case()[3].clone()
    x[::3] = float("nan")

    assert all(bool(p.values.isfinite().all()) for p in refine(20, x=x).parts)


def test_the_same_seed_gives_the_same_numbers():
    one, other = refine(10), refine(10)

    assert all(
        torch.equal(a.values, b.values)
        for a, b in zip(one.parts, other.parts, strict=True)
    )
