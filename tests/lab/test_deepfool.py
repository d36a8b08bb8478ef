"""Perturbations that change decisions: exact for linear nets, found for others."""

import pytest
import torch
from torch import nn

from boundkit.errors import UsageError
from boundkit.lab.deepfool import _step, perturbations, robustness


def linear(weight, bias=None):
    net = nn.Linear(len(weight[0]), len(weight), bias=bias is not None).double()
    with torch.no_grad():
        net.weight.copy_(torch.tensor(weight, dtype=torch.float64))
        if bias is not None:
            net.bias.copy_(torch.tensor(bias, dtype=torch.float64))
    return net


def test_two_linear_outputs_need_their_distance_to_the_hyperplane():
    # Scores 3x + 4y - 5 and 0: the distance of (3, 4) to the line is (9 + 16 - 5) / 5.
    net = linear([[3.0, 4.0], [0.0, 0.0]], [-5.0, 0.0])
    x = torch.tensor([[3.0, 4.0]], dtype=torch.float64)

    moved, changed = perturbations(net, x, overshoot=0.02)

    assert changed.all()
    expected = torch.tensor([[-0.6, -0.8]], dtype=torch.float64) * 4 * 1.02
    torch.testing.assert_close(moved, expected, rtol=1e-12, atol=0)
    ratios, _ = robustness(net, x)
    torch.testing.assert_close(
        ratios, torch.tensor([4 * 1.02 / 5], dtype=torch.float64), rtol=1e-12, atol=0
    )


def test_the_nearest_of_many_hyperplanes_is_taken():
    torch.manual_seed(0)
    weight = torch.randn(5, 7, dtype=torch.float64)
    net = linear(weight.tolist())
    x = torch.randn(20, 7, dtype=torch.float64)

    moved, changed = perturbations(net, x, overshoot=0.0, steps=1)

    scores = x @ weight.mT
    own = scores.argmax(1)
    for row in range(20):
        gap = scores[row, own[row]] - scores[row]
        size = (weight - weight[own[row]]).norm(dim=1)
        least = min(float(gap[c] / size[c]) for c in range(5) if c != own[row])
        assert float(moved[row].norm()) == pytest.approx(least, rel=1e-12)
    # Without overshoot it stops on the boundary, give or take rounding.
    assert changed.shape == (20,)


def test_a_relu_net_changes_its_mind_and_not_before():
    torch.manual_seed(1)
    net = nn.Sequential(nn.Flatten(), nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4))
    net = net.double().eval()
    x = torch.randn(30, 1, 4, 4, dtype=torch.float64)

    moved, changed = perturbations(net, x)

    assert changed.all()
    with torch.no_grad():
        assert (net(x + moved).argmax(1) != net(x).argmax(1)).all()
        # Half of the way does not yet suffice for most of them.
        assert (net(x + 0.5 * moved).argmax(1) == net(x).argmax(1)).float().mean() > 0.9


def test_scores_that_run_in_parallel_cannot_be_changed():
    net = linear([[1.0, 0.0], [1.0, 0.0]], [1.0, 0.0])

    moved, changed = perturbations(net, torch.ones(1, 2, dtype=torch.float64))

    assert not changed.any()
    assert not moved.any()


def test_scaling_scores_changes_nothing():
    torch.manual_seed(2)
    weight = torch.randn(3, 6, dtype=torch.float64)
    x = torch.randn(8, 6, dtype=torch.float64)

    one, _ = perturbations(linear(weight.tolist()), x)
    two, _ = perturbations(linear((10 * weight).tolist()), x)

    torch.testing.assert_close(one, two, rtol=1e-9, atol=1e-12)


def test_one_output_is_refused():
    with pytest.raises(UsageError, match="need a net with two outputs or more"):
        perturbations(nn.Linear(2, 1), torch.ones(1, 2))


def test_a_step_stays_on_its_device():
    # Autograd of fake CUDA tensors needs a CUDA build; meta tensors mix with no other.
    net = nn.Sequential(nn.Flatten(), nn.Linear(16, 4)).to("meta")
    x = torch.empty(5, 1, 4, 4, device="meta")
    own = torch.empty(5, dtype=torch.long, device="meta")

    step, changed = _step(net, x, own)

    assert step.device.type == changed.device.type == "meta"
    assert step.shape == x.shape
