"""A report as one flat row, and the order of the columns of a table of such rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["FIRST", "GROUPS", "META", "flat", "ordered"]

#: The columns that every table has, in this order.
FIRST = (
    "path",
    "status",
    "reason",
    "sha256",
    "format",
    "bytes",
    "parameters",
    "layers",
    "coverage",
    "rho",
    "log10_rho",
    "log10_rho_folded",
    "inverse_rho",
    "warnings",
    "seconds",
)
#: What the names of the other columns of a report begin with, in this order.
GROUPS = ("bound.", "margins.", "collapse.", "noise.", "measure.")
#: Metadata of the checkpoint.
META = "meta."


def flat(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the numbers of a report that belong to the whole net, by column.

    Args:
        document: A report, ``boundkit.report/1``.

    Returns:
        Column -> plain value. ``bound.NAME`` is the value of a certificate, with
        ``.status``, ``.log10`` and ``.n_needed`` beside; ``measure.NAME`` a measurement
        that belongs to no layer; ``margins.``, ``collapse.`` and ``noise.`` what stands
        there, nested names joined by dots.
    """
    checkpoint, rho = document["checkpoint"], document["rho"]
    measured = {m["name"]: m for m in document["measurements"] if m["layer"] is None}
    row = {
        "sha256": checkpoint["sha256"],
        "format": checkpoint["format"],
        "bytes": checkpoint["bytes"],
        "parameters": checkpoint["parameters"],
        "layers": rho["layers"],
        "coverage": document["coverage"],
        "rho": rho["stored"]["value"],
        "log10_rho": rho["stored"]["log10"],
        "log10_rho_folded": rho["folded"] and rho["folded"]["log10"],
        "inverse_rho": measured.get("inverse_rho", {}).get("value"),
        "warnings": ", ".join(dict.fromkeys(w["code"] for w in document["warnings"])),
        "seconds": round(sum(document["seconds"].values()), 6),
    }
    for one in document["certificates"]:
        name = f"bound.{one['bound']}"
        row |= {name: one["value"], f"{name}.status": one["status"]}
        row |= {
            f"{name}.log10": one["log10"],
            f"{name}.n_needed": one["terms"].get("n_needed"),
        }
    for part in ("margins", "collapse", "noise"):
        row |= dict(_leaves(part, document[part]))
    return row | {
        f"measure.{name}": one["value"]
        for name, one in measured.items()
        if name != "inverse_rho"
    }


def _leaves(name: str, value: Any) -> Iterable[tuple[str, Any]]:
    """Iterate over the plain values under dotted names; lists belong to layers."""
    if isinstance(value, Mapping):
        for label, inner in value.items():
            yield from _leaves(f"{name}.{label}", inner)
    elif isinstance(value, str | bool | int | float):
        yield name, value


def ordered(columns: Iterable[str], carried: Iterable[str]) -> list[str]:
    """Return the columns of a table in their order.

    Args:
        columns: All of them, in any order.
        carried: Those that come from manifests.

    Returns:
        What every table has, bounds, other parts of reports, the manifest's columns in
        their order, metadata of the checkpoints.
    """
    there = dict.fromkeys(columns)
    manifest = [name for name in dict.fromkeys(carried) if name in there]
    rest = [name for name in there if name not in set(manifest)]
    groups = [[n for n in rest if n.startswith(group)] for group in (*GROUPS, META)]
    return [
        *FIRST,
        *(name for group in groups[:-1] for name in group),
        *manifest,
        *groups[-1],
    ]
