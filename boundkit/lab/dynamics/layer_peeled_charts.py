"""Figures of the layer-peeled model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from boundkit.lab.dynamics.layer_peeled_saddle import escape
from boundkit.lab.dynamics.simulation import Chart, Panel, Series

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from boundkit.lab.dynamics.layer_peeled_rows import Path
    from boundkit.lab.dynamics.layer_peeled_saddle import Saddle

    Numbers = NDArray[np.float64]

__all__ = ["charts"]

#: Metrics below are what rounding leaves.
_EXACT = 1e-12
_BOUND, _LEAST, _LINEAR = "its bound", "smallest at this norm", "linear theory"
#: What theorems say, beside what was found.
_TOLD = {_BOUND, _LEAST, _LINEAR, "epsilon, its bound", "delta, its bound"}


def charts(path: Path, classes: int) -> tuple[Chart, ...]:
    """Return what is drawn of a path.

    Args:
        path: To draw.
        classes: K.
    """
    parts = {
        "ulpm": (
            "Unconstrained layer-peeled model",
            (_margins(path), _loss(path), _kkt(path), _course(path)),
        ),
        "ulpm-collapse": ("Approach to the simplex (P4 figure 2)", _metrics(path)),
    }
    if path.saddle is not None:
        panels = (_circle(path.saddle), _escape(path, classes))
        parts["ulpm-saddle"] = ("The saddle of P4 Example 3.1", panels)
    drawn = {
        name: (title, tuple(panel for panel in panels if panel.series))
        for name, (title, panels) in parts.items()
    }
    return tuple(
        Chart(name, title, panels) for name, (title, panels) in drawn.items() if panels
    )


def _panel(
    path: Path,
    label: str,
    title: str,
    lines: dict[str, Numbers],
    *,
    log_x: bool = False,
    log_y: bool = True,
) -> Panel:
    """Return a panel over the logarithm of steps or time, which the norm grows with.

    Lines without a number are left out.
    """
    return Panel(
        "log(1 + time)" if path.is_flow else "log(1 + step)",
        label,
        tuple(
            Series(name, path.logs, values, "dashed" if name in _TOLD else "line")
            for name, values in lines.items()
            if np.isfinite(values).any()
        ),
        log_x=log_x,
        log_y=log_y,
        title=title,
    )


def _margins(path: Path) -> Panel:
    named = path.named
    with np.errstate(divide="ignore", invalid="ignore"):
        allowed = named["least_margin"] / named["margin_efficiency"]
    lines = {"smallest margin q": named["least_margin"], _BOUND: allowed}
    return _panel(path, "margin", "Theorem 3.1", lines, log_y=False)


def _loss(path: Path) -> Panel:
    lines = {
        "loss": path.named["log10_loss"],
        _LEAST: path.named["log10_loss_bound"],
    }
    return _panel(path, "log10 of the summed loss", "Theorem 3.3", lines, log_y=False)


def _kkt(path: Path) -> Panel:
    lines = {
        "residual": path.named["kkt_residual"],
        "epsilon, its bound": path.named["kkt_epsilon"],
        "complementarity": path.named["complementarity"],
        "delta, its bound": path.named["kkt_delta"],
    }
    return _panel(path, "distance from a KKT point", "Theorem 3.2, Lemma B.1", lines)


def _course(path: Path) -> Panel:
    lines = {
        "1 - margin over its bound": 1 - path.named["margin_efficiency"],
        "1 - cosine of theta and -gradient": 1 - path.named["alignment"],
        "change of W'W - HH', over norm^2": path.named["conserved"],
    }
    return _panel(path, "distance", "What tends to zero, or stays zero", lines)


def _metrics(path: Path) -> tuple[Panel, ...]:
    panels = {
        "(a) Variation of the norms": {
            "class means": "nc2_equinorm_means",
            "classifiers": "nc2_equinorm_weights",
        },
        "(b) Within-class variation": {"features": "nc1_distance"},
        "(c) Cosines between pairs": {
            "class means": "nc2_max_angle_means",
            "classifiers": "nc2_max_angle_weights",
        },
        "(d) Self-duality": {"classifiers to means": "nc3_per_class"},
    }
    return tuple(
        _panel(
            path,
            "metric",
            title,
            {label: _above_rounding(path.named[name]) for label, name in lines.items()},
            log_x=True,
        )
        for title, lines in panels.items()
    )


def _above_rounding(values: Numbers) -> Numbers:
    return np.where(values > _EXACT, values, np.nan)


def _circle(saddle: Saddle) -> Panel:
    angles, losses = saddle.circle.T
    near = angles <= 0.6
    told = saddle.loss + saddle.curvature * angles[near] ** 2 / 2
    return Panel(
        "angle from the saddle along Theorem 3.4's direction",
        "summed loss at the same norm",
        (
            Series("on the great circle", angles, losses),
            Series("by its curvature (C.8)", angles[near], told, "dashed"),
        ),
        title="Theorem 3.4",
    )


def _escape(path: Path, classes: int) -> Panel:
    angle, margin = path.named["angle"], path.named["ray_margin"]
    first = np.tan(angle[0])
    told = [first * np.exp(escape(classes, margin[0], each)) for each in margin]
    lines = {
        "tangent of the angle": np.tan(angle),
        _LINEAR: np.array(told),
    }
    return _panel(path, "off the saddle's ray", "Escape", lines)
