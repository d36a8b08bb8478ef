"""P1's predictions: they hold on a net that satisfies them, and fail as they must."""

import numpy as np
import pytest

from boundkit.collapsing import collapse
from tests.measure.collapse.samples import drawn, simplex

RESIDUALS = (
    "interpolation_residual",
    "norm_residual",
    "duality_residual",
    "center_residual",
    "mean_norm_residual",
    "angle_residual",
)
FAMILY = "predictions.xu2023"


def equilibrium(classes=4, width=7, alpha=0.9, size=1.7):
    """Return features and last layer with V_c = (rho/(alpha C)) M_c and f = alpha e_c."""
    rows = simplex(classes, width) / np.sqrt(classes)
    labels = np.repeat(np.arange(classes), 6)
    features = alpha * classes / size * rows[labels]
    return features, labels, size * rows


def test_the_predictions_hold_at_equilibrium():
    found = collapse(*equilibrium(), targets="centered")

    assert found[f"{FAMILY}.alpha"] == pytest.approx(0.9, rel=1e-14)
    assert found[f"{FAMILY}.interpolation_gap"] == pytest.approx(0.1, rel=1e-13)
    for name in RESIDUALS:
        assert found[f"{FAMILY}.{name}"] == pytest.approx(0, abs=1e-13)


def test_the_equilibrium_is_one_of_the_papers_flow():
    """The Lagrange gradient of P1 eq. (38) vanishes on it, for any balanced batch."""
    classes, alpha = 4, 0.9
    features, labels, weight = equilibrium(classes, alpha=alpha)
    size = np.linalg.norm(weight)
    direction = weight / size
    labels_ = np.eye(classes) * classes / (classes - 1) - 1 / (classes - 1)
    gradient = np.zeros_like(weight)
    # With one layer rho = ||W||, so f = rho V h.
    for h, y in zip(features, labels, strict=True):
        f, gap = direction @ h, weight @ h - labels_[y]
        gradient += 2 * size * ((f @ gap) * direction - np.outer(gap, h))

    np.testing.assert_allclose(gradient, 0, atol=1e-12)


def test_the_equilibrium_of_the_norms():
    features, labels, weight = equilibrium(alpha=0.9)
    rho = 2.5
    mean = 0.9 * 4 / 3 / rho
    second = 0.9**2 * 4 / 3 / rho**2
    decay = second / 0.9 - second  # where alpha = M/(M + lambda)

    found = collapse(
        features, labels, weight, targets="centered", rho=rho, rho_decay=decay
    )

    assert found[f"{FAMILY}.rho_eq"] == pytest.approx(rho, rel=1e-13)
    assert found[f"{FAMILY}.predicted_alpha"] == pytest.approx(0.9, rel=1e-13)
    assert found[f"{FAMILY}.loss_at_rho_eq"] == pytest.approx(
        4 / 3 - mean**2 / (second + decay), rel=1e-13
    )


def test_residuals_see_what_is_off():
    features, labels, weight = equilibrium()
    noise = np.random.default_rng(0).normal(size=features.shape)

    found = collapse(features + 0.3 * noise, labels, weight + 0.2, targets="centered")

    for name in RESIDUALS:
        assert found[f"{FAMILY}.{name}"] > 0.01


def test_the_residual_of_interpolation_is_a_mean_over_samples():
    features, labels, weight = equilibrium()
    features = features + 0.3 * np.random.default_rng(0).normal(size=features.shape)
    labels_ = np.eye(4) * 4 / 3 - 1 / 3
    outputs = features @ weight.T
    alpha = (
        np.mean([f @ labels_[y] for f, y in zip(outputs, labels, strict=True)]) * 3 / 4
    )
    squares = [
        ((f - alpha * labels_[y]) ** 2).sum()
        for f, y in zip(outputs, labels, strict=True)
    ]

    found = collapse(features, labels, weight, targets="centered")

    assert found[f"{FAMILY}.interpolation_residual"] == pytest.approx(
        np.sqrt(np.mean(squares)) / alpha, rel=1e-11
    )


def test_without_norms_there_is_no_equilibrium():
    found = collapse(*equilibrium(), targets="centered", rho=0.0, rho_decay=0.1)
    unknown = collapse(*equilibrium(), targets="centered")

    assert "not positive" in found.reasons[f"{FAMILY}.rho_eq"]
    assert "give rho and rho_decay" in unknown.reasons[f"{FAMILY}.rho_eq"]


FEATURES, LABELS, WEIGHT = equilibrium()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((FEATURES, LABELS), "needs the classifier"),
        ((FEATURES, LABELS % 2, WEIGHT[:1]), "the net has one output"),
        ((FEATURES, LABELS, WEIGHT, np.ones(4)), "the last layer has a bias"),
        ((FEATURES[1:], LABELS[1:], WEIGHT), "the classes are not balanced"),
        ((FEATURES, LABELS % 3, WEIGHT), "the classes are not balanced"),
        (
            drawn((5,) * 4, 2, bias=False),
            "no simplex of 4 classes fits into 2 features",
        ),
        ((FEATURES, LABELS, 0 * WEIGHT), "nothing in common"),
    ],
)
def test_where_they_cannot_hold_the_reason_is_given(arguments, reason):
    found = collapse(*arguments, targets="centered")

    assert reason in found.reasons[f"{FAMILY}.*"]


def test_a_bias_of_zero_is_none():
    found = collapse(FEATURES, LABELS, WEIGHT, np.zeros(4), targets="centered")

    assert found[f"{FAMILY}.alpha"] == pytest.approx(0.9, rel=1e-14)


def test_one_hot_labels_are_another_theorem():
    found = collapse(FEATURES, LABELS, WEIGHT)

    assert "labels are not centered" in found.reasons[f"{FAMILY}.*"]


def test_a_row_of_zeros():
    rows = WEIGHT.copy()
    rows[2] = 0

    reasons = collapse(FEATURES, LABELS, rows, targets="centered").reasons

    for name in ("duality_residual", "angle_residual"):
        assert reasons[f"{FAMILY}.{name}"] == "a classifier row is zero"
