"""Refuses to compare what cannot be compared: other architectures, other conventions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from boundkit.errors import UsageError
from boundkit.readers.quoting import listed, shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from boundkit.report.model import Report
    from boundkit.types import LedgerRow, Network

__all__ = [
    "Outline",
    "outline_of_network",
    "outline_of_report",
    "require_one_architecture",
    "require_one_convention",
]

#: What may differ: it changes no number that is compared, or follows from the file
#: (containers sort tensors differently, and layers are then put in order by rewriting).
_FREE = frozenset({"device", "rewrites", "spectra", "weight_decay"})
_LISTED = 3


@dataclass(frozen=True, slots=True)
class Outline:
    """What tells architectures apart without reading a single weight.

    Attributes:
        source: The checkpoint.
        layers: Name of a layer -> its kind and shape in words.
        others: Learned tensor that is no factor of rho -> its shape in words.
    """

    source: str
    layers: Mapping[str, str]
    others: Mapping[str, str]


def outline_of_network(
    source: str, network: Network, ledger: Sequence[LedgerRow]
) -> Outline:
    """Return the outline of a checkpoint that has been opened.

    Args:
        source: The checkpoint.
        network: Its layers.
        ledger: Its tensors.
    """
    layers = {x.name: _words(x.kind, x.weight.shape) for x in network.layers}
    return Outline(source, layers, _others(ledger))


def outline_of_report(report: Report) -> Outline:
    """Return the outline of a checkpoint that has been analyzed."""
    layers = {x.name: _words(x.kind, x.shape) for x in report.layers}
    return Outline(report.checkpoint.source, layers, _others(report.ledger))


def require_one_architecture(outlines: Sequence[Outline]) -> None:
    """Refuse nets whose layers differ by name, kind or shape.

    The order of tensors in a file does not matter: containers sort them differently.

    Args:
        outlines: At least two.

    Raises:
        UsageError: The message names the first layers that differ.
    """
    first, *rest = outlines
    for other in rest:
        for mine, its in ((first.layers, other.layers), (first.others, other.others)):
            differing = _differences(mine, its)
            if differing:
                more = len(differing) - _LISTED
                and_more = f" and {more:,} more" if more > 0 else ""
                raise UsageError(
                    f"{shown(other.source)} is not of the architecture of "
                    f"{shown(first.source)}: {'; '.join(differing[:_LISTED])}"
                    f"{and_more}; compare checkpoints of one architecture"
                )


def require_one_convention(reports: Sequence[Report]) -> None:
    """Refuse reports that were made under different conventions.

    Args:
        reports: At least two.

    Raises:
        UsageError: The message names the first convention that differs.
    """
    first, *rest = reports
    for other in rest:
        for name in {**first.conventions, **other.conventions}:
            mine, its = first.conventions.get(name), other.conventions.get(name)
            if name not in _FREE and mine != its:
                raise UsageError(
                    f"{shown(first.checkpoint.source)} and "
                    f"{shown(other.checkpoint.source)} were analyzed under different "
                    f"conventions: {name} is {shown(mine)} and {shown(its)}; analyze "
                    "them alike"
                )


def _words(kind: str, shape: tuple[int, ...]) -> str:
    return f"{kind} {'x'.join(map(str, shape))}"


def _others(ledger: Sequence[LedgerRow]) -> dict[str, str]:
    return {
        row.tensor: _words("tensor", row.shape)
        for row in ledger
        if row.parameter and row.status != "counted"
    }


def _differences(mine: Mapping[str, str], its: Mapping[str, str]) -> list[str]:
    changed = [
        f"{shown(name)} is {its[name]}, not {words}"
        for name, words in mine.items()
        if name in its and its[name] != words
    ]
    missing = [name for name in mine if name not in its]
    added = [name for name in its if name not in mine]
    found = changed
    if missing:
        found += [f"it lacks {listed(missing, _LISTED)}"]
    if added:
        found += [f"it has {listed(added, _LISTED)} besides"]
    return found
