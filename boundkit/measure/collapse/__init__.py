"""(class moments, last layer) -> every measure of neural collapse.

P0: Poggio, Liao (2021), "Generalization in deep network classifiers trained with the
square loss". P1: Xu, Rangamani, Liao, Galanti, Poggio (2023), "Dynamics in deep
classifiers trained with the square loss". P2: Han, Papyan, Donoho (2022), "Neural
collapse under MSE loss". P3: Rangamani, Banburski-Fahey (2022), "Neural collapse in deep
homogeneous classifiers and the role of weight decay". P4: Ji, Lu, Zhang, Deng, Su (2022),
"An unconstrained layer-peeled perspective on neural collapse".

To add a measure: write it in the file of its family and add it to that file's tuple.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from boundkit.measure.collapse import rangamani2022, xu2023
from boundkit.measure.collapse.binary import BINARY
from boundkit.measure.collapse.decisions import DECISIONS
from boundkit.measure.collapse.duality import DUALITY
from boundkit.measure.collapse.formula import Finding, Formula, evaluated
from boundkit.measure.collapse.geometry import Geometry, geometry_of
from boundkit.measure.collapse.portraits import portraits
from boundkit.measure.collapse.rangamani2022 import RANGAMANI2022
from boundkit.measure.collapse.result import Collapse
from boundkit.measure.collapse.signal import SIGNAL, Signal, Spectrum, signal_of
from boundkit.measure.collapse.simplex import SIMPLEX
from boundkit.measure.collapse.square_loss import (
    SQUARE_LOSS,
    Reduction,
    Targets,
    decay_of,
    decomposition,
)
from boundkit.measure.collapse.variability import VARIABILITY
from boundkit.measure.collapse.xu2023 import XU2023

if TYPE_CHECKING:
    from collections.abc import Mapping

    from boundkit.numerics.class_moments import Agreement, ClassMoments

__all__ = ["MEASURES", "Collapse", "Finding", "Formula", "collapse_of", "section"]

#: The catalog, in the order of reports.
MEASURES: tuple[Formula[Any], ...] = (
    *VARIABILITY,
    *SIMPLEX,
    *DUALITY,
    *DECISIONS,
    *BINARY,
    *SQUARE_LOSS,
    *SIGNAL,
    *XU2023,
    *RANGAMANI2022,
)


def collapse_of(
    moments: ClassMoments,
    weight: Any = None,
    bias: Any = None,
    agreement: Agreement | None = None,
    *,
    weight_decay: float | None = None,
    square_loss: Reduction = "mean",
    targets: Targets = "one-hot",
    rho: float | None = None,
    rho_decay: float | None = None,
) -> Collapse:
    """Measure neural collapse from finished moments.

    Args:
        moments: Of the features of one sample, on any device.
        weight: (C, p) of the last layer, or (1, p) for labels -1 and +1; None leaves
            out what needs it.
        bias: (C,) of the last layer, or None if it has none.
        agreement: Of the same sample, from a second pass; None leaves out what needs it.
        weight_decay: Of the optimizer; None is 0, and unknown to what predicts with it.
        square_loss: How the loss it was added to is reduced.
        targets: What the net was trained to output.
        rho: Product of the norms of all layers, or None.
        rho_decay: Coefficient of rho^2 in the loss, or None.

    Raises:
        DataError: There is no sample, or a moment is not finite.
        UsageError: The last layer does not fit the moments.
    """
    geometry = geometry_of(moments, weight, bias, agreement)
    outputs = geometry.classes if geometry.weight is None else len(geometry.weight)
    decay = decay_of(weight_decay or 0.0, square_loss, outputs)
    spectrum = Spectrum.of(geometry.within)

    @cache
    def signal() -> Signal:
        return signal_of(geometry, spectrum)

    plain = (*VARIABILITY, *SIMPLEX, *DUALITY, *DECISIONS, *BINARY)
    findings = (
        *evaluated(plain, lambda: geometry),
        *evaluated(SQUARE_LOSS, lambda: decomposition(geometry, decay, targets)),
        *evaluated(SIGNAL, signal),
        *evaluated(
            XU2023, lambda: xu2023.interpolation(geometry, targets, rho, rho_decay)
        ),
        *evaluated(
            RANGAMANI2022,
            lambda: rangamani2022.gap(
                geometry, targets, None if weight_decay is None else decay
            ),
        ),
    )
    # Rounding leaves eigenvalues of a covariance a little below zero.
    eigenvalues = np.maximum(spectrum.eigenvalues[::-1], 0.0)
    arrays, absent = portraits(geometry, eigenvalues, signal)
    return Collapse(
        findings=findings,
        arrays=arrays,
        absent=absent,
        n=round(geometry.n),
        classes=geometry.classes,
        present=tuple(map(int, geometry.present)),
        notices=_notices(geometry),
    )


def _notices(geometry: Geometry) -> tuple[str, ...]:
    classes, width = len(geometry.present), geometry.width
    empty = geometry.classes - classes
    least, most = int(geometry.count.min()), int(geometry.count.max())
    single = int((geometry.count == 1).sum())
    conditions = (
        (
            empty > 0,
            f"classes without samples are left out: {empty} of {geometry.classes}",
        ),
        (
            least < most,
            (
                f"classes have {least} to {most} samples: covariances count every sample the "
                "same, mu_G every class the same"
            ),
        ),
        (
            single > 0,
            f"classes of one sample, which has no spread of its own: {single}",
        ),
        (
            classes == 2,
            (
                "with two classes the centered means are opposite whatever they are: NC2 of "
                "the means says nothing"
            ),
        ),
        (
            classes > width + 1,
            f"{classes} classes in {width} features: no simplex frame exists there",
        ),
        (
            geometry.basis is not None,
            (
                "covariance within classes is known in the span of class means and "
                f"classifier only: features of width {width} would need {width} x {width} "
                "numbers"
            ),
        ),
    )
    return tuple(text for holds, text in conditions if holds)


def section(
    train: Collapse | None,
    test: Collapse | None,
    ulpm: Mapping[str, Mapping[str, Any] | None] | None = None,
) -> dict[str, Any]:
    """Return what a report says of collapse.

    That of the training sample as it is, a table of the held-out one under ``test``,
    and the conventions once.

    Args:
        train: Of the training sample, or None.
        test: Of the held-out sample, or None.
        ulpm: Summary of the layer-peeled measures of ``"train"`` and ``"test"``.
    """
    peeled = ulpm or {}
    return _table(train, peeled.get("train")) | {
        "test": _table(test, peeled.get("test")) or None,
        "conventions": {
            one.name: f"{one.convention} [{one.source}]" for one in MEASURES
        },
    }


def _table(found: Collapse | None, ulpm: Mapping[str, Any] | None) -> dict[str, Any]:
    if found is None:
        return {}
    return found.summary() | ({} if ulpm is None else {"ulpm": dict(ulpm)})
