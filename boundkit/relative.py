"""Relative generalization: which of several nets has the smaller bound.

P1: Xu, Rangamani, Liao, Galanti, Poggio, Dynamics in deep classifiers trained with the
square loss: normalization, low rank, neural collapse and generalization bounds.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from boundkit.errors import UsageError
from boundkit.pairwise import ranking
from boundkit.report.comparison_model import MarginLevel, Relative
from boundkit.types import Assumption

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from boundkit.report.model import Report
    from boundkit.types import Status

__all__ = ["LEVELS", "relative"]

#: Shares of training margins that may lie below gamma -> their name in a report.
LEVELS = {0.0: "min", 0.01: "q01", 0.05: "q05", 0.1: "q10", 0.5: "median"}
_HOMOGENEOUS = frozenset({"ReLU", "LeakyReLU", "average pooling", "max pooling"})


def relative(
    labels: Sequence[str],
    reports: Sequence[Report],
    margin_loss: float | None,
    *,
    ran_alike: bool,
) -> Relative:
    """Compare rho / gamma, the part in which the bounds of two nets differ (P1 17, 18).

    At equal margin loss the bounds are A rho_a / gamma_a + e and A rho_b / gamma_b + e
    with the same A and e, since architecture and sample are the same; P1 has zero loss
    at gamma = 1 for both.

    Args:
        labels: One per net.
        reports: One per net, of one architecture and made alike.
        margin_loss: Share of the training margins below gamma, out of ``LEVELS``; None
            for the smallest at which every net has a positive margin.
        ran_alike: Whether it is known that all nets were run over the same sample.

    Raises:
        UsageError: There is no such level, or no data to choose a margin by.
    """
    folded = [report.rho_folded for report in reports]
    all_folded = all(one is not None and one.log10 is not None for one in folded)
    stored = tuple(report.rho_stored for report in reports)
    rhos = tuple(one for one in folded if one is not None) if all_folded else stored
    logs = [one.log10 for one in rhos]
    levels = _levels(labels, [_training(report) for report in reports], logs)
    assumptions = _assumptions(reports, ran_alike=ran_alike)
    chosen = _chosen(levels, margin_loss)
    return Relative(
        _status(assumptions),
        assumptions,
        "folded" if all_folded else "stored",
        rhos,
        chosen,
        tuple(x for x in levels if x is chosen or None not in x.margins),
        tuple(_held_out_error(report) for report in reports),
    )


def _training(report: Report) -> Mapping[str, Any] | None:
    """Return the statistics of the training margins, if there are any."""
    margins = report.margins
    return margins if margins is not None and "min" in margins else None


def _held_out_error(report: Report) -> float | None:
    table = (report.margins or {}).get("test")
    return None if table is None else table["train_error"]


def _levels(
    labels: Sequence[str],
    tables: Sequence[Mapping[str, Any] | None],
    logs: Sequence[float | None],
) -> tuple[MarginLevel, ...]:
    if any(table is None for table in tables):
        return (_level(labels, None, [1.0] * len(logs), logs),)
    return tuple(
        _level(labels, share, [table[name] for table in tables if table], logs)
        for share, name in LEVELS.items()
    )


def _level(
    labels: Sequence[str],
    share: float | None,
    quantiles: Sequence[float | None],
    logs: Sequence[float | None],
) -> MarginLevel:
    margins = tuple(q if q is not None and q > 0 else None for q in quantiles)
    ratios = tuple(
        None if log is None or margin is None else log - math.log10(margin)
        for log, margin in zip(logs, margins, strict=True)
    )
    return MarginLevel(share, margins, ratios, ranking(labels, ratios))


def _chosen(levels: Sequence[MarginLevel], wanted: float | None) -> MarginLevel:
    if wanted is None:
        whole = (level for level in levels if None not in level.margins)
        return next(whole, levels[-1])
    if wanted not in LEVELS:
        known = ", ".join(f"{share:g}" for share in LEVELS)
        raise UsageError(f"margin_loss must be one of {known}, but got {wanted!r}")
    if levels[0].margin_loss is None:
        raise UsageError(
            "margin_loss needs the margins of a training sample: give --data and "
            "--model, or leave it out"
        )
    return next(level for level in levels if level.margin_loss == wanted)


def _assumptions(
    reports: Sequence[Report], *, ran_alike: bool
) -> tuple[Assumption, ...]:
    traced = all(r.conventions.get("architecture") == "traced" for r in reports)
    measured = all(_training(r) is not None for r in reports)
    no_data = "no data; --data and --model would tell"
    same = "every net was run over the same data" if ran_alike else "taken as equal"
    return (
        Assumption(
            "one architecture",
            holds=True if traced else None,
            detail="the same graph"
            if traced
            else "names, kinds and shapes of the layers agree; --model would tell more",
        ),
        _homogeneity(reports, traced=traced),
        Assumption(
            "one training sample",
            holds=True if measured and ran_alike else None,
            detail=same if measured else no_data,
        ),
        Assumption(
            "one margin loss",
            holds=True if measured else None,
            detail="each gamma is the same quantile of the net's training margins"
            if measured
            else f"every net is taken to fit its sample with margin 1: {no_data}",
        ),
    )


def _homogeneity(reports: Sequence[Report], *, traced: bool) -> Assumption:
    """Judge R(G) = rho R(F), which P1 takes from the homogeneity of ReLU networks."""
    name = "rho factors out of the network"
    outside = next(
        (
            row.tensor
            for report in reports
            for row in report.ledger
            if row.parameter and row.status != "counted"
        ),
        None,
    )
    if outside is not None:
        why = f"{outside} is learned and no factor of rho"
        return Assumption(name, holds=False, detail=why)
    if not traced:
        why = "no architecture: taken for a chain of layers and ReLUs"
        return Assumption(name, holds=None, detail=why)
    sorts = [sort for r in reports for sort in r.conventions.get("structure", {})]
    broken = next((sort for sort in sorts if sort not in _HOMOGENEOUS), None)
    if broken is not None:
        return Assumption(name, holds=False, detail=f"the graph has {broken}")
    if any(w.code == "probe-disagrees" for report in reports for w in report.warnings):
        why = "graph and model disagree, see the warnings"
        return Assumption(name, holds=None, detail=why)
    return Assumption(name, holds=True, detail="no biases, activations homogeneous")


def _status(assumptions: Sequence[Assumption]) -> Status:
    states = {each.holds for each in assumptions}
    if False in states:
        return "invalid"
    return "assumed" if None in states else "valid"
