"""Losses of one sample: torch's own as the reference."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from boundkit.errors import DataError, UsageError
from boundkit.measure.noise.losses import (
    LOSSES,
    chosen_loss,
    require_labels,
    slopes,
    value,
)

OUTPUTS = torch.tensor([0.3, -1.2, 2.0], dtype=torch.float64)


def test_the_loss_follows_the_outputs_unless_it_is_named():
    assert chosen_loss(None, 1) == "square"
    assert chosen_loss(None, 3) == "cross-entropy"
    assert chosen_loss("square", 3) == "square"


def test_an_unknown_loss_is_refused():
    with pytest.raises(UsageError, match="loss must be one of square, cross-entropy"):
        chosen_loss("hinge", 1)


def test_cross_entropy_is_torchs():
    label = torch.tensor(2)

    expected = functional.cross_entropy(OUTPUTS[None], label[None])

    np.testing.assert_allclose(
        value(OUTPUTS, label, "cross-entropy"), expected, rtol=1e-14
    )


def test_the_square_loss_is_summed_over_outputs():
    expected = 0.3**2 + 2.2**2 + 2.0**2

    np.testing.assert_allclose(
        value(OUTPUTS, torch.tensor(1), "square"), expected, rtol=1e-14
    )


@pytest.mark.parametrize("loss", LOSSES)
def test_slopes_are_derivatives_of_the_loss_of_one_output(loss):
    f = torch.linspace(-2, 2, 5, dtype=torch.float64).requires_grad_()
    labels = torch.tensor([-1, 1, 1, -1, 1])
    y = labels.double()
    losses = (f - y) ** 2 if loss == "square" else functional.softplus(-y * f)

    (expected,) = torch.autograd.grad(losses.sum(), f)

    np.testing.assert_allclose(
        slopes(f.detach(), labels, loss), expected.numpy(), rtol=1e-13
    )


def test_labels_may_be_coded_with_zero():
    f = torch.tensor([0.5, 0.5], dtype=torch.float64)
    coded = [slopes(f, torch.tensor(y), "square") for y in ([0, 1], [-1, 1])]

    assert torch.equal(*coded)


@pytest.mark.parametrize(
    ("labels", "outputs", "allowed"),
    [([0, 3], 3, r"0\.\.2"), ([-1, 1], 3, r"0\.\.2"), ([0, 2], 1, r"-1/\+1")],
)
def test_labels_beyond_the_outputs_are_refused(labels, outputs, allowed):
    with pytest.raises(
        DataError, match=rf"mine: a label is .*; labels must be {allowed}"
    ):
        require_labels(torch.tensor(labels), outputs, "mine")
