"""Regressions as flat tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from boundkit.regression.estimates import Coefficient, Interval
    from boundkit.regression.model import Fit, Point, Regression

__all__ = ["lines_frame", "point_row", "points_frame"]


def points_frame(of: Regression) -> pd.DataFrame:
    """Return one row a point: its place, its line's intervals, and its influence.

    With groups the line is that of the group; without, that of all points.

    Args:
        of: The regression.
    """
    import pandas as pd

    fits = of.groups or (of.fit,)
    return pd.DataFrame([
        ({of.group: fit.group} if of.group else {}) | point_row(point, of.x, of.y)
        for fit in fits
        for point in fit.points
    ])


def point_row(point: Point, x: str, y: str) -> dict[str, Any]:
    """Return a point as a row.

    Args:
        point: The point.
        x: Name of its x.
        y: Name of its y.
    """
    return {
        "point": point.label,
        "rows": " ".join(map(str, point.rows)),
        x: point.x,
        y: point.y,
        f"{x}.sd": point.x_sd,
        f"{y}.sd": point.y_sd,
        "fitted": point.fitted,
        **_ends("confidence", point.confidence),
        **_ends("prediction", point.prediction),
        "leverage": point.leverage,
        "studentized": point.studentized,
        "cooks": point.cooks,
        "slope_without": point.slope_without,
        "r2_without": point.r2_without,
    }


def lines_frame(of: Regression) -> pd.DataFrame:
    """Return one row a line, numbers NaN where there is none.

    Args:
        of: The regression.
    """
    import pandas as pd

    return pd.DataFrame([_line_row(fit) for fit in (of.fit, *of.groups)])


def _line_row(fit: Fit) -> dict[str, Any]:
    row: dict[str, Any] = {"group": fit.group, "n": len(fit.points)}
    line, ranks = fit.line, fit.ranks
    if line is None or ranks is None:
        return row | {"reason": fit.reason}
    return row | {
        "r2": line.r2,
        "r2_adjusted": line.r2_adjusted,
        "residual_sd": line.residual_sd,
        **_coefficient("slope", line.slope),
        **_coefficient("intercept", line.intercept),
        "spearman": ranks.spearman,
        "spearman.p": ranks.spearman_p,
        "kendall": ranks.kendall,
        "kendall.p": ranks.kendall_p,
        "theil_sen": ranks.theil_sen,
        **_ends("theil_sen", ranks.theil_sen_interval),
        "permutation.p": ranks.permutation_p,
        "reason": "",
    }


def _coefficient(name: str, of: Coefficient) -> dict[str, float]:
    return {
        name: of.estimate,
        f"{name}.stderr": of.stderr,
        f"{name}.p": of.p,
        **_ends(name, of.interval),
        f"{name}.stderr_hc3": of.stderr_hc3,
        f"{name}.p_hc3": of.p_hc3,
        **_ends(f"{name}.hc3", of.interval_hc3),
        **_ends(f"{name}.bootstrap", of.bootstrap),
    }


def _ends(name: str, of: Interval) -> dict[str, float]:
    return {f"{name}.low": of.low, f"{name}.high": of.high}
