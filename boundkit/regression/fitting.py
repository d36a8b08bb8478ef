"""One line with everything that is said of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from boundkit.errors import DataError
from boundkit.regression.estimates import Interval
from boundkit.regression.gathering import require_line
from boundkit.regression.influence import influence_of
from boundkit.regression.line import band_of, line_of
from boundkit.regression.model import Fit, Point
from boundkit.regression.ranks import ranks_of
from boundkit.regression.words import line_words

if TYPE_CHECKING:
    from boundkit.regression.estimates import Line
    from boundkit.regression.gathering import Gathered

__all__ = ["PERMUTATIONS", "bare_fit", "fit_of", "part_of"]

#: Orders that are drawn where not all are looked at.
PERMUTATIONS = 9999
_NAN = float("nan")


def fit_of(
    of: Gathered,
    group: str | None,
    x_name: str,
    y_name: str,
    level: float,
    resamples: int,
    seed: int,
) -> Fit:
    """Return the line through points, or why there is none.

    Args:
        of: The points.
        group: They are of; None for all.
        x_name: What x is.
        y_name: What y is.
        level: Of the intervals.
        resamples: Of the bootstrap.
        seed: Of bootstrap and permutations.
    """
    try:
        require_line(of.x, of.y, x_name, y_name)
    except DataError as error:
        return bare_fit(of, group, str(error))
    line = line_of(of.x, of.y, level, resamples, seed)
    ranks = ranks_of(of.x, of.y, level, PERMUTATIONS, seed)
    points = _points(of, line, level)
    return Fit(
        group=group,
        points=points,
        line=line,
        ranks=ranks,
        band=band_of(of.x, of.y, line, level),
        reason="",
        remarks=line_words(x_name, y_name, points, line, ranks, level),
    )


def bare_fit(of: Gathered, group: str | None, reason: str) -> Fit:
    """Return points without a line.

    Args:
        of: The points.
        group: They are of; None for all.
        reason: Why there is no line.
    """
    nothing = Interval(_NAN, _NAN)
    points = tuple(
        Point(
            label=of.labels[i],
            key=of.keys[i],
            rows=of.rows[i],
            x=float(of.x[i]),
            y=float(of.y[i]),
            x_sd=float(of.x_sd[i]),
            y_sd=float(of.y_sd[i]),
            fitted=_NAN,
            confidence=nothing,
            prediction=nothing,
            leverage=_NAN,
            studentized=_NAN,
            cooks=_NAN,
            slope_without=_NAN,
            r2_without=_NAN,
        )
        for i in range(len(of.x))
    )
    return Fit(group, points, None, None, None, reason, ())


def part_of(of: Gathered, group: str) -> Gathered:
    """Return the points of one group.

    Args:
        of: All points.
        group: Value of the group column.
    """
    from boundkit.regression.gathering import Gathered

    chosen = np.flatnonzero(of.groups == group)
    return Gathered(
        of.x[chosen],
        of.y[chosen],
        of.x_sd[chosen],
        of.y_sd[chosen],
        tuple(of.labels[i] for i in chosen),
        tuple(of.keys[i] for i in chosen),
        tuple(of.rows[i] for i in chosen),
        of.groups[chosen],
    )


def _points(of: Gathered, line: Line, level: float) -> tuple[Point, ...]:
    from scipy.stats import t

    each = influence_of(of.x, of.y)
    width = float(t.isf((1 - level) / 2, line.df)) * line.residual_sd
    center = float(of.x.mean())
    # Through the means, so that nothing cancels where x is far from 0.
    fitted = float(of.y.mean()) + line.slope.estimate * (of.x - center)
    mean = width * np.sqrt(each.leverage)
    other = width * np.sqrt(1 + each.leverage)
    return tuple(
        Point(
            label=of.labels[i],
            key=of.keys[i],
            rows=of.rows[i],
            x=float(of.x[i]),
            y=float(of.y[i]),
            x_sd=float(of.x_sd[i]),
            y_sd=float(of.y_sd[i]),
            fitted=float(fitted[i]),
            confidence=Interval(float(fitted[i] - mean[i]), float(fitted[i] + mean[i])),
            prediction=Interval(
                float(fitted[i] - other[i]), float(fitted[i] + other[i])
            ),
            leverage=float(each.leverage[i]),
            studentized=float(each.studentized[i]),
            cooks=float(each.cooks[i]),
            slope_without=float(each.slope_without[i]),
            r2_without=float(each.r2_without[i]),
        )
        for i in range(len(of.x))
    )
