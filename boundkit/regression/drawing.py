"""What figures show of a regression: plain data, as the figures want them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.errors import UsageError
from boundkit.plot.regressions.level_bars import Bars
from boundkit.plot.regressions.scatter import Cloud, Scattered
from boundkit.report.wording import significant

if TYPE_CHECKING:
    from boundkit.regression.model import Fit, Regression

__all__ = ["barred", "scattered"]


def scattered(of: Regression) -> Scattered:
    """Return what the scatter plot of a regression shows.

    Args:
        of: The regression.
    """
    parts = of.groups or (of.fit,)
    return Scattered(
        title=of.source,
        x=of.x,
        y=of.y,
        level=of.level,
        clouds=tuple(_cloud(fit, of.group) for fit in parts),
    )


def _cloud(fit: Fit, group: str | None) -> Cloud:
    words = "" if group is None else f"{group} {fit.group}"
    if fit.line is not None:
        line = fit.line
        numbers = (
            f"R2 {significant(line.r2, 2)}, p {significant(line.slope.p, 2)}, "
            f"slope {significant(line.slope.estimate)}"
        )
        words = f"{words}: {numbers}" if words else numbers
    return Cloud(
        label=words,
        x=tuple(p.x for p in fit.points),
        y=tuple(p.y for p in fit.points),
        x_sd=tuple(p.x_sd for p in fit.points),
        y_sd=tuple(p.y_sd for p in fit.points),
        band=None
        if fit.band is None
        else (
            fit.band.x,
            fit.band.fitted,
            fit.band.low,
            fit.band.high,
            fit.band.predicted_low,
            fit.band.predicted_high,
        ),
    )


def barred(of: Regression) -> Bars:
    """Return what bars over the columns ``by`` show.

    Args:
        of: The regression.

    Raises:
        UsageError: ``by`` is empty.
    """
    if not of.by:
        raise UsageError(
            "bars need levels to stand on; name their columns with --by (by=)"
        )
    parts = of.groups or (of.fit,)
    levels = sorted({p.key for f in parts for p in f.points}, key=_order)
    series = {}
    for fit in parts:
        at = {p.key: p for p in fit.points}
        name = "" if of.group is None else f"{of.group} {fit.group}"
        series[name] = tuple(
            (at[v].x, at[v].x_sd, at[v].y, at[v].y_sd) if v in at else None
            for v in levels
        )
    return Bars(
        title=of.source,
        over=", ".join(of.by),
        levels=tuple(", ".join(key) for key in levels),
        x=of.x,
        y=of.y,
        series=series,
    )


def _order(key: tuple[str, ...]) -> tuple[tuple[bool, float, str], ...]:
    """Return what puts numbers in their order, and texts after them."""
    found = []
    for part in key:
        try:
            found.append((False, float(part), part))
        except ValueError:
            found.append((True, 0.0, part))
    return tuple(found)
