"""Runs a system of the catalog by its name."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from boundkit.errors import UsageError

if TYPE_CHECKING:
    import os

    from boundkit.lab.dynamics.simulation import Progress, Simulation, System

__all__ = ["options_of", "simulate"]


def simulate(
    system: str,
    /,
    *,
    out: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
    **settings: Any,
) -> Simulation:
    """Simulate one of the papers' dynamical systems and check what they say of it.

    Args:
        system: ``"flow"``, ``"central-path"`` or ``"ulpm"``.
        out: Folder for table, JSON and figures; None writes nothing.
        progress: Told of what is done, of how much, of what.
        settings: Options of the system, as on the command line.

    Returns:
        The path, the claims beside what was found, and the charts.

    Raises:
        UsageError: There is no such system or option, or a setting is out of range.
        DataError: The data cannot be used.
    """
    from boundkit.lab.dynamics.saving import prepared, saved

    chosen = _chosen(system)
    known = options_of(chosen)
    for name in settings:
        if name not in known:
            raise UsageError(
                f"{system} has no option {name!a}; it has {', '.join(known)}"
            )
    if out is not None:
        prepared(out)
    found = chosen.run(**settings, progress=progress)
    if out is not None:
        saved(found, out)
    return found


def options_of(system: System) -> dict[str, Any]:
    """Return the options of a system and their defaults.

    Args:
        system: Of the catalog.
    """
    parameters = inspect.signature(system.run).parameters
    return {
        name: each.default for name, each in parameters.items() if name != "progress"
    }


def _chosen(name: str) -> System:
    from boundkit.lab.dynamics import SYSTEMS

    for each in SYSTEMS:
        if each.name == name:
            return each
    known = ", ".join(each.name for each in SYSTEMS)
    raise UsageError(f"system must be one of {known}, but got {name!a}")
