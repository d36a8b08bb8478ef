"""What changed from one report to another, number by number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isclose
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from boundkit.errors import UsageError
from boundkit.report.json import document
from boundkit.report.model import Report
from boundkit.report.reading import read_report

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Change", "Difference", "diff"]

Value: TypeAlias = float | int | bool | str | None

#: Parts of a report in the order in which a reader asks for them.
_PARTS = (
    "checkpoint",
    "conventions",
    "coverage",
    "certificates",
    "rho",
    "layers",
    "margins",
    "collapse",
    "noise",
    "measurements",
    "ledger",
    "warnings",
)
#: What rows are known by.
_KEYS = {
    "certificates": ("bound",),
    "layers": ("name",),
    "measurements": ("layer", "name"),
    "ledger": ("tensor",),
    "warnings": ("code", "tensor"),
    "assumptions": ("name",),
}


@dataclass(frozen=True, slots=True)
class Change:
    """One value that is not the same in both reports.

    Attributes:
        part: Of the report, such as ``"layers"``.
        path: Of the value, such as ``"layers.head.weight.rho"``.
        old: In the older report; None where it is unknown or not there.
        new: In the newer one, likewise.
        kind: ``"changed"``, ``"added"`` or ``"removed"``.
    """

    part: str
    path: str
    old: Value
    new: Value
    kind: str

    @property
    def relative(self) -> float | None:
        """The change over the size of the old value; None if there is none."""
        if not _number(self.old) or not _number(self.new) or not self.old:
            return None
        return (float(self.new or 0) - float(self.old)) / abs(float(self.old))


@dataclass(frozen=True, slots=True, repr=False)
class Difference:
    """Everything that differs, part by part.

    Attributes:
        old: Source of the older checkpoint.
        new: Source of the newer one.
        same: How many values are equal up to the tolerance.
        changes: All others.
    """

    old: str
    new: str
    same: int
    changes: tuple[Change, ...]

    def __repr__(self) -> str:
        """Render as text."""
        from boundkit.report.difference_formats import text

        return text(self)

    def frame(self) -> pd.DataFrame:
        """Return one row per change."""
        import pandas as pd

        names = ("part", "path", "old", "new", "relative", "kind")
        return pd.DataFrame(
            [[getattr(one, name) for name in names] for one in self.changes],
            columns=list(names),
        )


def diff(old: Any, new: Any, *, rtol: float = 1e-9) -> Difference:
    """Return what changed from one report to another.

    Rows are matched by name: certificates by bound, layers and the ledger by tensor,
    measurements by layer and name. Times are left out, and so are tables of figures.

    Args:
        old: A Report, or the path of one that was written as JSON.
        new: Likewise.
        rtol: Numbers are the same up to this share of the larger one.

    Raises:
        DataError: A stored report cannot be read.
        UsageError: ``rtol`` is not in [0, 1).
    """
    if not 0 <= rtol < 1:
        raise UsageError(f"rtol must lie in [0, 1), but got {rtol}")
    before, after = _report(old), _report(new)
    values, others = dict(_values(before)), dict(_values(after))
    changes = [
        Change(*key, values.get(key), others.get(key), _kind(key, values, others))
        for key in _ordered(values, others)
        if not _same(key, values, others, rtol)
    ]
    total = len(values.keys() | others.keys())
    sources = before.checkpoint.source, after.checkpoint.source
    return Difference(*sources, total - len(changes), tuple(changes))


def _report(given: Any) -> Report:
    return given if isinstance(given, Report) else read_report(Path(given))


def _values(report: Report) -> Iterator[tuple[tuple[str, str], Value]]:
    whole = document(report)
    for part in _PARTS:
        for path, value in _flat(whole[part], part, part):
            yield (part, path), value


def _flat(node: Any, path: str, name: str) -> Iterator[tuple[str, Value]]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield from _flat(value, f"{path}.{key}", str(key))
    elif isinstance(node, list):
        yield from _listed(node, path, name)
    else:
        yield path, node


def _listed(rows: list[Any], path: str, name: str) -> Iterator[tuple[str, Value]]:
    keys = _KEYS.get(name)
    if keys is None:
        # Shapes and names are words; histograms, spectra and tables are for figures.
        if not any(isinstance(one, float | list | Mapping) for one in rows):
            yield path, "x".join(map(str, rows))
        return
    seen: Counter[str] = Counter()
    for row in rows:
        told = ".".join(str(row[key]) for key in keys if row.get(key) is not None)
        seen[told] += 1
        # Rows of one name are told apart by their order.
        place = f"{told}[{seen[told]}]" if seen[told] > 1 else told
        rest = {key: value for key, value in row.items() if key not in keys}
        yield from _flat(rest, f"{path}.{place}", told)


def _ordered(old: dict[Any, Value], new: dict[Any, Value]) -> list[tuple[str, str]]:
    found = dict.fromkeys([*new, *old])
    return sorted(found, key=lambda key: _PARTS.index(key[0]))


def _kind(key: Any, old: dict[Any, Value], new: dict[Any, Value]) -> str:
    if key not in old:
        return "added"
    return "changed" if key in new else "removed"


def _same(key: Any, old: dict[Any, Value], new: dict[Any, Value], rtol: float) -> bool:
    if key not in old or key not in new:
        return False
    one, other = old[key], new[key]
    if _number(one) and _number(other):
        return isclose(float(one or 0), float(other or 0), rel_tol=rtol)
    return one == other


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
