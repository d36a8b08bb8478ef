import math

import pytest
import torch
from torch._subclasses import FakeTensorMode

from boundkit.lab.objective import decay_term, margins, mean_loss, targets
from boundkit.measure.evidence import raw_margins

LABELS = torch.tensor([0, 2, 1])


def test_targets_of_every_coding():
    assert targets(torch.tensor([0, 1]), 2, "square", "signed").tolist() == [[-1], [1]]
    assert targets(LABELS, 3, "square", "one-hot").tolist()[1] == [0, 0, 1]
    assert targets(LABELS, 3, "square", "centered").tolist()[1] == [-0.5, -0.5, 1]
    assert targets(LABELS, 3, "cross-entropy", "signed") is LABELS


def test_centered_targets_of_two_classes_are_signed():
    found = targets(torch.tensor([0, 1]), 2, "square", "centered")

    assert found.tolist() == [[1, -1], [-1, 1]]


def test_the_square_loss_is_summed_over_outputs():
    scores = torch.tensor([[1.0, 2.0], [0.0, 0.0]])
    wanted = torch.tensor([[0.0, 0.0], [3.0, 4.0]])

    # Half of 1 + 4 and of 9 + 16.
    assert float(mean_loss(scores, wanted, "square")) == 15


def test_equal_scores_cost_the_logarithm_of_the_classes():
    found = mean_loss(torch.zeros(4, 5), torch.tensor([0, 1, 2, 3]), "cross-entropy")

    assert float(found) == pytest.approx(math.log(5), rel=1e-6)


def test_decay_is_on_rho_or_on_all_weights():
    weights, rho = [torch.ones(2, 3), torch.full((4,), 2.0)], torch.tensor(5.0)

    assert float(decay_term(weights, rho, 0.1, on_rho=True)) == pytest.approx(2.5)
    # Six ones and four squares of two make 22, of which 5 %.
    assert float(decay_term(weights, rho, 0.1, on_rho=False)) == pytest.approx(1.1)


@pytest.mark.parametrize("outputs", [1, 3])
def test_margins_are_those_of_a_report(outputs):
    scores = torch.randn(50, outputs, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(50) % max(outputs, 2)

    expected = raw_margins(scores, labels)

    torch.testing.assert_close(
        margins(scores, labels), expected.double(), rtol=0, atol=0
    )


def test_losses_stay_on_their_device():
    with FakeTensorMode():
        scores = torch.zeros(4, 3, device="cuda")
        labels = torch.zeros(4, dtype=torch.int64, device="cuda")

        found = [
            mean_loss(scores, targets(labels, 3, "square", "centered"), "square"),
            mean_loss(scores, labels, "cross-entropy"),
            margins(scores, labels),
            decay_term([scores], scores.sum(), 0.1, on_rho=False),
        ]

        assert {each.device.type for each in found} == {"cuda"}
