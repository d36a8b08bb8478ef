"""What a measurement is called and how it is defined, without a network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Entry", "Group"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One measurement.

    Attributes:
        name: As reports write it.
        group: Title of its group.
        formula: Its definition.
        needs: What must be given for it, in options of the command line.
        source: Where it comes from.
        heuristic: Whether it is printed as a bound, or a factor of one, without a proof.
    """

    name: str
    group: str
    formula: str
    needs: str
    source: str
    heuristic: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Measurements that need the same input.

    Attributes:
        title: In words.
        needs: What must be given for them.
        source: Where they come from, for those that say nothing else.
        formulas: Name -> definition.
        sources: Name -> where this one comes from.
        heuristic: Names of those without a proof.
    """

    title: str
    needs: str
    source: str
    formulas: Mapping[str, str]
    sources: Mapping[str, str]
    heuristic: frozenset[str] = frozenset()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """One per name, in the order given."""
        return tuple(
            Entry(
                name,
                self.title,
                formula,
                self.needs,
                self.sources.get(name, self.source),
                name in self.heuristic,
            )
            for name, formula in self.formulas.items()
        )
