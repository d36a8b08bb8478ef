"""What a simulated system leaves: tables, checked claims, charts. Numbers only."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite, isinf, isnan
from typing import TYPE_CHECKING, Any, Literal

from boundkit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from boundkit.lab.dynamics.checks import Check

    #: Done, of how many (None: unknown), of what.
    Progress = Callable[[int, int | None, str], None]

__all__ = [
    "Chart",
    "Column",
    "Panel",
    "Series",
    "Simulation",
    "System",
    "Table",
]


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One quantity along the path.

    Attributes:
        name: As in the files.
        unit: "1" where there is none.
        meaning: In one line, with its source.
        numbers: (T,); NaN where it is not defined.
        blank: Why NaN may stand there; empty where it may not.
    """

    name: str
    unit: str
    meaning: str
    numbers: NDArray[np.float64]
    blank: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Columns of one length; the first is the clock.

    Attributes:
        name: Of the table.
        columns: At least one.
    """

    name: str
    columns: tuple[Column, ...]

    def column(self, name: str) -> NDArray[np.float64]:
        """Return the values of a column.

        Args:
            name: Of the column.

        Raises:
            UsageError: There is none of that name.
        """
        for column in self.columns:
            if column.name == name:
                return column.numbers
        known = ", ".join(column.name for column in self.columns)
        raise UsageError(f"column must be one of {known}, but got {name!a}")


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One line of a panel.

    Attributes:
        label: In the legend; an empty one has no entry.
        x: (T,).
        y: (T,).
        style: Of the line.
    """

    label: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    style: Literal["line", "dashed", "dotted", "points"] = "line"


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """One pair of axes.

    Attributes:
        x_label: With unit.
        y_label: With unit.
        series: To draw, at most nine.
        log_x: Logarithmic horizontal axis.
        log_y: Logarithmic vertical axis.
        title: Above it.
    """

    x_label: str
    y_label: str
    series: tuple[Series, ...]
    log_x: bool = False
    log_y: bool = False
    title: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Chart:
    """A figure, as data.

    Attributes:
        name: Stem of its file.
        title: Above all panels.
        panels: Row by row.
        columns: Panels in a row.
    """

    name: str
    title: str
    panels: tuple[Panel, ...]
    columns: int = 2


@dataclass(frozen=True, slots=True, eq=False)
class Simulation:
    """One system, simulated.

    Attributes:
        system: Its name.
        title: What was simulated, in one line.
        settings: Every option and its value.
        tables: The path; the first is the main one.
        checks: Claims beside what was found.
        charts: Figures, as data.
        summary: Numbers and words worth a line each.
        notes: Sentences that a reader must know.
        stopped: Why the run ended before its time, or None; what was computed until
            then is in the tables.
    """

    system: str
    title: str
    settings: Mapping[str, Any]
    tables: tuple[Table, ...]
    checks: tuple[Check, ...]
    charts: tuple[Chart, ...]
    summary: Mapping[str, float | int | str | None] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    stopped: str | None = None

    @property
    def undefined(self) -> bool:
        """Whether the run ended early, or a number is not finite and should be."""
        numbers = [
            value
            for check in self.checks
            for value in (check.predicted, check.found)
            if value is not None
        ]
        return (
            self.stopped is not None
            or not all(map(isfinite, numbers))
            or any(
                isinf(value) or (isnan(value) and not column.blank)
                for table in self.tables
                for column in table.columns
                for value in column.numbers.tolist()
            )
        )

    def table(self, name: str | None = None) -> Table:
        """Return a table.

        Args:
            name: Of the table; None for the main one.

        Raises:
            UsageError: There is none of that name.
        """
        for table in self.tables:
            if name in {None, table.name}:
                return table
        known = ", ".join(table.name for table in self.tables)
        raise UsageError(f"table must be one of {known}, but got {name!a}")

    def frame(self, name: str | None = None) -> pd.DataFrame:
        """Return a table as a pandas frame.

        Args:
            name: Of the table; None for the main one.
        """
        import pandas as pd

        return pd.DataFrame({
            each.name: each.numbers for each in self.table(name).columns
        })

    def check(self, name: str) -> Check:
        """Return one claim.

        Args:
            name: Of the claim.

        Raises:
            UsageError: There is none of that name.
        """
        for one in self.checks:
            if one.name == name:
                return one
        known = ", ".join(one.name for one in self.checks)
        raise UsageError(f"check must be one of {known}, but got {name!a}")

    def __str__(self) -> str:
        """Return the text that the command prints."""
        from boundkit.lab.dynamics.text import render

        return render(self)


@dataclass(frozen=True, slots=True)
class System:
    """A dynamical system of the catalog.

    Attributes:
        name: As the command takes it.
        title: In one line.
        source: Papers and equations.
        run: Its keyword-only parameters are the options of the system.
    """

    name: str
    title: str
    source: str
    run: Callable[..., Simulation]
