"""The formats that a simulation is written in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.lab.dynamics import documents, text
from boundkit.report.formats import Format

if TYPE_CHECKING:
    from boundkit.lab.dynamics.simulation import Simulation

__all__ = ["SIMULATION_FORMATS"]

SIMULATION_FORMATS: tuple[Format[Simulation], ...] = (
    Format("text", text.render, text.lines),
    Format("json", documents.render),
    Format("csv", documents.written_table),
)
