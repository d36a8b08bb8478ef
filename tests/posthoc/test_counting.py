"""Errors that rounding cannot hide, and disagreements."""

import pytest
import torch
from torch import nn

from boundkit.posthoc.counting import Differences, counted, disagreements
from boundkit.posthoc.losses import TOLERANCE, decisions, mistakes, smooth_loss

CPU = torch.device("cpu")


def test_a_tie_and_nan_are_mistakes():
    outputs = torch.tensor([[1.0, 1.0], [1.0, 0.0], [0.0, 1.0], [float("nan"), 0.0]])

    assert mistakes(outputs, torch.zeros(4, dtype=torch.int64), 0.0).tolist() == [
        True,
        False,
        True,
        True,
    ]


@pytest.mark.parametrize("labels", [[1, 0, 1], [1, -1, 1]])
def test_one_output_decides_by_its_sign(labels):
    outputs = torch.tensor([[2.0], [-3.0], [-1.0]])

    assert mistakes(outputs, torch.tensor(labels), 0.0).tolist() == [False, False, True]


def test_a_margin_that_rounding_could_turn_counts_as_an_error():
    narrow = torch.tensor([[1.0, 1.0 - TOLERANCE / 2]])
    wide = torch.tensor([[1.0, 1.0 - 3 * TOLERANCE]])
    zero = torch.tensor([0])

    assert mistakes(narrow, zero, TOLERANCE).item()
    assert not mistakes(narrow, zero, 0.0).item()
    assert not mistakes(wide, zero, TOLERANCE).item()


def test_counts_of_several_choices_in_one_pass():
    torch.manual_seed(0)
    net = nn.Linear(3, 2).eval()
    x, y = torch.randn(50, 3), torch.randint(2, (50,))
    choices = [{}, {"weight": -net.weight.detach(), "bias": -net.bias.detach()}]
    batches = list(zip(x.split(7), y.split(7), strict=True))
    seen = []

    first, second = counted(
        net, choices, batches, CPU, progress=lambda *told: seen.append(told), total=50
    )

    assert first.plain == int((net(x).argmax(1) != y).sum())
    assert first.plain + second.plain == 50
    assert first.plain <= first.guarded <= first.loose
    assert first.outputs == 2
    assert seen[-1] == (50, 50, "counting errors")


def test_what_is_not_finite_disagrees_with_itself():
    net = nn.Linear(1, 2, bias=False)
    nn.init.constant_(net.weight, float("nan"))
    x = torch.ones(4, 1)

    assert disagreements(net, net, [(x, None)], CPU) == Differences(4, 4, 4, 4)
    assert decisions(torch.tensor([[0.2], [-0.2], [float("inf")]])).tolist() == [
        1,
        0,
        -1,
    ]


def test_a_choice_that_rounding_could_turn_counts_as_a_difference():
    first, second = nn.Linear(1, 2, bias=False), nn.Linear(1, 2, bias=False)
    with torch.no_grad():
        first.weight.copy_(torch.tensor([[1.0], [0.0]]))
        second.weight.copy_(torch.tensor([[1.0], [1 - 1.5 * TOLERANCE]]))
    x = torch.tensor([[1.0], [2.0], [-1.0]])

    # Of -1 the first chooses the second class by a margin, and so does the second net.
    assert disagreements(first, second, [(x, None)], CPU) == Differences(0, 0, 3, 3)


def test_differences_are_those_of_the_classes():
    torch.manual_seed(0)
    first, second = nn.Linear(3, 4).eval(), nn.Linear(3, 4).eval()
    x = torch.randn(200, 3)
    expected = int((first(x).argmax(1) != second(x).argmax(1)).sum())

    found = disagreements(first, second, [(x[:90], None), (x[90:], None)], CPU)

    assert found.plain == expected
    assert found.samples == 200


@pytest.mark.parametrize("width", [1, 2])
def test_one_output_differs_by_its_sign(width):
    net, other = nn.Linear(1, width, bias=False), nn.Linear(1, width, bias=False)
    with torch.no_grad():
        net.weight.copy_(torch.tensor([[-1.0], [1.0]])[-width:])
        other.weight.copy_(-net.weight)
    x = torch.tensor([[1.0], [-2.0]])

    assert disagreements(net, net, [(x, None)], CPU).loose == 0
    assert disagreements(net, other, [(x, None)], CPU).plain == 2


def test_the_smooth_loss_of_one_output_is_that_of_two():
    f = torch.randn(9, 1)
    y = torch.tensor([1, -1, 1, 1, -1, -1, 1, -1, 1])
    pair = torch.cat([-f, f], 1)

    torch.testing.assert_close(
        smooth_loss(f, y, 2.0), smooth_loss(pair, y, 2.0), rtol=1e-6, atol=1e-7
    )
