"""P2's decomposition of the square loss, for any class sizes, with or without bias."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from boundkit.errors import NotApplicable
from boundkit.measure.collapse.factor import cholesky
from boundkit.measure.collapse.formula import formula
from boundkit.measure.collapse.geometry import (
    Geometry,
    Numbers,
    spread_along,
    whole,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "SQUARE_LOSS",
    "Decomposition",
    "Reduction",
    "Targets",
    "decay_of",
    "decomposition",
    "targets_of",
]

#: How the user's square loss is reduced: ``"mean"`` over samples and outputs
#: (torch.nn.MSELoss), ``"sum"`` over outputs and mean over samples, ``"half"`` of that.
Reduction = Literal["mean", "sum", "half"]

#: What the net was trained to output: 1 and 0, or 1 and -1/(C - 1).
Targets = Literal["one-hot", "centered"]

_LOSS = (
    "L = (1/2) mean ||W h + b - y||^2 + (lambda/2)(||W||_F^2 + ||b||^2) over all samples, "
    "lambda in these units (the optimizer's weight decay times C/2 for MSELoss), bias "
    "regularized with the weight as torch does, y one-hot unless said otherwise (-1, +1 "
    "for one output); W_LS, b_LS minimize L for these features"
)


@dataclass(frozen=True, slots=True, eq=False)
class Decomposition:
    """The square loss, and the three parts that it is the sum of.

    Attributes:
        total: L of the last layer as it is.
        parts: l_nc1, of the least-squares layer: variation within classes, and weight
            decay; l_nc23, of the same: class means against their targets; l_perp: what
            the last layer loses against it. None where Sigma_W is known in part only.
        decay: lambda, in the units of L.
        missing: Why there are no parts, or "".
    """

    total: float
    parts: tuple[float, float, float] | None
    decay: float
    missing: str = ""


def decay_of(weight_decay: float, reduction: Reduction, outputs: int) -> float:
    """Return the coefficient lambda of P2's loss for an optimizer's weight decay.

    torch adds ``weight_decay * W`` to the gradient, half of ``weight_decay ||W||^2`` to
    the loss; P2's loss is C/2 times MSELoss, 1/2 times the loss summed over outputs.

    Args:
        weight_decay: Of the optimizer.
        reduction: Of the user's square loss.
        outputs: C.
    """
    return weight_decay * {"mean": outputs / 2, "sum": 0.5, "half": 1.0}[reduction]


def targets_of(geometry: Geometry, targets: Targets) -> Numbers:
    """Return what the net should output for each class that has samples, (k, K).

    Args:
        geometry: Of the features.
        targets: ``"one-hot"``, or ``"centered"`` as in P1 section 5.2: -1/(C - 1) for 0.

    Raises:
        NotApplicable: There is no classifier.
    """
    if geometry.weight is None:
        raise NotApplicable("needs the classifier; give its weight")
    outputs = len(geometry.weight)
    if outputs == 1:
        return np.asarray(2.0 * geometry.present[:, None] - 1.0)
    hot = np.eye(outputs)
    if targets == "centered":
        hot -= (1 - hot) / (outputs - 1)
    wanted: Numbers = hot[geometry.present]
    return wanted


def decomposition(geometry: Geometry, decay: float, targets: Targets) -> Decomposition:
    """Decompose the square loss; P2 Theorems 1 and 2.

    P2 writes the least-squares layer for balanced classes; here class c weighs n_c / n.
    With a bias, the equations are reduced to centered features first, so that an offset
    of the features costs no accuracy.

    Args:
        geometry: Of the features and the last layer.
        decay: lambda, in P2's units.
        targets: What the net was trained to output.

    Raises:
        NotApplicable: There is no classifier.
    """
    wanted = targets_of(geometry, targets)
    weight = geometry.weight
    assert weight is not None  # noqa: S101 - targets_of has refused it
    bias = np.zeros(len(weight)) if geometry.bias is None else geometry.bias
    total = sum(_parts(geometry, decay, weight, bias, wanted))
    try:
        within = whole(geometry)
    except NotApplicable as missing:
        return Decomposition(total, None, decay, str(missing))
    if geometry.bias is None:
        best = _without_bias(geometry, within, wanted, decay)
        offset = np.zeros_like(bias)
    else:
        best, offset = _with_bias(geometry, within, wanted, decay)
    zero = np.zeros_like(wanted)
    l_nc1, l_nc23 = _parts(geometry, decay, best, offset, wanted)
    l_perp = sum(_parts(geometry, decay, weight - best, bias - offset, zero))
    return Decomposition(total, (l_nc1, l_nc23, l_perp), decay)


def _parts(
    geometry: Geometry, decay: float, rows: Numbers, shift: Numbers, wanted: Numbers
) -> tuple[float, float]:
    """Return the loss from variation and decay, and that of the class means."""
    spread = float(spread_along(geometry, rows).sum())
    size = float((rows**2).sum() + (shift**2).sum())
    gaps = geometry.mean @ rows.T + shift - wanted
    return (spread + decay * size) / 2, float(geometry.share @ (gaps**2).sum(1)) / 2


def _without_bias(
    geometry: Geometry, within: Numbers, wanted: Numbers, decay: float
) -> Numbers:
    weighed = geometry.mean * geometry.share[:, None]
    return _solved(within + weighed.T @ geometry.mean, wanted.T @ weighed, decay)


def _with_bias(
    geometry: Geometry, within: Numbers, wanted: Numbers, decay: float
) -> tuple[Numbers, Numbers]:
    share = geometry.share
    middle, aim = share @ geometry.mean, share @ wanted
    means, gaps = geometry.mean - middle, wanted - aim
    pull = decay / (1 + decay)
    covariance = within + (means * share[:, None]).T @ means
    rows = _solved(
        covariance + pull * np.outer(middle, middle),
        (gaps * share[:, None]).T @ means + pull * np.outer(aim, middle),
        decay,
    )
    along = rows @ middle
    return rows, (aim + decay * along) / (1 + decay) - along


def _solved(matrix: Numbers, right: Numbers, decay: float) -> Numbers:
    """Return X with ``X (matrix + decay I) = right``; the least of them if many."""
    shifted = matrix + decay * np.eye(len(matrix))
    factor = cholesky(shifted)
    solve = _pseudo_inverse(shifted) if factor is None else _substitution(factor)
    rows = solve(right)
    # One step of iterative refinement: the identity holds as far as the equations do.
    return rows + solve(right - rows @ shifted)


def _substitution(factor: Numbers) -> Callable[[Numbers], Numbers]:
    from scipy.linalg import cho_solve

    return lambda right: np.asarray(cho_solve((factor, True), right.T).T)


def _pseudo_inverse(matrix: Numbers) -> Callable[[Numbers], Numbers]:
    values, vectors = np.linalg.eigh(matrix)
    kept = values > values[-1] * len(values) * np.finfo(np.float64).eps
    values, vectors = values[kept], vectors[:, kept]
    return lambda right: (right @ vectors / values) @ vectors.T


def _part(loss: Decomposition, number: int) -> float:
    if loss.parts is None:
        raise NotApplicable(loss.missing)
    return loss.parts[number]


@formula("mse.total", _LOSS, "P2 eq. (2)")
def total(parts: Decomposition) -> float:
    """Return the regularized square loss of the last layer."""
    return parts.total


@formula(
    "mse.l_nc1",
    f"(1/2) tr(W_LS (Sigma_W + lambda I) W_LS^T), bias column included; {_LOSS}",
    "P2 Theorem 2",
)
def l_nc1(parts: Decomposition) -> float:
    """Return the loss from variation within classes."""
    return _part(parts, 0)


@formula(
    "mse.l_nc23",
    "(1/2) sum over classes of (n_c/n) ||W_LS mu_c + b_LS - y_c||^2 (P2 prints it for "
    f"balanced classes); {_LOSS}",
    "P2 Theorem 2",
)
def l_nc23(parts: Decomposition) -> float:
    """Return the loss of the class means."""
    return _part(parts, 1)


@formula(
    "mse.l_perp",
    "(1/2) tr(D (second moment of the features + lambda I) D^T), D = W - W_LS, bias "
    f"column included; {_LOSS}",
    "P2 Theorem 1",
)
def l_perp(parts: Decomposition) -> float:
    """Return the distance from the central path."""
    return _part(parts, 2)


@formula(
    "mse.perp_share",
    f"l_perp / total: 0 on the central path; {_LOSS}",
    "P2 Theorem 1 and eq. (4)",
)
def perp_share(parts: Decomposition) -> float:
    """Return the distance from the central path as a share of the loss.

    Raises:
        NotApplicable: The loss is zero.
    """
    if parts.total <= 0:
        raise NotApplicable("the loss is zero: there is nothing to divide by")
    return _part(parts, 2) / parts.total


@formula("mse.weight_decay", f"lambda; {_LOSS}", "P2 eq. (2)")
def weight_decay(parts: Decomposition) -> float:
    """Return the coefficient of weight decay in P2's units."""
    return parts.decay


SQUARE_LOSS = (total, l_nc1, l_nc23, l_perp, perp_share, weight_decay)
