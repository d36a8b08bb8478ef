"""What P3 predicts where one-hot labels are interpolated symmetrically, up to epsilon.

As printed, without a bias, P3's assumption contradicts its conclusion: the rows would
add to zero, and so would the outputs, which are assumed to add to one. With a bias of
1/C that weight decay leaves alone they agree, and so the predictions ask for a bias.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from boundkit.errors import NotApplicable
from boundkit.measure.collapse.formula import formula
from boundkit.measure.collapse.geometry import Geometry, Numbers, spread_along

if TYPE_CHECKING:
    from boundkit.measure.collapse.square_loss import Targets

__all__ = ["RANGAMANI2022", "Gap", "gap", "unmet"]

_FIT = (
    "one-hot labels, f = W h + b; epsilon = 1 - mean output of the right class; lambda "
    "as in mse.weight_decay; M_c = mu_c - mu_G"
)


@dataclass(frozen=True, slots=True, eq=False)
class Gap:
    """A last layer with bias beside outputs 1 - epsilon and epsilon/(C - 1).

    Attributes:
        epsilon: Gap to interpolation.
        residual: Root mean square distance of the outputs from those.
        weight: (C, p) of the last layer.
        bias: (C,) of the last layer.
        center: (p,) mean of the class means.
        centered: (C, p) class means less that.
        decay: lambda, in the units of P2 and P3; None if not known.
    """

    epsilon: float
    residual: float
    weight: Numbers
    bias: Numbers
    center: Numbers
    centered: Numbers
    decay: float | None


def unmet(geometry: Geometry, targets: Targets) -> tuple[str, ...]:
    """Return which conditions of P3's theorem, as corrected, cannot hold here.

    Args:
        geometry: Of the features and the last layer.
        targets: What the net was trained to output.
    """
    if geometry.weight is None:
        return ("needs the classifier; give its weight",)
    classes, width = len(geometry.weight), geometry.width
    conditions = (
        (classes < 2, "the net has one output"),
        (targets != "one-hot", "the labels are not one-hot: see predictions.xu2023"),
        (
            geometry.bias is None,
            "without a bias, outputs of collapsed nets add to 0 and not to 1",
        ),
        (not geometry.balanced, "the classes are not balanced"),
        (
            width < classes - 1,
            f"no simplex of {classes} classes fits into {width} features",
        ),
    )
    return tuple(reason for failed, reason in conditions if failed)


def gap(geometry: Geometry, targets: Targets, decay: float | None) -> Gap:
    """Fit the outputs 1 - epsilon and epsilon/(C - 1).

    Args:
        geometry: Of the features and the last layer.
        targets: What the net was trained to output.
        decay: lambda, in the units of P2 and P3; None if not known.

    Raises:
        NotApplicable: A condition of the theorem fails.
    """
    reasons = unmet(geometry, targets)
    if reasons:
        raise NotApplicable("; ".join(reasons))
    weight, bias = geometry.weight, geometry.bias
    assert weight is not None  # noqa: S101 - unmet has looked
    assert bias is not None  # noqa: S101 - unmet has looked
    classes = len(weight)
    outputs = geometry.mean @ weight.T + bias
    epsilon = 1 - float(np.trace(outputs)) / classes
    wanted = np.full((classes, classes), epsilon / (classes - 1))
    np.fill_diagonal(wanted, 1 - epsilon)
    noise = float(spread_along(geometry, weight).sum())
    square = noise + float(((outputs - wanted) ** 2).sum()) / classes
    return Gap(
        epsilon=epsilon,
        residual=float(np.sqrt(square)),
        weight=weight,
        bias=bias,
        center=geometry.center,
        centered=geometry.centered,
        decay=decay,
    )


def _factor(fit: Gap) -> float:
    """Return lambda.

    Raises:
        NotApplicable: It is not known, or epsilon is outside what the theorem allows.
    """
    classes = len(fit.weight)
    if not fit.decay:
        raise NotApplicable("needs a weight decay above 0; give weight_decay")
    if not 0 < fit.epsilon < (classes - 1) / classes:
        raise NotApplicable(
            f"needs epsilon between 0 and (C - 1)/C, but it is {fit.epsilon:.3g}"
        )
    return fit.decay


@formula("predictions.rangamani2022.epsilon", _FIT, "P3 Assumption 1")
def epsilon(fit: Gap) -> float:
    """Return the gap to interpolation."""
    return fit.epsilon


@formula(
    "predictions.rangamani2022.margin",
    f"1 - C epsilon/(C - 1), the margin at collapse; {_FIT}",
    "follows from P3 Assumption 1",
)
def margin(fit: Gap) -> float:
    """Return the margin of all samples at collapse."""
    classes = len(fit.weight)
    return 1 - classes * fit.epsilon / (classes - 1)


@formula(
    "predictions.rangamani2022.interpolation_residual",
    "root mean square distance of f from 1 - epsilon at the class, epsilon/(C - 1) "
    f"elsewhere; {_FIT}",
    "P3 Assumption 1",
)
def interpolation_residual(fit: Gap) -> float:
    """Return how far the outputs are from what is assumed of them."""
    return fit.residual


@formula(
    "predictions.rangamani2022.duality_residual",
    f"mean over classes of ||W_c - epsilon/(lambda (C - 1)) M_c|| / ||W_c||; {_FIT}",
    "P3 eq. (2)",
)
def duality_residual(fit: Gap) -> float:
    """Return how far rows are from the predicted multiple of centered means.

    Raises:
        NotApplicable: A row is zero, or a condition fails.
    """
    factor = fit.epsilon / (_factor(fit) * (len(fit.weight) - 1))
    norms = np.linalg.norm(fit.weight, axis=1)
    if norms.min() <= 0:
        raise NotApplicable("a classifier row is zero")
    gaps = np.linalg.norm(fit.weight - factor * fit.centered, axis=1)
    return float((gaps / norms).mean())


@formula(
    "predictions.rangamani2022.norm_residual",
    "largest | ||W_c||^2 C lambda / (epsilon - C epsilon^2/(C - 1)) - 1 | over classes; "
    f"{_FIT}",
    "P3 eq. (3)",
)
def norm_residual(fit: Gap) -> float:
    """Return how far squared row norms are from the predicted one."""
    decay, classes = _factor(fit), len(fit.weight)
    predicted = fit.epsilon * margin.rule(fit) / (classes * decay)
    squares = (fit.weight**2).sum(1)
    return float(np.abs(squares / predicted - 1).max())


@formula(
    "predictions.rangamani2022.offset_residual",
    f"largest |<W_c, mu_G> + b_c - 1/C| times C; {_FIT}",
    "P3 before eq. (4), with the bias that its assumption needs",
)
def offset_residual(fit: Gap) -> float:
    """Return how far mean outputs are from 1/C."""
    classes = len(fit.weight)
    means = fit.weight @ fit.center + fit.bias
    return float(np.abs(classes * means - 1).max())


@formula(
    "predictions.rangamani2022.bias_residual",
    f"largest |b_c - 1/C| times C, 0 for a bias that weight decay leaves alone; {_FIT}",
    "P3 Theorem 2.3, with the bias that its assumption needs",
)
def bias_residual(fit: Gap) -> float:
    """Return how far the bias is from 1/C."""
    return float(np.abs(len(fit.bias) * fit.bias - 1).max())


RANGAMANI2022 = (
    epsilon,
    margin,
    interpolation_residual,
    duality_residual,
    norm_residual,
    offset_residual,
    bias_residual,
)
