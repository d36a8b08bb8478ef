"""NC3: whether the classifier and the class means are the same up to scale."""

from __future__ import annotations

import numpy as np

from boundkit.errors import NotApplicable
from boundkit.measure.collapse.formula import formula
from boundkit.measure.collapse.geometry import Geometry, Numbers, classifier
from boundkit.measure.collapse.simplex import class_means, frame_distance, unit_rows

__all__ = ["DUALITY"]

_MEANS = "M_c = mu_c - mu_G, mu_G the mean of class means"
_SCALAR = "a net with one output w is read as the two rows -w, +w"


def _rows(geometry: Geometry) -> Numbers:
    """Return one classifier row per class; of a scalar net those of -f and +f."""
    class_means(geometry)
    if geometry.weight is not None and len(geometry.weight) == 1:
        return np.concatenate([-geometry.weight, geometry.weight])
    return classifier(geometry)


@formula(
    "nc3_frobenius",
    "|| W/||W||_F - M^T/||M||_F ||_F, not squared, W not centered; "
    f"{_MEANS}; {_SCALAR}",
    "P1 section 5, NC3; P3 section 3; the notebook of P2 has its square",
)
def nc3_frobenius(geometry: Geometry) -> float:
    """Return the distance between classifier and centered means, each of norm 1.

    Raises:
        NotApplicable: The classifier or the centered means are zero.
    """
    rows, means = _rows(geometry), geometry.centered
    sizes = np.linalg.norm(rows), np.linalg.norm(means)
    if min(sizes) <= 0:
        raise NotApplicable("the classifier or the centered means are all zero")
    return float(np.linalg.norm(rows / sizes[0] - means / sizes[1]))


def _mean_gap(rows: Numbers, geometry: Geometry) -> float:
    ours = unit_rows(rows, geometry, "the classifier row")
    theirs = unit_rows(geometry.centered, geometry, "the centered mean")
    return float(np.linalg.norm(ours - theirs, axis=1).mean())


@formula(
    "nc3_per_class",
    "mean over classes of || w_c/||w_c|| - M_c/||M_c|| ||, W not centered; "
    f"{_MEANS}; {_SCALAR}",
    "P2 section 1.1, (NC3); P4 section 4, metric 4",
)
def nc3_per_class(geometry: Geometry) -> float:
    """Return the mean distance between unit classifier rows and unit means."""
    return _mean_gap(_rows(geometry), geometry)


@formula(
    "nc3_per_class_centered",
    "as nc3_per_class, the mean row subtracted from W first",
    "P4 section 4, metric 4, for classifiers whose rows do not add to zero",
)
def nc3_per_class_centered(geometry: Geometry) -> float:
    """Return the mean distance between unit centered rows and unit means."""
    rows = _rows(geometry)
    return _mean_gap(rows - rows.mean(axis=0), geometry)


@formula(
    "nc3_etf",
    "|| G/||G||_F - (I - 11^T/C)/sqrt(C - 1) ||_F, G = W M, W not centered; "
    f"{_MEANS}; {_SCALAR}",
    "Zhu et al. (2021)",
)
def nc3_etf(geometry: Geometry) -> float:
    """Return the distance of W M from the Gram matrix of a simplex frame."""
    return frame_distance(_rows(geometry) @ geometry.centered.T)


DUALITY = (nc3_frobenius, nc3_per_class, nc3_per_class_centered, nc3_etf)
