"""P2's decomposition against least squares on the samples themselves."""

import numpy as np
import pytest

from boundkit.collapsing import collapse
from boundkit.measure.collapse.square_loss import decay_of
from tests.measure.collapse import literal_loss
from tests.measure.collapse.samples import collapsed, drawn

CASES = {
    "balanced": drawn((20, 20, 20), 5),
    "unbalanced": drawn((30, 4, 11), 5, seed=1),
    "no bias": drawn((30, 4, 11), 5, bias=False, seed=2),
    "empty class": drawn((9, 8, 0, 7), 4, seed=3),
    "few samples": drawn((2, 3, 2), 12, seed=4),
    "few samples, no bias": drawn((2, 3, 2), 12, bias=False, seed=4),
    "one sample per class": drawn((1, 1, 1, 1), 6, seed=5),
    "more classes than features": drawn((6,) * 5, 2, seed=6),
    "collapsed": collapsed(),
    "small noise": drawn((9, 9, 9), 5, noise=1e-5, seed=7),
    "far away": drawn((9, 12, 9), 5, offset=1e3, seed=8),
}


def one_hot(labels, outputs):
    return np.eye(outputs)[labels]


def split(found):
    return np.array([found[f"mse.{part}"] for part in ("l_nc1", "l_nc23", "l_perp")])


@pytest.mark.parametrize("decay", [0.0, 1e-4, 0.3])
@pytest.mark.parametrize("case", CASES)
def test_the_parts_add_up(case, decay):
    found = collapse(*CASES[case], weight_decay=decay, square_loss="half")

    assert found["mse.total"] == pytest.approx(split(found).sum(), rel=1e-10)


@pytest.mark.parametrize("decay", [0.0, 1e-3, 0.3])
@pytest.mark.parametrize("case", sorted(set(CASES) - {"far away"}))
def test_the_parts_are_losses_of_samples(case, decay):
    features, labels, weight, bias = CASES[case]
    expected = literal_loss.parts(
        features, labels, one_hot(labels, len(weight)), weight, bias, decay
    )

    found = collapse(
        features, labels, weight, bias, weight_decay=decay, square_loss="half"
    )

    total = expected["mse.total"]
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-9, abs=1e-11 * total)


def test_an_offset_of_the_features_costs_nothing_but_its_own_digits():
    """Without decay the bias takes up any offset."""
    features, labels, weight, _ = drawn((20, 15, 9), 5)
    bias, shift = np.ones(3), 1e6

    near = collapse(features, labels, weight, bias)
    far = collapse(features + shift, labels, weight, bias - shift * weight.sum(1))

    # Features of 1e6 are stored to 1e-10.
    for name in ("total", "l_nc1", "l_nc23", "l_perp"):
        assert far[f"mse.{name}"] == pytest.approx(near[f"mse.{name}"], rel=1e-8)


def test_the_best_layer_is_on_the_central_path():
    features, labels, *_ = CASES["unbalanced"]
    best, offset = literal_loss.best_layer(
        features, one_hot(labels, 3), 0.05, bias=True
    )

    found = collapse(
        features, labels, best, offset, weight_decay=0.05, square_loss="half"
    )

    assert found["mse.l_perp"] == pytest.approx(0, abs=1e-25)
    assert found["mse.perp_share"] == pytest.approx(0, abs=1e-24)


@pytest.mark.parametrize(
    ("reduction", "expected"), [("mean", 0.15), ("sum", 0.05), ("half", 0.1)]
)
def test_units_of_weight_decay(reduction, expected):
    assert decay_of(0.1, reduction, 3) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("reduction", ["mean", "sum", "half"])
def test_torch_finds_the_central_path_stationary(reduction):
    """The gradient of torch's loss plus its weight decay vanishes at the best layer."""
    import torch

    features, labels, *_ = CASES["unbalanced"]
    wd = 0.07
    targets = one_hot(labels, 3)
    decay = decay_of(wd, reduction, 3)
    best, offset = literal_loss.best_layer(features, targets, decay, bias=True)
    w, b = (torch.tensor(part, requires_grad=True) for part in (best, offset))
    gaps = torch.tensor(features) @ w.mT + b - torch.tensor(targets)
    squares = gaps.square()
    loss = {
        "mean": squares.mean(),
        "sum": squares.sum(1).mean(),
        "half": squares.sum(1).mean() / 2,
    }[reduction]
    for gradient, value in zip(torch.autograd.grad(loss, (w, b)), (w, b), strict=True):
        torch.testing.assert_close(
            gradient + wd * value, torch.zeros_like(value), rtol=0, atol=1e-13
        )
    # And so boundkit sees the layer on the path.
    found = collapse(
        features, labels, best, offset, weight_decay=wd, square_loss=reduction
    )
    assert found["mse.l_perp"] == pytest.approx(0, abs=1e-25)


def test_one_output_is_trained_on_signs():
    features, labels, weight, bias = drawn((12, 9), 4, outputs=1)
    expected = literal_loss.parts(
        features, labels, 2.0 * labels[:, None] - 1, weight, bias, 0.1
    )

    found = collapse(
        features, labels, weight, bias, weight_decay=0.1, square_loss="half"
    )

    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-10)


def test_centered_targets():
    features, labels, weight, _ = drawn((12, 9, 7), 4)
    targets = one_hot(labels, 3) * 1.5 - 0.5
    expected = literal_loss.parts(features, labels, targets, weight, None, 0.1)

    found = collapse(
        features,
        labels,
        weight,
        weight_decay=0.1,
        square_loss="half",
        targets="centered",
    )

    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-10)


def test_no_loss_at_all():
    found = collapse(np.eye(3), range(3), np.eye(3))

    assert found["mse.total"] == 0
    assert "the loss is zero" in found.reasons["mse.perp_share"]


def test_without_a_classifier_there_is_no_loss():
    features, labels, *_ = CASES["balanced"]

    assert collapse(features, labels).reasons["mse.*"] == (
        "needs the classifier; give its weight"
    )
