"""What is found: numbers with a unit, and theorems with their assumptions."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "Assumption",
    "Certificate",
    "Measurement",
    "Status",
]

Status = Literal["valid", "assumed", "invalid", "unavailable"]


@dataclass(frozen=True, slots=True)
class Measurement:
    """A number with a unit and a source; a heuristic has no proof behind it."""

    name: str
    value: float | None
    unit: str
    source: str
    layer: str | None = None
    stderr: float | None = None
    kind: Literal["measurement", "heuristic"] = "measurement"
    log10: float | None = None


@dataclass(frozen=True, slots=True)
class Assumption:
    """One condition of a theorem: holds, is violated, or cannot be checked (None)."""

    name: str
    holds: bool | None
    detail: str


@dataclass(frozen=True, slots=True)
class Certificate:
    """A complete theorem evaluated, with the state of every assumption.

    Attributes:
        bound: Its id.
        status: valid, assumed, invalid or unavailable.
        value: Upper bound on the error probability; None if invalid, unavailable or
            too large for a float.
        log10: Of the value, also where that overflows.
        delta: The probability that the statement fails.
        terms: Every factor and summand.
        assumptions: Each with its state.
        source: Where the theorem is proved.
        note: What to do where there is no value.
    """

    bound: str
    status: Status
    value: float | None
    log10: float | None
    delta: float
    terms: Mapping[str, float | str | None]
    assumptions: tuple[Assumption, ...]
    source: str
    note: str = ""

    @property
    def vacuous(self) -> bool:
        """Whether it says nothing about an error probability."""
        return self.value is None or not self.value < 1

    def _repr_html_(self) -> str:
        """Render for notebooks: the value, every assumption and every term."""
        value = "no value" if self.value is None else f"at most {self.value:.4g}"
        if self.value is None and self.log10 is not None:
            value = f"at most 10^{self.log10:.1f}"
        states = {True: "holds", False: "violated", None: "not checked"}
        rows: list[tuple[object, ...]] = [
            (states[a.holds], a.name, a.detail) for a in self.assumptions
        ]
        rows += [("term", name, term) for name, term in self.terms.items()]
        rows += [("source", self.source, self.note)]
        table = "".join(
            f"<tr>{''.join(f'<td>{_shown(cell)}</td>' for cell in row)}</tr>"
            for row in rows
        )
        head = (
            f"<b>{_shown(self.bound)}</b>: {value}, {self.status}, delta {self.delta:g}"
        )
        return f"<p>{head}</p><table>{table}</table>"


def _shown(value: object) -> str:
    """Return a cell of HTML; what cannot be seen is spelled out."""
    text = "-" if value is None else str(value)
    seen = (c if c.isprintable() else ascii(c)[1:-1] for c in text)
    return escape("".join(seen))
