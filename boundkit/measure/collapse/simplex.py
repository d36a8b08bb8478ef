"""NC2: how close class means and classifier rows are to a simplex equiangular frame."""

from __future__ import annotations

import numpy as np

from boundkit.errors import NotApplicable
from boundkit.measure.collapse.formula import Formula, formula
from boundkit.measure.collapse.geometry import Geometry, Numbers, classifier

__all__ = ["SIMPLEX", "class_means", "cosines", "frame_distance", "unit_rows"]

_MEANS = "rows mu_c - mu_G, mu_G the mean of class means"
_ROWS = "rows w_c as they are, not centered"


def class_means(geometry: Geometry) -> Numbers:
    """Return the centered class means (k, p).

    Raises:
        NotApplicable: Fewer than two classes have samples.
    """
    if len(geometry.present) < 2:
        raise NotApplicable("needs two classes with samples")
    return geometry.centered


def _classifier(geometry: Geometry) -> Numbers:
    class_means(geometry)
    return classifier(geometry)


def unit_rows(rows: Numbers, geometry: Geometry, what: str) -> Numbers:
    """Return rows divided by their norms.

    Args:
        rows: (k, p).
        geometry: Names the classes.
        what: The rows, in words.

    Raises:
        NotApplicable: A row is zero and has no direction.
    """
    norms = np.linalg.norm(rows, axis=1)
    if (norms <= 0).any():
        zero = int(geometry.present[np.argmin(norms)])
        raise NotApplicable(f"{what} of class {zero} is zero and has no direction")
    unit: Numbers = rows / norms[:, None]
    return unit


def cosines(rows: Numbers, geometry: Geometry, what: str) -> Numbers:
    """Return the cosines (k, k) between rows.

    Args:
        rows: (k, p).
        geometry: Names the classes.
        what: The rows, in words.

    Raises:
        NotApplicable: A row is zero and has no direction.
    """
    unit = unit_rows(rows, geometry, what)
    return np.clip(unit @ unit.T, -1.0, 1.0)


def frame_distance(gram: Numbers) -> float:
    """Return ``|| G / ||G||_F - (I - 11^T / k) / sqrt(k - 1) ||_F``.

    Args:
        gram: (k, k).

    Raises:
        NotApplicable: It is zero.
    """
    k = len(gram)
    size = np.linalg.norm(gram)
    if size <= 0:
        raise NotApplicable("the vectors are zero: there is no frame to compare")
    frame = (np.eye(k) - 1 / k) / np.sqrt(k - 1)
    return float(np.linalg.norm(gram / size - frame))


def _equinorm(rows: Numbers) -> float:
    norms = np.linalg.norm(rows, axis=1)
    if norms.max() <= 0:
        raise NotApplicable(
            "all of the vectors are zero: there is nothing to divide by"
        )
    return float(norms.std() / norms.mean())


def _pairs(matrix: Numbers) -> Numbers:
    upper: Numbers = matrix[np.triu_indices(len(matrix), 1)]
    return upper


def _relative_spread(pairs: Numbers) -> float:
    mean = abs(float(pairs.mean()))
    if mean <= 0:
        raise NotApplicable("the mean cosine is zero: there is nothing to divide by")
    return float(pairs.std()) / mean


def _largest_angle(pairs: Numbers, classes: int) -> float:
    return float(np.abs(pairs + 1 / (classes - 1)).mean())


@formula(
    "nc2_equinorm_means",
    f"standard deviation (ddof 0) of the norms / their mean; {_MEANS}",
    "Papyan, Han, Donoho (2020), fig. 2; P1 fig. 9; P4 section 4, metric 1",
)
def nc2_equinorm_means(geometry: Geometry) -> float:
    """Return the coefficient of variation of the norms of centered means."""
    return _equinorm(class_means(geometry))


@formula(
    "nc2_equinorm_weights",
    f"standard deviation (ddof 0) of the norms / their mean; {_ROWS}",
    "Papyan, Han, Donoho (2020), fig. 2; P1 fig. 9; P4 section 4, metric 1",
)
def nc2_equinorm_weights(geometry: Geometry) -> float:
    """Return the coefficient of variation of the norms of classifier rows."""
    return _equinorm(_classifier(geometry))


