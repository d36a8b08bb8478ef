"""What the HTML page shows beside the tables: facts, charts, maps, lists of numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from boundkit.report.best import best, smallest
from boundkit.report.escape import escape
from boundkit.report.wording import at_most, count, power, significant

if TYPE_CHECKING:
    from boundkit.report.model import LayerRow, Report

__all__ = ["charts", "facts", "heat_maps", "measured", "provenance"]

#: Layers whose spectrum is in the page, and points of each.
_SPECTRA, _POINTS = 600, 200
#: Classes up to which a map is drawn.
_CLASSES = 60
_MAPS = (("cosines.means", "Cosines of class means"),
         ("cosines.weights", "Cosines of classifiers"))  # fmt: skip


def facts(report: Report) -> list[tuple[str, str]]:
    """Return what a reader looks for first, as label and value.

    Args:
        report: What to show.
    """
    found = [("parameters", f"{report.checkpoint.parameters:,}")]
    rho = report.rho_stored
    if rho.value is not None:
        found.append(("rho", significant(rho.value)))
    elif rho.log10 is not None:
        found.append(("rho", power(rho.log10)))
    found.append(("counted", f"{int(1000 * report.coverage) / 10:g} %"))
    bound = best(report) or smallest(report, "assumed")
    if bound is not None:
        value = float("inf") if bound.value is None else bound.value
        found.append((
            f"{escape(bound.bound)}, {bound.status}",
            at_most(value, bound.log10),
        ))
    if report.conventions.get("n") is not None:
        found.append(("n", count(report.conventions["n"])))
    if report.warnings:
        found.append(("warnings", f"{len(report.warnings):,}"))
    return found


def charts(report: Report) -> dict[str, Any]:
    """Return the numbers that are drawn, by the name of the chart; absent if there are none.

    Args:
        report: What to show.
    """
    found = {
        "norms": _norms(report),
        "spectra": _spectra(report),
        "margins": _histograms(report.margins),
    }
    return {name: data for name, data in found.items() if data}


def _norms(report: Report) -> dict[str, Any] | None:
    rows = [row for row in report.layers if row.counted and row.log10_rho is not None]
    names = [escape(row.name) for row in rows]
    values = [_short(row.log10_rho) for row in rows]
    return {"names": names, "log10": values} if len(rows) > 1 else None


def _spectra(report: Report) -> list[dict[str, Any]]:
    starts = {
        one.layer: one.value
        for one in report.measurements
        if one.name == "power_law.x_min" and one.value is not None
    }
    rows = [row for row in report.layers if len(_positive(row)) > 1]
    return [_spectrum(row, starts.get(row.name)) for row in rows[:_SPECTRA]]


def _spectrum(row: LayerRow, start: float | None) -> dict[str, Any]:
    points = _positive(row)
    points = points[:: max(1, len(points) // _POINTS)]
    ranks, squares = [rank for rank, _ in points], [_short(s * s) for _, s in points]
    found: dict[str, Any] = {
        "name": escape(row.name),
        "ranks": ranks,
        "squares": squares,
    }
    alpha = row.columns.get("alpha")
    if alpha is not None and alpha > 1 and start:
        found["law"] = {"alpha": alpha, "line": _law(points, alpha, start)}
    return found


def _law(
    points: list[tuple[int, float]], alpha: float, start: float
) -> list[float | None]:
    """Return the squares that the law has at each rank of the tail, None elsewhere.

    Of a tail of m squares from ``start`` on, ``m (x/start)^(1-alpha)`` are larger than x
    (Clauset, Shalizi, Newman 2009, eq. 2.6).
    """
    tail = max((k for k, s in points if s * s >= start * (1 - 1e-5)), default=0)
    return [
        _short(start * (rank / tail) ** (1 / (1 - alpha))) if rank <= tail else None
        for rank, _ in points
    ]


def _positive(row: LayerRow) -> list[tuple[int, float]]:
    return [(rank, value) for rank, value in row.spectrum if value > 0]


def _histograms(margins: Mapping[str, Any] | None) -> dict[str, Any]:
    samples = {"train": margins or {}, "test": (margins or {}).get("test") or {}}
    return {
        name: _histogram(one["histogram"])
        for name, one in samples.items()
        if isinstance(one.get("histogram"), Mapping)
    }


def _histogram(found: Mapping[str, Any]) -> dict[str, Any]:
    edges, counts = found["edges"], found["counts"]
    total = sum(counts) or 1
    return {
        "middles": [_short((a + b) / 2) for a, b in pairwise(edges)],
        "shares": [_short(one / total) for one in counts],
    }


def heat_maps(report: Report) -> list[tuple[str, list[list[tuple[str, str]]]]]:
    """Return the maps of cosines between classes, each cell as text and color.

    Args:
        report: What to show.
    """
    tables = dict(_arrays(report.collapse))
    return [
        (label, [[_tinted(one, len(table)) for one in row] for row in table])
        for name, label in _MAPS
        for path, table in tables.items()
        if path.removeprefix("train.") == name
        if 1 < len(table) <= _CLASSES
    ]


def _arrays(node: Any, path: str = "") -> Iterator[tuple[str, list[list[float]]]]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield from _arrays(value, f"{path}.{key}".lstrip("."))
    elif isinstance(node, list | tuple) and node and isinstance(node[0], list | tuple):
        yield path, [list(row) for row in node]


def _tinted(cosine: float | None, classes: int) -> tuple[str, str]:
    if cosine is None:
        return "", "#ccc"
    if cosine > 1 - 1e-9:
        return "", "#eee"
    off = max(-1.0, min(1.0, 2 * (cosine + 1 / (classes - 1))))
    pale = round(255 * (1 - 0.7 * abs(off)))
    color = f"rgb(255,{pale},{pale})" if off > 0 else f"rgb({pale},{pale},255)"
    return f"{cosine:.2f}", color


def measured(report: Report) -> list[tuple[str, list[tuple[str, Any]]]]:
    """Return the numbers of margins, collapse and noise by their path, tables left out.

    Args:
        report: What to show.
    """
    parts = (
        ("Margins", report.margins),
        ("Neural collapse", report.collapse),
        ("Noise of SGD", report.noise),
    )
    found = [(label, list(_scalars(part))) for label, part in parts]
    return [(label, rows) for label, rows in found if rows]


def _scalars(node: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield from _scalars(value, f"{path}.{key}" if path else str(key))
    elif node is not None and not isinstance(node, list | tuple):
        yield escape(path), node


def provenance(report: Report) -> list[tuple[str, Any]]:
    """Return which bytes were analyzed, how, and how long it took.

    Args:
        report: What to show.
    """
    one = report.checkpoint
    found: list[tuple[str, Any]] = [
        ("source", one.source),
        ("format", one.format),
        ("wrapping", " > ".join(one.wrapping) or None),
        ("sha256", one.sha256),
        ("bytes", f"{one.bytes:,}"),
        ("tensors", f"{one.tensors:,}"),
        ("boundkit", report.boundkit),
    ]
    found += [(escape(str(key)), value) for key, value in report.conventions.items()]
    seconds = [
        (f"seconds, {escape(key)}", value) for key, value in report.seconds.items()
    ]
    return found + seconds


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.6g}")
