"""What P1 predicts where centered labels are interpolated symmetrically, up to a factor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from boundkit.errors import NotApplicable
from boundkit.measure.collapse.formula import formula
from boundkit.measure.collapse.geometry import Geometry, Numbers, spread_along
from boundkit.measure.collapse.square_loss import targets_of

if TYPE_CHECKING:
    from boundkit.measure.collapse.square_loss import Targets

__all__ = ["XU2023", "Interpolation", "interpolation", "unmet"]

_FIT = (
    "labels e_c: 1 at c and -1/(C - 1) elsewhere; alpha the best factor in f = alpha e_c, "
    "the mean of <f, e_c> (C - 1)/C; V = W/||W||_F, M_c = mu_c - mu_G"
)


@dataclass(frozen=True, slots=True, eq=False)
class Interpolation:
    """A bias-free last layer beside the best multiple of centered labels.

    Attributes:
        alpha: That multiple.
        residual: Root mean square of ``||f - alpha e_c||``.
        second_moment: Mean of ``||f||^2``.
        weight: (C, p) of the last layer.
        size: Its Frobenius norm.
        center: (p,) mean of the class means.
        centered: (C, p) class means less that.
        rho: Product of the norms of all layers, or None.
        decay: Coefficient of rho^2 in the loss, or None.
    """

    alpha: float
    residual: float
    second_moment: float
    weight: Numbers
    size: float
    center: Numbers
    centered: Numbers
    rho: float | None
    decay: float | None


def unmet(geometry: Geometry, targets: Targets) -> tuple[str, ...]:
    """Return which conditions of P1's theorem on collapse cannot hold here.

    Args:
        geometry: Of the features and the last layer.
        targets: What the net was trained to output.
    """
    if geometry.weight is None:
        return ("needs the classifier; give its weight",)
    classes = len(geometry.weight)
    biased = geometry.bias is not None and bool(geometry.bias.any())
    conditions = (
        (classes < 2, "the net has one output"),
        (
            targets != "centered",
            "the labels are not centered: targets is not 'centered'",
        ),
        (biased, "the last layer has a bias"),
        (not geometry.balanced, "the classes are not balanced"),
        (
            geometry.width < classes - 1,
            f"no simplex of {classes} classes fits into {geometry.width} features",
        ),
    )
    return tuple(reason for failed, reason in conditions if failed)


def interpolation(
    geometry: Geometry, targets: Targets, rho: float | None, decay: float | None
) -> Interpolation:
    """Fit the multiple of centered labels that the outputs are closest to.

    Args:
        geometry: Of the features and the last layer.
        targets: What the net was trained to output.
        rho: Product of the norms of all layers, or None.
        decay: Coefficient of rho^2 in the loss, or None.

    Raises:
        NotApplicable: A condition of the theorem fails, or the net is constant.
    """
    reasons = unmet(geometry, targets)
    if reasons:
        raise NotApplicable("; ".join(reasons))
    weight = geometry.weight
    assert weight is not None  # noqa: S101 - unmet has looked
    classes = len(weight)
    labels = targets_of(geometry, targets)
    outputs = geometry.mean @ weight.T
    alpha = float((outputs * labels).sum() / classes) * (classes - 1) / classes
    noise = float(spread_along(geometry, weight).sum())
    gaps = float(((outputs - alpha * labels) ** 2).sum() / classes)
    size = float(np.linalg.norm(weight))
    if alpha == 0 or size == 0:
        raise NotApplicable("the outputs have nothing in common with the labels")
    return Interpolation(
        alpha=alpha,
        residual=float(np.sqrt(noise + gaps)),
        second_moment=noise + float((outputs**2).sum() / classes),
        weight=weight,
        size=size,
        center=geometry.center,
        centered=geometry.centered,
        rho=rho,
        decay=decay,
    )


@formula("predictions.xu2023.alpha", _FIT, "P1 Property 2")
def alpha(fit: Interpolation) -> float:
    """Return alpha."""
    return fit.alpha


@formula(
    "predictions.xu2023.interpolation_gap",
    f"1 - alpha; {_FIT}",
    "P1 Property 2; lambda/(M + lambda) at equilibrium by eq. (34)",
)
def interpolation_gap(fit: Interpolation) -> float:
    """Return how far the outputs stay from interpolation."""
    return 1 - fit.alpha


@formula(
    "predictions.xu2023.interpolation_residual",
    f"root mean square of ||f - alpha e_c|| over |alpha|; {_FIT}",
    "P1 Property 2",
)
def interpolation_residual(fit: Interpolation) -> float:
    """Return how far the outputs are from a multiple of the labels."""
    return fit.residual / abs(fit.alpha)


@formula(
    "predictions.xu2023.norm_residual",
    f"largest |C ||V_c||^2 - 1| over classes; {_FIT}",
    "P1 eq. (43)",
)
def norm_residual(fit: Interpolation) -> float:
    """Return how far squared row norms are from 1/C of the whole."""
    squares = (fit.weight**2).sum(1) / fit.size**2
    return float(np.abs(len(squares) * squares - 1).max())


@formula(
    "predictions.xu2023.duality_residual",
    "mean over classes of ||W_c - (||W||_F^2/(alpha C)) M_c|| / ||W_c||, which is eq. (42) "
    f"without the norms of the other layers; {_FIT}",
    "P1 eq. (42)",
)
def duality_residual(fit: Interpolation) -> float:
    """Return how far rows are from the predicted multiple of centered means.

    Raises:
        NotApplicable: A row is zero.
    """
    factor = fit.size**2 / (fit.alpha * len(fit.weight))
    norms = np.linalg.norm(fit.weight, axis=1)
    if norms.min() <= 0:
        raise NotApplicable("a classifier row is zero")
    gaps = np.linalg.norm(fit.weight - factor * fit.centered, axis=1)
    return float((gaps / norms).mean())


@formula(
    "predictions.xu2023.center_residual",
    f"largest |<W_c, mu_G>| over |alpha|; {_FIT}",
    "P1 eq. (44)",
)
def center_residual(fit: Interpolation) -> float:
    """Return how far the mean output is from zero."""
    return float(np.abs(fit.weight @ fit.center).max()) / abs(fit.alpha)


@formula(
    "predictions.xu2023.mean_norm_residual",
    f"largest | ||M_c|| ||W||_F / (|alpha| sqrt(C)) - 1 | over classes; {_FIT}",
    "follows from P1 eqs. (42), (43)",
)
def mean_norm_residual(fit: Interpolation) -> float:
    """Return how far the norms of centered means are from the predicted one."""
    norms = np.linalg.norm(fit.centered, axis=1)
    predicted = abs(fit.alpha) * np.sqrt(len(norms)) / fit.size
    return float(np.abs(norms / predicted - 1).max())


@formula(
    "predictions.xu2023.angle_residual",
    f"mean over pairs of |cos(W_c, W_c') + 1/(C - 1)|; {_FIT}",
    "P1 eq. (45)",
)
def angle_residual(fit: Interpolation) -> float:
    """Return how far angles between rows are from those of a simplex.

    Raises:
        NotApplicable: A row is zero.
    """
    norms = np.linalg.norm(fit.weight, axis=1)
    if norms.min() <= 0:
        raise NotApplicable("a classifier row is zero")
    unit = fit.weight / norms[:, None]
    pairs = (unit @ unit.T)[np.triu_indices(len(unit), 1)]
    return float(np.abs(pairs + 1 / (len(unit) - 1)).mean())


def _known(fit: Interpolation) -> tuple[float, float]:
    if fit.rho is None or fit.decay is None:
        raise NotApplicable(
            "needs the product of the norms of all layers, and the coefficient of its"
            " square in the loss; give rho and rho_decay"
        )
    if fit.rho <= 0:
        raise NotApplicable("the product of norms is not positive")
    return fit.rho, fit.decay


def _moments(fit: Interpolation) -> tuple[float, float, float, float]:
    """Return rho, mu, M and M + lambda of the normalized net."""
    rho, decay = _known(fit)
    classes = len(fit.weight)
    mu = fit.alpha * classes / (classes - 1) / rho
    second = fit.second_moment / rho**2
    return rho, mu, second, second + decay


@formula(
    "predictions.xu2023.rho_eq",
    "mu/(M + lambda), mu = mean <f_V, e_c>, M = mean ||f_V||^2, f_V = f/rho, lambda the "
    f"coefficient of rho^2; {_FIT}",
    "P1 eq. (33)",
)
def rho_eq(fit: Interpolation) -> float:
    """Return the product of norms at equilibrium."""
    _, mu, _, total = _moments(fit)
    return mu / total


@formula(
    "predictions.xu2023.loss_at_rho_eq",
    "C/(C - 1) - mu^2/(M + lambda), of the loss mean ||rho f_V - e_c||^2 + lambda rho^2; "
    f"{_FIT}",
    "P1 eq. (34)",
)
def loss_at_rho_eq(fit: Interpolation) -> float:
    """Return the least loss over the product of norms."""
    _, mu, _, total = _moments(fit)
    classes = len(fit.weight)
    return classes / (classes - 1) - mu * mu / total


@formula(
    "predictions.xu2023.predicted_alpha",
    f"M/(M + lambda), what alpha is at equilibrium; {_FIT}",
    "follows from P1 eqs. (33), (34)",
)
def predicted_alpha(fit: Interpolation) -> float:
    """Return what alpha is at equilibrium."""
    _, _, second, total = _moments(fit)
    return second / total


XU2023 = (
    alpha,
    interpolation_gap,
    interpolation_residual,
    norm_residual,
    duality_residual,
    center_residual,
    mean_norm_residual,
    angle_residual,
    rho_eq,
    loss_at_rho_eq,
    predicted_alpha,
)
