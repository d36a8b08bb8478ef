"""Collapse of nets with one output: two means, and one direction that parts them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from boundkit.errors import NotApplicable
from boundkit.measure.collapse.formula import formula

if TYPE_CHECKING:
    from boundkit.measure.collapse.geometry import Geometry, Numbers

__all__ = ["BINARY"]


def _scalar(geometry: Geometry) -> tuple[Numbers, Numbers, Numbers]:
    """Return the means of the classes -1 and +1, and the classifier's row.

    Raises:
        NotApplicable: The net has more outputs, or a class has no samples.
    """
    if geometry.weight is None or len(geometry.weight) != 1:
        raise NotApplicable("is defined for nets with one output")
    if len(geometry.present) < 2:
        raise NotApplicable("needs two classes with samples")
    return geometry.mean[0], geometry.mean[1], geometry.weight[0]


def _cosine(one: Numbers, other: Numbers, what: str) -> float:
    sizes = np.linalg.norm(one) * np.linalg.norm(other)
    if sizes <= 0:
        raise NotApplicable(f"{what} or the classifier is zero and has no direction")
    return float(np.clip(one @ other / sizes, -1.0, 1.0))


@formula(
    "binary.antipodal",
    "||mu_+ + mu_-|| / (||mu_+|| + ||mu_-||), means as they are; 0 if mu_+ = -mu_-, "
    "which features after a ReLU reach only at zero",
    "P1 Theorem 5, NC2, with 1/N_+ and 1/N_- for the 1/N printed",
)
def antipodal(geometry: Geometry) -> float:
    """Return how far the two means are from being opposite.

    Raises:
        NotApplicable: Both means are zero.
    """
    low, high, _ = _scalar(geometry)
    size = np.linalg.norm(low) + np.linalg.norm(high)
    if size <= 0:
        raise NotApplicable("both class means are zero")
    return float(np.linalg.norm(low + high) / size)


@formula(
    "binary.cos_plus",
    "|cos(w, mu_+)|, the mean as it is",
    "P1 Theorem 5, NC3",
)
def cos_plus(geometry: Geometry) -> float:
    """Return the cosine between the classifier and the mean of class +1."""
    _, high, row = _scalar(geometry)
    return abs(_cosine(row, high, "the mean of class +1"))


@formula(
    "binary.cos_minus",
    "|cos(w, mu_-)|, the mean as it is",
    "P1 Theorem 5, NC3",
)
def cos_minus(geometry: Geometry) -> float:
    """Return the cosine between the classifier and the mean of class -1."""
    low, _, row = _scalar(geometry)
    return abs(_cosine(row, low, "the mean of class -1"))


@formula(
    "binary.cos_difference",
    "cos(w, mu_+ - mu_-), which centering makes exact also after a ReLU",
    "P1 Theorem 5, NC3, with centered means",
)
def cos_difference(geometry: Geometry) -> float:
    """Return the cosine between the classifier and the difference of the means."""
    _, _, row = _scalar(geometry)
    gap = geometry.centered[1] - geometry.centered[0]
    return _cosine(row, gap, "the difference of the means")


BINARY = (antipodal, cos_plus, cos_minus, cos_difference)
