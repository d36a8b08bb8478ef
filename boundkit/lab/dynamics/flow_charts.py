"""Figures of the flow of a net."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from boundkit.lab.dynamics.simulation import Chart, Panel, Series

if TYPE_CHECKING:
    from collections.abc import Sequence

    from boundkit.lab.dynamics.flow_paths import Path

__all__ = ["path_charts"]

_TIME = "time"


def path_charts(paths: Sequence[Path]) -> tuple[Chart, ...]:
    """Return rho, loss, margins and speed of the paths, and the errors of identities.

    Args:
        paths: The normalized one first.
    """
    return (
        Chart(
            "flow",
            "Gradient flow of (rho, V)",
            (
                _rho(paths),
                _losses(paths),
                _margins(paths[0]),
                Panel(
                    _TIME,
                    "norm of dV/dt",
                    tuple(_of(path, "speed", path.name) for path in paths),
                    log_x=True,
                    log_y=True,
                    title="how fast directions turn",
                ),
            ),
        ),
        Chart(
            "flow-errors",
            "Identities along the path",
            (_errors(paths[0]),),
            columns=1,
        ),
    )


def _margins(path: Path) -> Panel:
    column = path.table.column
    time, mean, spread = (
        column("time"),
        column("mean_margin"),
        column("margin_deviation"),
    )
    return Panel(
        _TIME,
        "margin y f_V",
        (
            Series("mean", time, mean),
            Series("mean - sigma", time, mean - spread, "dotted"),
            Series("mean + sigma", time, mean + spread, "dotted"),
            Series("least", time, column("least_margin"), "dashed"),
        ),
        log_x=True,
        title="unit norms: margins",
    )


def _errors(path: Path) -> Panel:
    column = path.table.column
    time, loss = column("time"), column("loss")
    deviations = {
        "rho dot, P1 (6)": column("rho_dot") - column("rho_dot_found"),
        "Lemma 4": column("lemma_4") - loss,
        "unit norms": column("norm_error"),
        "dissipation": loss + column("dissipated") - loss[0],
    }
    until_rest = {
        "rho - rho_eq": column("rho") - column("rho_eq"),
        "P1 (9)": column("rest_residual"),
    }
    return Panel(
        _TIME,
        "deviation",
        (
            *(Series(name, time, np.abs(y)) for name, y in deviations.items()),
            *(
                Series(name, time, np.abs(y), "dashed")
                for name, y in until_rest.items()
            ),
        ),
        log_x=True,
        log_y=True,
        title="solid: always 0; dashed: 0 at rest",
    )


def _of(path: Path, name: str, label: str) -> Series:
    return Series(label, path.table.column("time"), path.table.column(name))


def _rho(paths: Sequence[Path]) -> Panel:
    lines = [_of(path, "rho", f"rho, {path.name}") for path in paths]
    lines += [
        Series(
            f"rho_eq, {path.name}",
            path.table.column("time"),
            _shown(path.table.column("rho_eq"), path.table.column("rho")),
            "dashed",
        )
        for path in paths
    ]
    return Panel(_TIME, "rho", tuple(lines), log_x=True, title="product of norms")


def _shown(values: np.ndarray, beside: np.ndarray) -> np.ndarray:
    """Return values with gaps where they would dwarf what stands beside them."""
    return np.where(np.abs(values) <= 3 * np.abs(beside).max(), values, np.nan)


def _losses(paths: Sequence[Path]) -> Panel:
    lines = [_of(path, "loss", f"loss, {path.name}") for path in paths]
    first = paths[0].table
    lines.append(
        Series("epsilon", first.column("time"), first.column("epsilon"), "dashed")
    )
    return Panel(
        _TIME, "loss", tuple(lines), log_x=True, log_y=True, title="square loss"
    )
