"""Where the classes lie: means, covariances and classifier rows, as numpy arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from boundkit.errors import DataError, NotApplicable, UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from boundkit.numerics.class_moments import Agreement, ClassMoments

__all__ = ["Geometry", "Numbers", "classifier", "geometry_of", "spread_along", "whole"]

Numbers = np.ndarray[Any, np.dtype[np.float64]]

# Two means closer than this, relative to their norms, differ by rounding only.
_SAME = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Geometry:
    """Statistics of the features that enter the last layer, and that layer.

    Classes without samples are left out: k of C classes have some. Where all features
    lie in a known subspace of q < p dimensions, p below is q: everything stands in its
    coordinates.

    Attributes:
        classes: C.
        width: p, always that of the features themselves.
        present: (k,) which classes have samples, ascending.
        count: (k,) samples of each.
        mean: (k, p) their means.
        center: (p,) mean of the class means, each class counting the same.
        centered: (k, p) ``mean - center``; rows that differ from zero by rounding only
            are zero.
        variance: (k,) ``E ||h - mean_c||^2`` of each class, divided by its count.
        within: (p, p) Sigma_W, the sum over all samples divided by n; in the
            coordinates of ``basis`` where that is given.
        basis: (p, r) orthonormal columns outside whose span Sigma_W is not known, or
            None.
        strength: (m,) singular values of ``centered``, descending, m = min(k - 1, p).
        directions: (m, p) its right singular vectors.
        weight: (K, p) of the last layer, or None.
        bias: (K,) of the last layer, or None.
        agreement: Decisions of the net and of the nearest class mean, or None.
    """

    classes: int
    width: int
    present: NDArray[np.int64]
    count: Numbers
    mean: Numbers
    center: Numbers
    centered: Numbers
    variance: Numbers
    within: Numbers
    basis: Numbers | None
    strength: Numbers
    directions: Numbers
    weight: Numbers | None
    bias: Numbers | None
    agreement: Agreement | None

    @property
    def n(self) -> float:
        """Number of samples."""
        return float(self.count.sum())

    @property
    def share(self) -> Numbers:
        """(k,) share of the samples that each class has."""
        share: Numbers = self.count / self.count.sum()
        return share

    @property
    def balanced(self) -> bool:
        """Whether all C classes have equally many samples."""
        whole = len(self.present) == self.classes
        return whole and bool((self.count == self.count[0]).all())


def geometry_of(
    moments: ClassMoments,
    weight: Any = None,
    bias: Any = None,
    agreement: Agreement | None = None,
) -> Geometry:
    """Return the geometry of finished moments and the last layer.

    Args:
        moments: Of one sample, on any device.
        weight: (K, p) of the last layer, K = C or 1; or None.
        bias: (K,) of the last layer, or None.
        agreement: Of the same sample, or None.

    Raises:
        DataError: There is no sample, or a moment is not finite.
        UsageError: The last layer does not fit the moments, or is not finite.
    """
    count = _numbers(moments.count)
    present = np.flatnonzero(count > 0)
    if not len(present):
        raise DataError("features: no samples in them; give at least one")
    mean = _numbers(moments.mean)[present]
    spread = _numbers(moments.spread)[present]
    within = _numbers(moments.within)
    if not all(np.isfinite(part).all() for part in (mean, spread, within)):
        raise DataError(
            "features: their moments are not finite in float64; remove NaN and Inf,"
            " and scale features above 1e150 down"
        )
    width = mean.shape[1]
    head, offset = _head(weight, bias, len(count), width)
    center = mean.mean(axis=0)
    centered = _centered(mean, center)
    basis = None if moments.basis is None else _numbers(moments.basis)
    if moments.complete and basis is not None:
        # Lengths and angles stay what they are.
        mean, center, centered = mean @ basis, center @ basis, centered @ basis
        head, basis = None if head is None else head @ basis, None
    strength, directions = _directions(centered)
    return Geometry(
        classes=len(count),
        width=width,
        present=present,
        count=count[present],
        mean=mean,
        center=center,
        centered=centered,
        variance=spread / count[present],
        within=within / count.sum(),
        basis=basis,
        strength=strength,
        directions=directions,
        weight=head,
        bias=offset,
        agreement=agreement,
    )


def _numbers(values: Any) -> Numbers:
    if hasattr(values, "detach"):
        values = values.detach().double().cpu().numpy()
    return np.asarray(values, dtype=np.float64)


def _centered(mean: Numbers, center: Numbers) -> Numbers:
    centered = mean - center
    length = np.linalg.norm(centered, axis=1)
    same = length <= _SAME * np.linalg.norm(mean, axis=1).max()
    return np.where(same[:, None], 0.0, centered)


def _directions(centered: Numbers) -> tuple[Numbers, Numbers]:
    rank = min(len(centered) - 1, centered.shape[1])
    _, strength, directions = np.linalg.svd(centered, full_matrices=False)
    return strength[:rank], directions[:rank]


def _head(
    weight: Any, bias: Any, classes: int, width: int
) -> tuple[Numbers | None, Numbers | None]:
    if weight is None:
        if bias is not None:
            raise UsageError("bias is given without weight; give both, or weight alone")
        return None, None
    rows = _numbers(weight)
    if rows.ndim != 2 or rows.shape[1] != width:
        raise UsageError(
            f"weight must have shape (C, {width}) for features of width {width}, but"
            f" got {rows.shape}"
        )
    outputs = len(rows)
    if outputs != classes and (outputs, classes) != (1, 2):
        raise UsageError(
            f"weight has {outputs} rows for {classes} classes; give one row per class,"
            " or one row for two classes"
        )
    offset = None if bias is None else _numbers(bias).reshape(-1)
    if offset is not None and len(offset) != outputs:
        raise UsageError(
            f"bias must have one number per row of weight, {outputs}, but got"
            f" {len(offset)}"
        )
    if not np.isfinite(rows).all() or (
        offset is not None and not np.isfinite(offset).all()
    ):
        raise UsageError("weight or bias holds NaN or Inf; give a trained last layer")
    return rows, offset


def whole(geometry: Geometry) -> Numbers:
    """Return Sigma_W (p, p).

    Raises:
        NotApplicable: It is known in a subspace only.
    """
    if geometry.basis is not None:
        width = geometry.width
        raise NotApplicable(
            f"needs the whole covariance within classes, {width} x {width} numbers; it was"
            " collected in the span of class means and classifier only"
            ' (boundkit.collapse(..., scatter="whole") takes all of it)'
        )
    return geometry.within


def spread_along(geometry: Geometry, rows: Numbers) -> Numbers:
    """Return the variance (m,) within classes along rows, ``row Sigma_W row^T``.

    Args:
        geometry: Of the features.
        rows: (m, p) directions.

    Raises:
        NotApplicable: A row leaves the subspace that Sigma_W is known in.
    """
    if geometry.basis is None:
        return np.asarray(((rows @ geometry.within) * rows).sum(axis=1))
    inside = rows @ geometry.basis
    outside = np.linalg.norm(rows - inside @ geometry.basis.T)
    if outside > 1e-8 * np.linalg.norm(rows):
        whole(geometry)
    return np.asarray(((inside @ geometry.within) * inside).sum(axis=1))


def classifier(geometry: Geometry) -> Numbers:
    """Return the classifier rows (k, p) of the classes that have samples.

    Raises:
        NotApplicable: There is no classifier, or it has one output.
    """
    if geometry.weight is None:
        raise NotApplicable("needs the classifier; give its weight")
    if len(geometry.weight) == 1:
        raise NotApplicable(
            "a net with one output has one classifier row; see binary.*"
        )
    return geometry.weight[geometry.present]
