"""A trace: a run's checkpoints in order, and what became of them over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from boundkit.sweeping.columns import ordered
from boundkit.tracing.counters import whole
from boundkit.tracing.points import FAILED, UNDEFINED

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from matplotlib.figure import Figure

    from boundkit.report.painting import Console, Painted
    from boundkit.tracing.dynamics import Flow
    from boundkit.tracing.order import Order
    from boundkit.tracing.phase import Terminal
    from boundkit.tracing.points import Point

__all__ = ["TRACE_SCHEMA", "Trace"]

TRACE_SCHEMA = "boundkit.trace/1"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Trace:
    """A run over time; the only thing that its renderers read.

    Attributes:
        boundkit: Version.
        run: What was traced, as the user named it.
        points: Every checkpoint, in order; those without a place last.
        order: What they are ordered by.
        conventions: Of the reports.
        terminal: The terminal phase of training; None without training data.
        flow: The flow of the signal-to-noise values, fitted; None where it has no fit.
        no_flow: Why there is none.
        notices: What the user should know, one line each.
    """

    boundkit: str
    run: str
    points: tuple[Point, ...]
    order: Order
    conventions: Mapping[str, Any]
    terminal: Terminal | None
    flow: Flow | None
    no_flow: str
    notices: tuple[str, ...]

    @property
    def course(self) -> tuple[Point, ...]:
        """The checkpoints that were analyzed and have a place, in order."""
        return tuple(one for one in self.points if one.sound)

    @property
    def failed(self) -> tuple[Point, ...]:
        """The checkpoints that could not be analyzed."""
        return tuple(one for one in self.points if one.status == FAILED)

    @property
    def undefined(self) -> tuple[Point, ...]:
        """Those whose reports hold numbers that are not finite: exit code 4."""
        return tuple(one for one in self.points if one.status == UNDEFINED)

    def rows(self) -> list[dict[str, Any]]:
        """Return one row per checkpoint: column -> plain value."""
        return [
            {
                self.order.axis: whole(one.at),
                "path": one.path,
                "status": one.status,
                "reason": one.reason,
                **{n: v for n, v in one.columns.items() if n != self.order.axis},
            }
            for one in self.points
        ]

    def layer_rows(self) -> list[dict[str, Any]]:
        """Return one row per checkpoint and layer, of those in the course."""
        return [
            {
                self.order.axis: whole(one.at),
                "path": one.path,
                "layer": layer["name"],
                **{n: v for n, v in layer.items() if n not in {"name", "shape"}},
            }
            for one in self.course
            for layer in one.layers
        ]

    def signal_rows(self) -> list[dict[str, Any]]:
        """Return one row per fitted checkpoint and signal-to-noise value."""
        flow = self.flow
        if flow is None:
            return []
        return [
            {
                self.order.axis: whole(float(at)),
                "rank": int(rank),
                "measured": float(flow.measured[row, column]),
                "by_place": float(flow.by_place[row, column]),
                "free": float(flow.free[row, column]),
            }
            for row, at in enumerate(flow.places)
            for column, rank in enumerate(flow.ranks)
        ]

    def frame(
        self, table: Literal["checkpoints", "layers", "signal"] = "checkpoints"
    ) -> pd.DataFrame:
        """Return a table as a pandas DataFrame.

        Args:
            table: ``"checkpoints"``, one row each, columns as in docs/trace.md;
                ``"layers"``, one row per checkpoint and layer; ``"signal"``, one per
                checkpoint and signal-to-noise value, with what the fits make of it.

        Returns:
            The table; a column of numbers is numeric, with NaN for what is missing.
        """
        import pandas as pd

        from boundkit.sweeping.table import series_of

        made = {
            "checkpoints": self.rows,
            "layers": self.layer_rows,
            "signal": self.signal_rows,
        }
        rows = made[table]()
        names = list(dict.fromkeys(name for row in rows for name in row))
        if table == "checkpoints":
            names = self._ordered(names)
        return pd.DataFrame({
            name: series_of([row.get(name) for row in rows]) for name in names
        })

    def _ordered(self, names: list[str]) -> list[str]:
        carried = [label for one in self.points for label in one.carried]
        rest = ordered([name for name in names if name != self.order.axis], carried)
        return [self.order.axis, *(name for name in rest if name in names)]

    def figures(self) -> dict[str, Figure]:
        """Return every figure that there are numbers for, by name."""
        from boundkit.plot.trajectories import drawn
        from boundkit.tracing.picturing import course_of

        return drawn(course_of(self))

    def plot(self, name: str | None = None) -> Figure:
        """Draw one figure.

        Args:
            name: Such as ``"norms_over_time"``, as ``docs/trace.md`` lists them; None for
                the first that there are numbers for.

        Raises:
            UsageError: There is no such figure, or no numbers for it.
        """
        from boundkit.plot import chosen
        from boundkit.plot.trajectories import TRAJECTORIES
        from boundkit.tracing.picturing import course_of

        return chosen(TRAJECTORIES, course_of(self), name)

    def __repr__(self) -> str:
        """Render as the text of ``boundkit trace``."""
        from boundkit.tracing.text import render

        return render(self)

    def __rich_console__(self, console: Console, options: Any) -> Painted:
        """Render as the text of ``boundkit trace``, painted, for rich's consoles."""
        from boundkit.report.painting import painted
        from boundkit.tracing.text import lines

        return painted(lines(self, options.max_width), console)

    def _repr_html_(self) -> str:
        """Render for notebooks: the HTML page, in a frame that keeps it to itself."""
        from boundkit.report.pages import framed
        from boundkit.tracing.html import render

        return framed(render(self), "boundkit trace")
