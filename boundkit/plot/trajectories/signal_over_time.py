"""Signal-to-noise values over a run, and the closed-form flow fitted to them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from boundkit.plot.trajectories.course import panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from boundkit.plot.trajectories.course import Course, SignalFit

__all__ = ["signal_over_time"]

_FITS = ("--", "t proportional to the {}"), (":", "one free t per checkpoint")


def signal_over_time(course: Course) -> Figure | None:
    """Draw measured values, two fits of the closed-form flow, and their residuals.

    Han, Papyan, Donoho (2022), Proposition 2.

    Args:
        course: Of the run.

    Returns:
        The figure; None where the flow was not fitted.
    """
    signal = course.signal
    if signal is None:
        return None
    fitted = replace(course, places=signal.places)
    figure, (above, below) = panels(fitted, "Signal-to-noise values", 2, height=2.9)
    fits = signal.by_place, signal.free
    _values(above, course, signal, fits)
    for fit, (dash, _) in zip(fits, _FITS, strict=True):
        rest = np.log(signal.measured / fit)
        for at, shade in enumerate(_shades(rest.shape[1])):
            below.plot(
                signal.places, 100 * rest[:, at], dash, color=shade, linewidth=1.1
            )
    below.axhline(0, color="0.5", linewidth=0.8)
    below.set_ylabel("% of w, measured less fitted")
    return figure


def _shades(count: int) -> NDArray[np.float64]:
    from matplotlib import colormaps

    return np.asarray(colormaps["viridis"](np.linspace(0, 0.85, count)))


def _values(
    axes: Axes,
    course: Course,
    signal: SignalFit,
    fits: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> None:
    for at, shade in enumerate(_shades(signal.measured.shape[1])):
        axes.plot(signal.places, signal.measured[:, at], "o", color=shade, markersize=4)
        for fit, (dash, _) in zip(fits, _FITS, strict=True):
            axes.plot(signal.places, fit[:, at], dash, color=shade, linewidth=1.1)
    axes.plot([], [], "o", color="0.3", markersize=4, label="measured")
    for (dash, words), residual in zip(_FITS, signal.residuals, strict=True):
        label = f"{words.format(course.axis)}: {100 * residual:.1f} %"
        axes.plot([], [], dash, color="0.3", label=label)
    axes.set_yscale("log")
    axes.set_ylabel("singular values w")
    axes.legend(fontsize=7, frameon=False)
