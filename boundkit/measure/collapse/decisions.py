"""NC4: whether the net decides as the nearest class mean does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.errors import NotApplicable
from boundkit.measure.collapse.formula import formula

if TYPE_CHECKING:
    import torch

    from boundkit.measure.collapse.geometry import Geometry
    from boundkit.numerics.class_moments import Agreement

__all__ = ["DECISIONS"]

_NEAREST = (
    "nearest class mean in Euclidean distance, means of the training sample, the lowest "
    "class of equals"
)


def _seen(geometry: Geometry) -> Agreement:
    if geometry.agreement is None:
        raise NotApplicable(
            "needs a second pass over the features, against the finished class means"
        )
    return geometry.agreement


def _share(part: torch.Tensor | None, seen: Agreement, missing: str) -> float:
    if part is None:
        raise NotApplicable(missing)
    return float(part.sum()) / float(seen.count.sum())


@formula(
    "nc4_mismatch",
    f"share of samples where argmax of the outputs, bias included, is not the {_NEAREST}",
    "Papyan, Han, Donoho (2020), fig. 7; P2 section 1.1, (NC4)",
)
def nc4_mismatch(geometry: Geometry) -> float:
    """Return the share of samples where net and nearest class mean disagree."""
    seen = _seen(geometry)
    return _share(seen.mismatches, seen, "needs the classifier; give its weight")


@formula(
    "nc4_mismatch_without_bias",
    f"share of samples where argmax of W h, bias left out, is not the {_NEAREST}",
    "P1 section 5, NC4; P3 (NC4)",
)
def nc4_mismatch_without_bias(geometry: Geometry) -> float:
    """Return the share of samples where W h and the nearest class mean disagree."""
    seen = _seen(geometry)
    return _share(
        seen.mismatches_unbiased,
        seen,
        "needs the weight and the bias of the classifier; give both",
    )


@formula(
    "ncc_error",
    f"share of samples whose {_NEAREST} is not their class's",
    "Galanti, Gyorgy, Hutter (2021)",
)
def ncc_error(geometry: Geometry) -> float:
    """Return the error of the nearest class mean as a classifier."""
    seen = _seen(geometry)
    return _share(seen.nearest_errors, seen, "")


@formula(
    "net_error",
    "share of samples whose largest output, the lowest of equals, is not their class's",
    "P2 section 1",
)
def net_error(geometry: Geometry) -> float:
    """Return the error of the net."""
    seen = _seen(geometry)
    return _share(seen.net_errors, seen, "needs the classifier; give its weight")


DECISIONS = (nc4_mismatch, nc4_mismatch_without_bias, ncc_error, net_error)
