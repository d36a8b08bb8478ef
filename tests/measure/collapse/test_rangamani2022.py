"""P3's predictions, with the bias that they need: found by training, refused without."""

import numpy as np
import pytest

from boundkit.collapsing import collapse
from tests.measure.collapse.samples import drawn, simplex

FAMILY = "predictions.rangamani2022"
RESIDUALS = (
    "interpolation_residual",
    "duality_residual",
    "norm_residual",
    "offset_residual",
    "bias_residual",
)


def critical(classes=4, width=7, epsilon=0.15, decay=0.02):
    """Return features and last layer at P3's critical point, bias 1/C."""
    margin = 1 - classes * epsilon / (classes - 1)
    rows = simplex(classes, width) * np.sqrt(epsilon * margin / (classes * decay))
    labels = np.repeat(np.arange(classes), 6)
    features = rows[labels] * decay * (classes - 1) / epsilon
    return features, labels, rows, np.full(classes, 1 / classes)


def test_the_predictions_hold_at_a_critical_point():
    found = collapse(*critical(), weight_decay=0.02, square_loss="half")

    assert found[f"{FAMILY}.epsilon"] == pytest.approx(0.15, rel=1e-13)
    assert found[f"{FAMILY}.margin"] == pytest.approx(0.8, rel=1e-13)
    for name in RESIDUALS:
        assert found[f"{FAMILY}.{name}"] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("reduction", ["mean", "sum", "half"])
def test_it_is_critical_for_the_loss_that_torch_minimizes(reduction):
    import torch

    classes, wd = 4, 0.02
    scale = {"mean": classes / 2, "sum": 0.5, "half": 1.0}[reduction]
    features, labels, weight, bias = critical(decay=wd * scale)
    w = torch.tensor(weight, requires_grad=True)
    b = torch.tensor(bias, requires_grad=True)
    gaps = torch.tensor(features) @ w.mT + b - torch.eye(classes)[labels]
    squares = gaps.square()
    loss = {
        "mean": squares.mean(),
        "sum": squares.sum(1).mean(),
        "half": squares.sum(1).mean() / 2,
    }[reduction]
    in_w, in_b = torch.autograd.grad(loss, (w, b))

    torch.testing.assert_close(in_w + wd * w, torch.zeros_like(w), rtol=0, atol=1e-13)
    torch.testing.assert_close(in_b, torch.zeros_like(b), rtol=0, atol=1e-13)
    found = collapse(
        features, labels, weight, bias, weight_decay=wd, square_loss=reduction
    )
    for name in RESIDUALS:
        assert found[f"{FAMILY}.{name}"] == pytest.approx(0, abs=1e-12)


def test_residuals_see_what_is_off():
    features, labels, weight, bias = critical()
    noise = 0.1 * np.random.default_rng(0).normal(size=features.shape)

    found = collapse(
        features + noise,
        labels,
        1.05 * weight + 0.02,
        bias + 0.01,
        weight_decay=0.02,
        square_loss="half",
    )

    for name in RESIDUALS:
        assert found[f"{FAMILY}.{name}"] > 0.01


def test_without_a_bias_assumption_and_conclusion_contradict_each_other():
    features, labels, weight, _ = critical()

    reason = collapse(features, labels, weight, weight_decay=0.1).reasons[f"{FAMILY}.*"]

    assert "outputs of collapsed nets add to 0 and not to 1" in reason


FEATURES, LABELS, WEIGHT, BIAS = critical()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((FEATURES, LABELS), "needs the classifier"),
        ((FEATURES, LABELS % 2, WEIGHT[:1], BIAS[:1]), "the net has one output"),
        ((FEATURES[1:], LABELS[1:], WEIGHT, BIAS), "the classes are not balanced"),
        (drawn((5,) * 4, 2), "no simplex of 4 classes fits into 2 features"),
    ],
)
def test_where_they_cannot_hold_the_reason_is_given(arguments, reason):
    assert reason in collapse(*arguments).reasons[f"{FAMILY}.*"]


def test_centered_labels_are_another_theorem():
    reasons = collapse(FEATURES, LABELS, WEIGHT, BIAS, targets="centered").reasons

    assert "labels are not one-hot" in reasons[f"{FAMILY}.*"]


def test_the_weight_decay_must_be_known():
    for decay in (None, 0.0):
        found = collapse(FEATURES, LABELS, WEIGHT, BIAS, weight_decay=decay)

        assert "needs a weight decay" in found.reasons[f"{FAMILY}.duality_residual"]
        assert found[f"{FAMILY}.epsilon"] == pytest.approx(0.15, rel=1e-13)


def test_a_gap_that_the_theorem_excludes():
    found = collapse(FEATURES, LABELS, -WEIGHT, BIAS, weight_decay=0.1)

    assert "needs epsilon between" in found.reasons[f"{FAMILY}.norm_residual"]


def test_a_row_of_zeros():
    rows = WEIGHT.copy()
    rows[2] = 0

    reasons = collapse(FEATURES, LABELS, rows, BIAS, weight_decay=0.1).reasons

    assert reasons[f"{FAMILY}.duality_residual"] == "a classifier row is zero"
