"""Figures of the central path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from boundkit.lab.dynamics.simulation import Chart, Panel, Series

if TYPE_CHECKING:
    from boundkit.lab.dynamics.central_path_rows import Path

__all__ = ["charts"]

_TIME = "time of the flow"
#: Signal-to-noise values that are drawn, at most.
_DRAWN = 3


def charts(path: Path) -> tuple[Chart, ...]:
    """Return what is drawn of a path.

    Args:
        path: To draw.
    """
    return (
        Chart(
            "central-path",
            "Renormalized gradient flow on the central path",
            (_values(path), _gaps(path), _limits(path), _loss(path)),
        ),
        Chart(
            "central-path-collapse",
            "Neural collapse on the central path",
            _collapse(path),
        ),
    )


def _values(path: Path) -> Panel:
    kept = path.strength.shape[1]
    shown = np.unique(np.linspace(0, kept - 1, min(kept, _DRAWN)).round().astype(int))
    lines = [
        Series(f"omega {at + 1} of the features", path.times, path.strength[:, at])
        for at in shown
    ]
    closed = Series(
        "closed form",
        np.tile(path.times[::6], len(shown)),
        path.closed[::6, shown].T.ravel(),
        "points",
    )
    told = np.array([path.law.asymptote(float(time)) for time in path.times])
    late = told >= path.strength[0].min()
    name = "(t/c3)^(1/4)" if path.law.renormalize == "project" else "(2t/NC)^(1/2)"
    asymptote = Series(name, path.times[late], told[late], "dotted")
    return Panel(
        _TIME,
        "signal-to-noise value",
        (*lines, asymptote, closed),
        log_x=True,
        log_y=True,
        title="Proposition 2",
    )


def _gaps(path: Path) -> Panel:
    gap = np.abs(path.strength / path.closed - 1).max(axis=1)
    drifts = {
        "covariance within - I": path.named["covariance_drift"],
        "singular vectors": path.named["vector_drift"],
        "off the central path": np.abs(path.named["mse.l_perp"])
        / path.named["mse.total"],
    }
    return Panel(
        _TIME,
        "relative error",
        (
            Series("closed form", path.times, gap),
            *(Series(label, path.times, values) for label, values in drifts.items()),
        ),
        log_x=True,
        log_y=True,
        title="What should be zero",
    )


def _limits(path: Path) -> Panel:
    ratio = path.strength[:, 0] / path.strength[:, -1] - 1
    lines = {
        "largest / smallest value - 1": ratio,
        "class means to the frame": path.named["means_to_limit"],
        "features to the frame": path.named["features_to_limit"],
    }
    return Panel(
        _TIME,
        "distance from the limit",
        tuple(Series(label, path.times, values) for label, values in lines.items()),
        log_x=True,
        log_y=True,
        title="Corollaries 1 and 2",
    )


def _loss(path: Path) -> Panel:
    lines = {
        "loss": "mse.total",
        "NC1 part (within classes)": "mse.l_nc1",
        "NC2/3 part (class means)": "mse.l_nc23",
    }
    return Panel(
        _TIME,
        "square loss",
        tuple(
            Series(label, path.times, path.named[name]) for label, name in lines.items()
        ),
        log_x=True,
        log_y=True,
        title="Theorem 2",
    )


def _collapse(path: Path) -> tuple[Panel, ...]:
    lines = {
        "NC1: tr(Sigma_W Sigma_B^+)": "nc1_pinv",
        "NC2: spread of the means' norms": "nc2_equinorm_means",
        "NC2: mean |cos + 1/(C-1)|": "nc2_max_angle_means",
        "NC3: classifiers to means": "nc3_per_class",
    }
    return tuple(
        Panel(
            _TIME,
            label,
            (Series("", path.times, path.named[name]),),
            log_x=True,
            log_y=True,
        )
        for label, name in lines.items()
    )
