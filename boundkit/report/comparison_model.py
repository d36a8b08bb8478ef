"""The comparison: what several nets of one architecture have against each other."""

from __future__ import annotations

from dataclasses import dataclass
from math import log10
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure

    from boundkit.report.model import Report, Rho
    from boundkit.report.painting import Console, Painted
    from boundkit.types import Assumption, Certificate, Notice, Status

__all__ = [
    "COMPARISON_SCHEMA",
    "Agreement",
    "ComparedLayer",
    "Comparison",
    "MarginLevel",
    "Pair",
    "Ranking",
    "Relative",
]

COMPARISON_SCHEMA = "boundkit.comparison/1"

#: Labels of nets, smallest bound first; nets of one group have equal bounds.
Ranking = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class ComparedLayer:
    """One layer of every net.

    Attributes:
        name: Of the weight tensor.
        kind: Such as ``"conv2d"``.
        shape: Of the weight tensor.
        counted: Whether its norm is a factor of rho.
        rho: Frobenius norm in each net, None if not finite.
        log10_rho: None if rho is 0 or not finite.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    counted: bool
    rho: tuple[float | None, ...]
    log10_rho: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class MarginLevel:
    """The nets at one margin loss: the share of training margins below gamma.

    Attributes:
        margin_loss: That share; None where margin 1 is assumed for want of data.
        margins: gamma of each net; None if it is not positive.
        log10_ratios: log10(rho / gamma) of each net; None where one is missing.
        ranking: The labels by rho / gamma.
    """

    margin_loss: float | None
    margins: tuple[float | None, ...]
    log10_ratios: tuple[float | None, ...]
    ranking: Ranking


@dataclass(frozen=True, slots=True)
class Relative:
    """Relative generalization: whose bound is smaller, and what that rests on.

    Attributes:
        status: valid, assumed or invalid, by the assumptions.
        assumptions: Each with its state.
        compared: Which product of norms is compared.
        rhos: That product for each net.
        chosen: The margin loss that the ranking is taken at.
        levels: Every margin loss at which all nets have a positive margin.
        test_errors: Held-out error of each net, or None.
    """

    status: Status
    assumptions: tuple[Assumption, ...]
    compared: Literal["stored", "folded"]
    rhos: tuple[Rho, ...]
    chosen: MarginLevel
    levels: tuple[MarginLevel, ...]
    test_errors: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two nets.

    Attributes:
        first: Its label.
        second: Its label.
        order: sign(rho / gamma of the first - that of the second); None if undefined.
        log10_factor: log10 of the first rho / gamma over the second.
        test_order: The same sign for the held-out errors.
    """

    first: str
    second: str
    order: int | None
    log10_factor: float | None
    test_order: int | None


@dataclass(frozen=True, slots=True)
class Agreement:
    """How a quantity orders the pairs, against the held-out errors.

    Attributes:
        by: ``"rho / gamma"`` or the id of a bound.
        agree: Pairs that both order in the same way.
        disagree: Pairs that they order in opposite ways.
        ties: Pairs that one of them does not tell apart.
        undefined: Pairs for which a number is missing.
    """

    by: str
    agree: tuple[tuple[str, str], ...]
    disagree: tuple[tuple[str, str], ...]
    ties: tuple[tuple[str, str], ...]
    undefined: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Comparison:
    """Checkpoints of one architecture side by side; it compares upper bounds only.

    Attributes:
        boundkit: Version.
        labels: A, B, C..., one per checkpoint in the order given.
        reports: The report of each.
        layers: Norm by norm.
        certificates: Bound -> its certificate for each net.
        relative: Whose bound is smaller.
        pairs: All pairs, in the order of the labels.
        agreements: With the held-out errors; empty without a held-out sample.
        warnings: What was odd, of single nets and of the comparison.
        seconds: Wall-clock time by stage.
    """

    boundkit: str
    labels: tuple[str, ...]
    reports: tuple[Report, ...]
    layers: tuple[ComparedLayer, ...]
    certificates: Mapping[str, tuple[Certificate, ...]]
    relative: Relative
    pairs: tuple[Pair, ...]
    agreements: tuple[Agreement, ...]
    warnings: tuple[Notice, ...]
    seconds: Mapping[str, float]

    @property
    def ranking(self) -> Ranking:
        """The labels by rho / gamma, smallest bound first, equal ones together."""
        return self.relative.chosen.ranking

    @property
    def undefined(self) -> tuple[Notice, ...]:
        """Warnings about numbers that are not finite or not defined: exit code 4."""
        return tuple(notice for one in self.reports for notice in one.undefined)

    def plot(self) -> Figure:
        """Draw the norms layer by layer, and the bounds, of all nets side by side."""
        from boundkit.plot.comparisons import Compared, side_by_side

        return side_by_side(
            Compared(
                labels=self.labels,
                layers={one.name: one.log10_rho for one in self.layers if one.counted},
                bounds={
                    bound: tuple(_log10(one) for one in row)
                    for bound, row in self.certificates.items()
                },
            )
        )

    def __repr__(self) -> str:
        """Render as text."""
        from boundkit.report.comparison_text import render

        return render(self)

    def __rich_console__(self, console: Console, options: Any) -> Painted:
        """Render as text, painted, for rich's consoles."""
        from boundkit.report.comparison_text import lines
        from boundkit.report.painting import painted

        return painted(lines(self, options.max_width), console)

    def _repr_html_(self) -> str:
        """Render for notebooks: the HTML page, in a frame that keeps it to itself."""
        from boundkit.report.comparison_html import render
        from boundkit.report.pages import framed

        return framed(render(self), "boundkit comparison")


def _log10(one: Certificate) -> float | None:
    if one.log10 is None and one.value:
        return log10(one.value)
    return one.log10
