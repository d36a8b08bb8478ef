"""What the page of a trace draws: lines over the run, as its script reads them."""

from __future__ import annotations

from dataclasses import replace
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from boundkit.plot.trajectories.bounds_over_time import bound_lines
from boundkit.plot.trajectories.collapse_over_time import collapse_lines
from boundkit.plot.trajectories.loss_over_time import LOSS_LABEL, loss_lines
from boundkit.plot.trajectories.norms_over_time import norm_lines
from boundkit.plot.trajectories.ranks_over_time import rank_lines
from boundkit.report.escape import escape
from boundkit.report.pages import Chart, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from boundkit.plot.trajectories import Course, SignalFit

    Lines = Mapping[str, NDArray[np.float64]]

__all__ = ["charts_of"]

#: Checkpoints and lines of a chart; more are thinned out evenly, ends kept.
_PLACES, _LINES = 400, 60
#: Largest over smallest distance of neighbors from which the run is not drawn linearly.
_UNEVEN = 20.0
#: Powers of ten from which values are drawn on a logarithmic axis.
_DECADES = 1.5
#: Quantiles of margins, from the outside in.
_QUANTILES = ("max", "q95", "q90", "median", "q10", "q05", "min")


def charts_of(course: Course) -> tuple[Chart, ...]:
    """Return every chart that the run has numbers for.

    Args:
        course: Of the run.
    """
    kept = _thinned(len(course.places), _PLACES)
    return tuple(_charts(course, kept))


def _charts(course: Course, kept: NDArray[np.intp]) -> Iterator[Chart]:
    for label, lines in norm_lines(course):
        yield _chart(course, kept, label, lines, linear=label.startswith("%"))
    for label, prefix in (
        ("training margins", "margins."),
        ("training margins over rho", "margins.normalized."),
    ):
        known = {
            name: values
            for name in _QUANTILES
            if (values := course.column(f"{prefix}{name}")) is not None
        }
        if "median" in known:
            yield _bands(course, kept, label, known)
    for label, lines in collapse_lines(course):
        yield _chart(course, kept, label, lines)
    if lines := loss_lines(course):
        yield _chart(course, kept, f"Square loss: {LOSS_LABEL}", lines)
    for label, lines in rank_lines(course):
        yield _chart(course, kept, label, lines)
    if lines := bound_lines(course):
        yield _chart(
            course,
            kept,
            "bounds on the test error",
            lines,
            "Above 1 a bound is vacuous. Each holds for one checkpoint, chosen in advance.",
        )
    if course.signal is not None:
        yield _signal(course, course.signal)


def _thinned(count: int, most: int) -> NDArray[np.intp]:
    if count <= most:
        return np.arange(count)
    return np.unique(np.linspace(0, count - 1, most).round().astype(np.intp))


def _chart(
    course: Course,
    kept: NDArray[np.intp],
    title: str,
    lines: Lines,
    note: str = "",
    *,
    linear: bool = False,
) -> Chart:
    names = list(lines)
    shown = [names[at] for at in _thinned(len(names), _LINES)]
    if len(shown) < len(names):
        note = f"{note} {len(shown)} of {len(names)} layers, evenly chosen.".strip()
    up = {"type": "linear"} if linear else _scale(np.concatenate([*lines.values()]))
    data = {
        "kind": "curves",
        **_across(course, kept),
        "up": up,
        "lines": [
            {"label": escape(name) or title, "values": _drawn(lines[name][kept], up)}
            for name in shown
        ],
    }
    return Chart(title, data, note)


def _bands(course: Course, kept: NDArray[np.intp], title: str, known: Lines) -> Chart:
    names = list(known)
    last = abs(_last(known["median"]))
    largest = max(float(np.nanmax(np.abs(values))) for values in known.values())
    # Late margins over a growing rho would be flat beside early ones.
    small = 0 < last < largest / 8
    up = {"type": "asinh", "threshold": last} if small else {"type": "linear"}
    data = {
        "kind": "curves",
        **_across(course, kept),
        "up": up,
        "lines": [
            {
                "label": name,
                "values": shortened(known[name][kept]),
                "faint": name != "median",
            }
            for name in names
        ],
        "bands": [
            [names.index(top), names.index(bottom)]
            for top, bottom in (("max", "min"), ("q95", "q05"), ("q90", "q10"))
            if top in known and bottom in known
        ],
    }
    return Chart(title, data, "Errors are below 0.")


def _signal(course: Course, signal: SignalFit) -> Chart:
    lines: list[dict[str, Any]] = []
    parts: tuple[tuple[str, NDArray[np.float64], dict[str, bool]], ...]
    for column in _thinned(signal.measured.shape[1], 8):
        rank = column + 1
        parts = (
            ("", signal.measured, {"dots": True}),
            (f", t by {escape(course.axis)}", signal.by_place, {"dash": True}),
            (", t free", signal.free, {}),
        )
        lines += [
            {
                "label": f"w{rank}{words}",
                "values": shortened(table[:, column]),
                "tint": int(column),
                **style,
            }
            for words, table, style in parts
        ]
    fitted = replace(course, places=signal.places)
    across = _across(fitted, np.arange(len(signal.places)))
    data = {"kind": "curves", **across, "up": {"type": "log"}, "lines": lines}
    free, by = (f"{100 * each:.1f} %" for each in reversed(signal.residuals))
    note = f"Dots are measured. Residual: {by} with t by {course.axis}, {free} with free t."
    return Chart("signal-to-noise values, and the law fitted to them", data, note)


def _across(course: Course, kept: NDArray[np.intp]) -> dict[str, Any]:
    places = course.places
    steps = np.diff(places)
    across: dict[str, Any] = {"type": "linear"}
    if len(steps) > 1 and steps.max() > _UNEVEN * steps.min():
        positive = places[places > 0]
        least = float(positive.min()) if positive.size else 1.0
        across = (
            {"type": "log"} if places[0] > 0 else {"type": "asinh", "threshold": least}
        )
    return {
        "counts": escape(course.axis),
        "places": shortened(places[kept]),
        "across": across,
        "began": course.began,
    }


def _scale(values: NDArray[np.float64]) -> dict[str, Any]:
    known = values[np.isfinite(values)]
    positive = known[known > 0]
    if not positive.size or np.log10(positive.max() / positive.min()) <= _DECADES:
        return {"type": "linear"}
    if known.min() > 0:
        return {"type": "log"}
    if known.min() == 0:
        return {"type": "asinh", "threshold": float(positive.min())}
    return {"type": "linear"}


def _drawn(values: Iterable[float], up: Mapping[str, Any]) -> list[float | None]:
    """Return numbers that the axis has a place for."""
    found = shortened(values)
    if up["type"] != "log":
        return found
    return [value if value is not None and value > 0 else None for value in found]


def _last(values: NDArray[np.float64]) -> float:
    known = [float(value) for value in values if isfinite(value)]
    return known[-1]
