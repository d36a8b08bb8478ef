"""What figures of collapse are drawn from: cosines, eigenvalues, values per class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from boundkit.errors import NotApplicable
from boundkit.measure.collapse.geometry import Geometry, Numbers, classifier, whole
from boundkit.measure.collapse.simplex import class_means, cosines

if TYPE_CHECKING:
    from collections.abc import Callable

    from boundkit.measure.collapse.signal import Signal

__all__ = ["portraits"]


def _weight_norms(geometry: Geometry) -> Numbers:
    norms: Numbers = np.linalg.norm(classifier(geometry), axis=1)
    return norms


def _mean_cosines(geometry: Geometry) -> Numbers:
    return cosines(class_means(geometry), geometry, "the centered mean")


def _weight_cosines(geometry: Geometry) -> Numbers:
    return cosines(classifier(geometry), geometry, "the classifier row")


def _of_whole(geometry: Geometry, eigenvalues: Numbers) -> Numbers:
    within = whole(geometry)
    # Directions that no sample has are not among the coordinates.
    return np.pad(eigenvalues, (0, geometry.width - len(within)))


def portraits(
    geometry: Geometry, eigenvalues: Numbers, signal: Callable[[], Signal]
) -> tuple[dict[str, Numbers | None], dict[str, str]]:
    """Return arrays by name, and why some are None.

    Args:
        geometry: Of the features and the last layer.
        eigenvalues: Of Sigma_W, descending.
        signal: Singular values of the signal-to-noise matrix.
    """
    makers: dict[str, Callable[[], Numbers]] = {
        "per_class.count": lambda: geometry.count,
        "per_class.spread": lambda: geometry.variance,
        "per_class.mean_norm": lambda: np.linalg.norm(geometry.centered, axis=1),
        "per_class.weight_norm": lambda: _weight_norms(geometry),
        "cosines.means": lambda: _mean_cosines(geometry),
        "cosines.weights": lambda: _weight_cosines(geometry),
        "eigenvalues.within": lambda: _of_whole(geometry, eigenvalues),
        "eigenvalues.between": lambda: geometry.strength**2 / len(geometry.present),
        "snr.singular_values": lambda: signal().values,
    }
    arrays: dict[str, Numbers | None] = {}
    absent: dict[str, str] = {}
    for name, make in makers.items():
        try:
            arrays[name] = make()
        except NotApplicable as missing:
            arrays[name], absent[name] = None, str(missing)
    return arrays, absent
