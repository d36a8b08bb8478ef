"""What to think of a line, in words: few points, leverage, curves, and the like."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from boundkit.report.wording import percent, plural, significant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from boundkit.regression.estimates import Line, Ranks
    from boundkit.regression.model import Fit, Joint, Point

__all__ = [
    "curve_words",
    "few_words",
    "joint_words",
    "leverage_words",
    "line_words",
    "p_text",
]

#: Below this p-value something is said.
_ALERT = 0.05
#: Fewer points than this are few.
_FEW = 10
#: Cook's distance at which a point moves the line as far as its confidence region.
_FAR = 1.0
#: By how much ranks must agree better than the line before it is said.
_GAP = 0.1


def line_words(
    x: str, y: str, points: Sequence[Point], line: Line, ranks: Ranks, level: float
) -> tuple[str, ...]:
    """Return remarks on a line, the most important first.

    Args:
        x: What is on the axis.
        y: The same.
        points: With their influence.
        line: Through them.
        ranks: Of them.
        level: Of the intervals.
    """
    return (
        _direction(x, y, line, ranks, level),
        *few_words(len(points), line),
        *leverage_words(points, line),
        *curve_words(line, ranks),
        *_spread_words(line),
        *_doubt_words(line, ranks),
    )


def p_text(p: float) -> str:
    """Return a p-value in words: ``p = 0.031``, ``p < 1e-16``.

    Args:
        p: The value, or NaN.
    """
    if math.isnan(p):
        return "p not defined"
    return "p < 1e-16" if p < 1e-16 else f"p = {significant(p, 2)}"


def _direction(x: str, y: str, line: Line, ranks: Ranks, level: float) -> str:
    slope = line.slope
    held = slope.interval.low > 0 or slope.interval.high < 0
    way = "larger" if slope.estimate > 0 else "smaller"
    if held:
        return (
            f"larger {x} goes with {way} {y}: the line explains {percent(line.r2)} of its "
            f"variance (R2 = {significant(line.r2)}, {p_text(slope.p)})"
        )
    return (
        f"the {100 * level:g} % interval of the slope holds 0, so the t test tells no line "
        f"from chance (R2 = {significant(line.r2)}, {p_text(slope.p)}; by permutation "
        f"{p_text(ranks.permutation_p)})"
    )


def few_words(n: int, line: Line) -> list[str]:
    """Return what is to be said of few points.

    Args:
        n: Points.
        line: Through them.
    """
    if n >= _FEW:
        return []
    from scipy.stats import t

    edge = float(t.isf(_ALERT / 2, line.df))
    least = edge**2 / (edge**2 + line.df)
    found = [
        (
            f"{n} points leave {plural(line.df, 'degree')} of freedom: an R2 below "
            f"{significant(least)} is no evidence at the 5 % level, and bootstrap intervals of "
            "so few are too narrow"
        )
    ]
    if n < 5:
        orders = math.factorial(n)
        found.append(
            f"no test by order can reach p < 0.05 with {n} points: the least possible "
            f"p is 2/{orders} = {significant(2 / orders, 2)}"
        )
    return found


def leverage_words(points: Sequence[Point], line: Line) -> list[str]:
    """Return what is to be said of points that hold the line alone.

    Args:
        points: With their influence.
        line: Through them.
    """
    alone = [p.label for p in points if not math.isfinite(p.slope_without)]
    found = [
        f"{label} alone decides the slope: the other points have one x, and leave no line"
        for label in alone[:1]
    ]
    slope = line.slope.estimate
    others = [p for p in points if math.isfinite(p.slope_without)]
    turned = [p for p in others if p.slope_without * slope < 0]
    if turned:
        names = ", ".join(point.label for point in turned[:3])
        found.append(
            f"the slope changes its sign without {names}"
            + (f" (or one of {len(turned) - 3} others)" if len(turned) > 3 else "")
        )
    heavy = max(others, key=_distance, default=None)
    if heavy is not None and heavy not in turned and _distance(heavy) > _FAR:
        found.append(
            f"{heavy.label} moves the line far (Cook's distance "
            f"{significant(heavy.cooks, 2)}, leverage {significant(heavy.leverage, 2)}): "
            f"without it the slope is {significant(heavy.slope_without)}"
            + (
                f" and R2 {significant(heavy.r2_without)}"
                if math.isfinite(heavy.r2_without)
                else ""
            )
        )
    return found


def _distance(point: Point) -> float:
    return point.cooks if math.isfinite(point.cooks) else -1.0


def curve_words(line: Line, ranks: Ranks) -> list[str]:
    """Return what is to be said of a relation that is no line.

    Args:
        line: Through the points.
        ranks: Of the points.
    """
    found = []
    if line.p_curvature < _ALERT:
        found.append(
            f"the relation is not linear: a square of x explains more "
            f"({p_text(line.p_curvature)}); try --log x, y or xy, or trust ranks"
        )
    if abs(ranks.spearman) > math.sqrt(line.r2) + _GAP:
        found.append(
            f"order says more than the line: Spearman {significant(ranks.spearman)} "
            f"against a correlation of {significant(math.sqrt(line.r2))}"
        )
    return found


def _spread_words(line: Line) -> list[str]:
    if not line.p_spread < _ALERT:
        return []
    return [
        (
            f"residuals do not spread evenly ({p_text(line.p_spread)}): prefer the HC3 "
            "or bootstrap interval"
        )
    ]


def _doubt_words(line: Line, ranks: Ranks) -> list[str]:
    found = []
    if line.slope.p < _ALERT <= ranks.permutation_p:
        found.append(
            f"by permutation, which assumes no normal errors, {p_text(ranks.permutation_p)}"
            " for the slope: the t test says more than these points do"
        )
    if line.slope.p < _ALERT <= line.slope.p_hc3:
        found.append(
            f"with HC3 errors {p_text(line.slope.p_hc3)} for the slope: it is not told "
            "from 0 if variances differ"
        )
    if line.undetermined:
        found.append(
            f"{plural(line.undetermined, 'resample')} of the bootstrap left no line and "
            "are not in its interval"
        )
    return found


def joint_words(group: str, joint: Joint, fit: Fit) -> list[str]:
    """Return what is to be said of groups in one model.

    Args:
        group: Name of the column.
        joint: The model.
        fit: Through all points regardless of group.
    """
    found = []
    slopes, own = joint.slopes_differ, joint.intercepts_differ
    if slopes is None:
        found.append("too few points to tell whether slopes differ among groups")
    elif slopes.p < _ALERT:
        found.append(
            f"slopes differ among groups of {group} (interaction {p_text(slopes.p)}): "
            "one slope does not describe them"
        )
    elif own is not None and own.p < _ALERT:
        found.append(
            f"groups of {group} are told apart by their intercepts ({p_text(own.p)}), "
            "not by their slopes"
        )
    if fit.line is not None:
        pooled, within = fit.line.slope.estimate, joint.common_slope.estimate
        if pooled * within < 0:
            found.append(
                f"within groups of {group} the slope is {significant(within)}, over all "
                f"points {significant(pooled)}: the groups make up the line (Simpson's "
                "paradox)"
            )
    return found
