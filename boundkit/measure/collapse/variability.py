"""NC1: how much features vary within classes."""

from __future__ import annotations

import numpy as np

from boundkit.errors import NotApplicable
from boundkit.measure.collapse.formula import formula
from boundkit.measure.collapse.geometry import Geometry, Numbers, spread_along, whole

__all__ = ["VARIABILITY"]

# Eigenvalues of Sigma_B below this share of the largest are rounding, never inverted.
_CUTOFF = 1e-10

_COVARIANCES = (
    "Sigma_W = sum over all samples / n; Sigma_B = mean over classes of (mu_c - mu_G)"
    "(mu_c - mu_G)^T, mu_G the mean of class means"
)
_PINV = (
    f"{_COVARIANCES}; pseudo-inverse on the C - 1 leading eigenvectors, none of them "
    "below 1e-10 of the first"
)


def _between(geometry: Geometry) -> Numbers:
    """Return the (m,) eigenvalues of Sigma_B that are inverted.

    Raises:
        NotApplicable: There is none, or Sigma_B has fewer directions than classes.
    """
    if len(geometry.present) < 2:
        raise NotApplicable("needs two classes with samples")
    eigenvalues = geometry.strength**2 / len(geometry.present)
    wanted, found = (
        len(eigenvalues),
        int((eigenvalues > _CUTOFF * eigenvalues[0]).sum()),
    )
    if found < wanted:
        raise NotApplicable(
            f"is infinite: the class means span {found} dimensions instead of {wanted},"
            " so that variation within classes stands against no distance between them"
        )
    return eigenvalues


@formula(
    "nc1_pinv",
    f"tr(Sigma_W Sigma_B^+), not divided by C; {_PINV}",
    "P0 fig. 5; P1 fig. 9; notebook of P2",
)
def nc1_pinv(geometry: Geometry) -> float:
    """Return tr(Sigma_W Sigma_B^+)."""
    eigenvalues = _between(geometry)
    along = spread_along(geometry, geometry.directions)
    return float((along / eigenvalues).sum())


@formula(
    "nc1_pinv_per_class",
    f"tr(Sigma_W Sigma_B^+) / C, C the classes with samples; {_PINV}",
    "Papyan, Han, Donoho (2020), fig. 6",
)
def nc1_pinv_per_class(geometry: Geometry) -> float:
    """Return tr(Sigma_W Sigma_B^+) / C."""
    return nc1_pinv.rule(geometry) / len(geometry.present)


def _relative(geometry: Geometry) -> Numbers:
    """Return (m, p) rows with the singular values of ``Sigma_B^+ Sigma_W``."""
    eigenvalues = _between(geometry)
    rows: Numbers = geometry.directions @ whole(geometry) / eigenvalues[:, None]
    return rows


@formula(
    "nc1_pinv_nuclear",
    f"sum of the singular values of Sigma_B^+ Sigma_W; {_PINV}",
    "P2 section 1.1, (NC1)",
)
def nc1_pinv_nuclear(geometry: Geometry) -> float:
    """Return the nuclear norm of Sigma_B^+ Sigma_W."""
    return float(np.linalg.svd(_relative(geometry), compute_uv=False).sum())


@formula(
    "nc1_pinv_frobenius",
    f"Frobenius norm of Sigma_B^+ Sigma_W; {_PINV}",
    "P2 section 1.1, (NC1)",
)
def nc1_pinv_frobenius(geometry: Geometry) -> float:
    """Return the Frobenius norm of Sigma_B^+ Sigma_W."""
    return float(np.linalg.norm(_relative(geometry)))


def _trace_within(geometry: Geometry) -> float:
    return float(geometry.share @ geometry.variance)


@formula(
    "nc1_trace",
    "tr(Sigma_W), sum over all samples / n; not scale-free",
    "P1 section 5, NC1, eq. (27) with its inner sum running to N",
)
def nc1_trace(geometry: Geometry) -> float:
    """Return tr(Sigma_W)."""
    return _trace_within(geometry)


@formula(
    "nc1_ratio",
    f"tr(Sigma_W) / tr(Sigma_B); {_COVARIANCES}",
    "Tirer, Huang, Niles-Weed (2023)",
)
def nc1_ratio(geometry: Geometry) -> float:
    """Return tr(Sigma_W) / tr(Sigma_B).

    Raises:
        NotApplicable: The class means coincide.
    """
    between = float((geometry.centered**2).sum()) / len(geometry.present)
    if between <= 0:
        raise NotApplicable("the class means coincide: there is nothing to divide by")
    return _trace_within(geometry) / between


@formula(
    "nc1_distance",
    "mean ||h - mu_c|| / mean ||h - mu_G|| over all samples, norms not squared; mu_G "
    "the mean of class means; means of the training sample",
    "P4 section 4, metric 2",
)
def nc1_distance(geometry: Geometry) -> float:
    """Return the mean distance to the class mean over that to the center.

    Raises:
        NotApplicable: There was no second pass, or all features coincide.
    """
    seen = geometry.agreement
    if seen is None or seen.to_mean is None or seen.to_center is None:
        raise NotApplicable(
            "needs a second pass over the features, against the finished class means"
        )
    center = float(seen.to_center.sum())
    if center <= 0:
        raise NotApplicable("all features coincide: there is nothing to divide by")
    return float(seen.to_mean.sum()) / center


@formula(
    "cdnv",
    "mean over ordered pairs c != c' of (Var_c + Var_c') / (2 ||mu_c - mu_c'||^2), "
    "Var_c = E ||h - mu_c||^2 divided by the count (ddof 0)",
    "Galanti, Gyorgy, Hutter (2021), class-distance normalized variance",
)
def cdnv(geometry: Geometry) -> float:
    """Return the class-distance normalized variance, averaged over pairs.

    Raises:
        NotApplicable: There is one class only, or two means coincide.
    """
    k = len(geometry.present)
    if k < 2:
        raise NotApplicable("needs two classes with samples")
    upper = np.triu_indices(k, 1)
    squares = _squared_distances(geometry.centered)[upper]
    if (squares <= 0).any():
        pair = [int(geometry.present[at[np.argmin(squares)]]) for at in upper]
        raise NotApplicable(
            f"is infinite: the means of classes {pair[0]} and {pair[1]} coincide"
        )
    sums = (geometry.variance[:, None] + geometry.variance)[upper]
    return float((sums / (2 * squares)).mean())


def _squared_distances(points: Numbers) -> Numbers:
    """Return (k, k) squared distances, zero where only rounding parts two points."""
    gram = points @ points.T
    norms = np.diagonal(gram)
    sums = norms[:, None] + norms
    squares = sums - 2 * gram
    # The difference cancels where two of many means are close: those are redone.
    for row, column in np.argwhere(np.triu(squares < 1e-4 * sums, 1)):
        gap = points[row] - points[column]
        exact = float(gap @ gap)
        rounding = 1e-24 * max(norms[row], norms[column])
        squares[row, column] = squares[column, row] = exact if exact > rounding else 0.0
    return squares


VARIABILITY = (
    nc1_pinv,
    nc1_pinv_per_class,
    nc1_pinv_nuclear,
    nc1_pinv_frobenius,
    nc1_trace,
    nc1_ratio,
    nc1_distance,
    cdnv,
)
