"""Plain numbers beside a logarithmic axis that may span less than a decade."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["log_labels"]


def log_labels(axis: Axes) -> None:
    """Make the vertical axis logarithmic, with labels such as 0.02, 0.05 and 0.1.

    Args:
        axis: With its lines, for their range.
    """
    from matplotlib.ticker import LogLocator, NullFormatter

    axis.set_yscale("log")
    low, high = axis.get_ylim()
    # Few enough on many decades, and enough on less than one.
    wide = high > 1000 * low
    narrow = high < 3 * low
    marks = (1,) if wide else tuple(range(1, 10)) if narrow else (1, 2, 5)
    axis.yaxis.set_major_locator(LogLocator(subs=marks))
    axis.yaxis.set_major_formatter("{x:g}")
    axis.yaxis.set_minor_formatter(NullFormatter())
