"""Measurements that have no table of their own."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from boundkit.report.escape import escape
from boundkit.report.sections.heuristics import spelled
from boundkit.report.spans import Line, clip, wrap

if TYPE_CHECKING:
    from collections.abc import Iterable

    from boundkit.report.model import Report
    from boundkit.types import Measurement

__all__ = ["measured"]

#: Measurements of single layers that are spelled out.
_FEW = 3
#: Members of a family that are named one by one.
_MANY = 6


def measured(report: Report, width: int) -> tuple[Line, ...]:
    """Return measurements of the whole net, and the names of those there are more of."""
    found = [one for one in report.measurements if one.kind == "measurement"]
    layered = [one for one in found if one.layer is not None]
    buried = layered if len(layered) > _FEW else []
    single, families = _families([
        one for one in found if not buried or one.layer is None
    ])
    lines: list[Line] = []
    if found:
        lines.append((("  Measurements", "title"),))
    if single:
        lines += spelled(single, width)
    for family, members in families.items():
        text = f"{escape(family)}.*: {len(members)} measures, in --format json"
        lines += wrap([(text, "dim")], width, 4, 6)
    lines += _layers(buried, width)
    return tuple(lines)


def _families(
    found: list[Measurement],
) -> tuple[list[Measurement], dict[str, list[Measurement]]]:
    """Part single measurements from families of more than three, ``family.member``."""
    families: dict[str, list[Measurement]] = {}
    for one in found:
        family, dot, _ = one.name.partition(".")
        if dot:
            families.setdefault(family, []).append(one)
    large = {name: members for name, members in families.items() if len(members) > 3}
    single = [one for one in found if one.name.partition(".")[0] not in large]
    return single, large


def _layers(found: list[Measurement], width: int) -> list[Line]:
    """Name the measurements that each layer has; a table of them would bury the rest."""
    if not found:
        return []
    names = ", ".join(_shortened(dict.fromkeys(one.name for one in found)))
    layers = len({one.layer for one in found})
    of = "1 layer" if layers == 1 else f"{layers} layers"
    return wrap([(f"of {of}: {names}, in --format json", "dim")], width, 4, 6)


def _shortened(names: Iterable[str]) -> list[str]:
    """Write large families as ``family.*``, with how many there are."""
    known = [name.partition(".") for name in names]
    sizes = Counter(family for family, dot, _ in known if dot)
    shown = [
        f"{clip(escape(family), 40)}.* ({sizes[family]})"
        if dot and sizes[family] > _MANY
        else clip(escape(family + dot + member), 40)
        for family, dot, member in known
    ]
    return list(dict.fromkeys(shown))