def _cosine_pairs(geometry: Geometry, *, of_weights: bool) -> Numbers:
    if of_weights:
        return _pairs(cosines(_classifier(geometry), geometry, "the classifier row"))
    return _pairs(cosines(class_means(geometry), geometry, "the centered mean"))


@formula(
    "nc2_equiangle_means",
    f"standard deviation (ddof 0) of the cosines over pairs c != c'; {_MEANS}",
    "Papyan, Han, Donoho (2020), fig. 3; P2 fig. 4",
)
def nc2_equiangle_means(geometry: Geometry) -> float:
    """Return the standard deviation of the cosines of centered means."""
    return float(_cosine_pairs(geometry, of_weights=False).std())


@formula(
    "nc2_equiangle_weights",
    f"standard deviation (ddof 0) of the cosines over pairs c != c'; {_ROWS}",
    "Papyan, Han, Donoho (2020), fig. 3; P2 fig. 4",
)
def nc2_equiangle_weights(geometry: Geometry) -> float:
    """Return the standard deviation of the cosines of classifier rows."""
    return float(_cosine_pairs(geometry, of_weights=True).std())


@formula(
    "nc2_equiangle_relative_means",
    f"nc2_equiangle_means / |mean cosine|; {_MEANS}",
    "P1 fig. 9; P0 fig. 5 (there over the mean itself, which is negative)",
)
def nc2_equiangle_relative_means(geometry: Geometry) -> float:
    """Return the relative standard deviation of the cosines of centered means."""
    return _relative_spread(_cosine_pairs(geometry, of_weights=False))


@formula(
    "nc2_equiangle_relative_weights",
    f"nc2_equiangle_weights / |mean cosine|; {_ROWS}",
    "P1 fig. 9; P0 fig. 5 (there over the mean itself, which is negative)",
)
def nc2_equiangle_relative_weights(geometry: Geometry) -> float:
    """Return the relative standard deviation of the cosines of classifier rows."""
    return _relative_spread(_cosine_pairs(geometry, of_weights=True))


@formula(
    "nc2_max_angle_means",
    f"mean over pairs c != c' of |cos + 1/(C - 1)|; {_MEANS}",
    "Papyan, Han, Donoho (2020), fig. 4; P2 fig. 5; P4 section 4, metric 3",
)
def nc2_max_angle_means(geometry: Geometry) -> float:
    """Return how far the cosines of centered means are from -1/(C - 1)."""
    pairs = _cosine_pairs(geometry, of_weights=False)
    return _largest_angle(pairs, len(geometry.present))


@formula(
    "nc2_max_angle_weights",
    f"mean over pairs c != c' of |cos + 1/(C - 1)|; {_ROWS}",
    "Papyan, Han, Donoho (2020), fig. 4; P2 fig. 5; P4 section 4, metric 3",
)
def nc2_max_angle_weights(geometry: Geometry) -> float:
    """Return how far the cosines of classifier rows are from -1/(C - 1)."""
    pairs = _cosine_pairs(geometry, of_weights=True)
    return _largest_angle(pairs, len(geometry.present))


@formula(
    "nc2_etf_means",
    "|| G/||G||_F - (I - 11^T/C)/sqrt(C - 1) ||_F, G = M M^T; " + _MEANS,
    "Zhu et al. (2021), of the means",
)
def nc2_etf_means(geometry: Geometry) -> float:
    """Return the distance of the Gram matrix of means from that of a simplex frame."""
    rows = class_means(geometry)
    return frame_distance(rows @ rows.T)


@formula(
    "nc2_etf_weights",
    "|| G/||G||_F - (I - 11^T/C)/sqrt(C - 1) ||_F, G = W W^T; " + _ROWS,
    "Zhu et al. (2021)",
)
def nc2_etf_weights(geometry: Geometry) -> float:
    """Return the distance of the Gram matrix of rows from that of a simplex frame."""
    rows = _classifier(geometry)
    return frame_distance(rows @ rows.T)


SIMPLEX: tuple[Formula[Geometry], ...] = (
    nc2_equinorm_means,
    nc2_equinorm_weights,
    nc2_equiangle_means,
    nc2_equiangle_weights,
    nc2_equiangle_relative_means,
    nc2_equiangle_relative_weights,
    nc2_max_angle_means,
    nc2_max_angle_weights,
    nc2_etf_means,
    nc2_etf_weights,
)
