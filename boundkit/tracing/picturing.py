"""A trace as what figures are drawn from."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

import numpy as np

from boundkit.plot.trajectories import Course, SignalFit
from boundkit.tracing.counters import number

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from boundkit.tracing.dynamics import Flow
    from boundkit.tracing.model import Trace

__all__ = ["course_of"]


def course_of(trace: Trace) -> Course:
    """Return the numbers of a trace over time.

    Args:
        trace: What to draw.
    """
    course = trace.course
    names = dict.fromkeys(name for one in course for name in one.row)
    layers = dict.fromkeys(layer["name"] for one in course for layer in one.layers)
    tables = [{layer["name"]: layer for layer in one.layers} for one in course]
    columns = dict.fromkeys(
        name for one in course for row in one.layers for name in row
    )
    return Course(
        title=PurePath(trace.run).name or trace.run,
        axis=trace.order.axis,
        places=_numbers(one.at for one in course),
        columns={name: _numbers(one.row.get(name) for one in course) for name in names},
        layers={
            layer: {
                name: _numbers(table[layer].get(name) for table in tables)
                for name in columns
            }
            for layer in layers
        },
        histograms={
            which: [one.histograms.get(which, {}) for one in course]
            for which in ("raw", "normalized")
        },
        began=None if trace.terminal is None else trace.terminal.began,
        signal=None if trace.flow is None else _signal(trace.flow),
    )


def _numbers(values: Iterable[object]) -> NDArray[np.float64]:
    """Return numbers as an array, NaN for what is none."""
    found = [number(value) for value in values]
    return np.array([np.nan if one is None else one for one in found], np.float64)


def _signal(flow: Flow) -> SignalFit:
    return SignalFit(
        places=flow.places,
        measured=flow.measured,
        by_place=flow.by_place,
        free=flow.free,
        residuals=(flow.residual_by_place, flow.residual_free),
    )
