"""A ranking: measures of a sweep by how well they order the errors of its nets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from matplotlib.figure import Figure

    from boundkit.regression.points import LeftOut
    from boundkit.report.painting import Console, Painted

__all__ = ["RANKING_SCHEMA", "LeftMeasure", "Measure", "Ranking"]

RANKING_SCHEMA = "boundkit.ranking/1"


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure, and how well it orders the errors; NaN where something is not defined.

    Attributes:
        name: Of its column.
        same: Other columns that order these nets in the same way, or the opposite.
        direction: 1 where it grows with the error over all nets, -1 where it falls.
        nets: That have it.
        kendall: tau-b over all pairs.
        kendall_p: That there is no relation, for this measure alone.
        spearman: Rank correlation.
        granulated: Psi, one hyperparameter varied at a time; with its sign.
        by_hyperparameter: psi of each.
        information: Conditional mutual information, normalized.
        environments: Pairs of settings that count.
        sign_error: Mean over them, after ``direction``.
        sign_error_90: 90th percentile.
        sign_error_worst: Maximum: the robust sign error.
    """

    name: str
    same: tuple[str, ...]
    direction: int
    nets: int
    kendall: float
    kendall_p: float
    spearman: float
    granulated: float
    by_hyperparameter: Mapping[str, float]
    information: float
    environments: int
    sign_error: float
    sign_error_90: float
    sign_error_worst: float


@dataclass(frozen=True, slots=True)
class LeftMeasure:
    """A column that is not ranked.

    Attributes:
        name: Of the column.
        reason: Why.
    """

    name: str
    reason: str


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Ranking:
    """Measures of a sweep, best first.

    Attributes:
        boundkit: Version.
        source: Name of the table, or "".
        y: What is ordered.
        hyperparameters: That were varied.
        test_size: Samples of the test data, or None.
        least_effective: Pairs that an environment needs, effectively.
        rows: Of the table.
        nets: That are ranked by.
        left_out: Rows that are not, and why.
        measures: Best first: by worst, 90th percentile and mean of the sign error, or
            by Kendall's coefficient where there is no environment.
        left_measures: Columns that are not ranked, and why.
        remarks: In words.
    """

    boundkit: str
    source: str
    y: str
    hyperparameters: tuple[str, ...]
    test_size: int | None
    least_effective: float
    rows: int
    nets: int
    left_out: tuple[LeftOut, ...]
    measures: tuple[Measure, ...]
    left_measures: tuple[LeftMeasure, ...]
    remarks: tuple[str, ...]

    def frame(self) -> pd.DataFrame:
        """Return the ranking as a pandas frame, one row a measure, best first."""
        import pandas as pd

        return pd.DataFrame([self._row(one) for one in self.measures])

    def _row(self, one: Measure) -> dict[str, object]:
        return {
            "measure": one.name,
            "same": " ".join(one.same),
            "direction": one.direction,
            "nets": one.nets,
            "kendall": one.kendall,
            "kendall.p": one.kendall_p,
            "spearman": one.spearman,
            "granulated": one.granulated,
            **{f"granulated.{n}": v for n, v in one.by_hyperparameter.items()},
            "information": one.information,
            "environments": one.environments,
            "sign_error": one.sign_error,
            "sign_error.90": one.sign_error_90,
            "sign_error.worst": one.sign_error_worst,
        }

    def plot(self) -> Figure:
        """Draw correlations and sign errors of the measures, best first."""
        from boundkit.plot.regressions.ranking_chart import (
            Ranked,
            RankedMeasure,
            ranking_chart,
        )

        return ranking_chart(
            Ranked(
                title=self.source,
                y=self.y,
                measures=tuple(
                    RankedMeasure(
                        one.name,
                        one.kendall,
                        one.granulated,
                        one.sign_error,
                        one.sign_error_90,
                        one.sign_error_worst,
                    )
                    for one in self.measures
                ),
            )
        )

    def __repr__(self) -> str:
        """Render as text."""
        from boundkit.regression.ranking_text import render

        return render(self)

    def __rich_console__(self, console: Console, options: Any) -> Painted:
        """Render as text, painted, for rich's consoles."""
        from boundkit.regression.ranking_text import lines
        from boundkit.report.painting import painted

        return painted(lines(self, options.max_width), console)

    def _repr_html_(self) -> str:
        """Render for notebooks: the HTML page, in a frame that keeps it to itself."""
        from boundkit.regression.ranking_html import render
        from boundkit.report.pages import framed

        return framed(render(self), "boundkit ranking")
