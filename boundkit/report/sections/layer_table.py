"""The layer table: norms, their share of log rho, ranks, and rho itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from boundkit.report.escape import escape
from boundkit.report.spans import Line, Span, cells, clip, pad, plain, wrap
from boundkit.report.wording import percent, plural, power, significant, sizes

if TYPE_CHECKING:
    from boundkit.report.model import LayerRow, Report, Rho

__all__ = ["LayerCells", "layer_cells", "layer_table", "rho_sentence"]

_MOST, _FIRST, _LAST = 30, 18, 8
_WIDE = 75
_SPECTRAL = (("spectral_norm", "spectral"), ("stable_rank", "stable rank"))
_SHARE_TITLE = "share of log rho"


@dataclass(frozen=True, slots=True)
class LayerCells:
    """One layer in words, escaped; ``share`` is of the log of rho, signed, or None."""

    name: str
    kind: str
    rho: str
    share: float | None
    shown: str
    spectral: str
    stable_rank: str


@dataclass(frozen=True, slots=True)
class _Columns:
    """Widths of the table's columns, and which spectral ones there are."""

    name: int
    kind: int
    geometry: bool
    bar: int
    spectral: tuple[tuple[str, str], ...]


def layer_cells(report: Report) -> tuple[LayerCells, ...]:
    """Return one row per layer, none left out.

    Args:
        report: Its layers; a share is ``log10 rho_k`` over the sum of ``|log10 rho_k|``.
    """
    total = _total(report.layers)
    return tuple(_cells(layer, total) for layer in report.layers)


def _cells(layer: LayerRow, total: float) -> LayerCells:
    known = layer.counted and layer.log10_rho is not None
    share = _share(layer, total) if known else None
    words = "not counted" if not layer.counted else "zero"
    words = "not finite" if layer.counted and layer.rho is None else words
    return LayerCells(
        escape(layer.name),
        _kind(layer, geometry=True),
        _number(layer.rho),
        share,
        words if share is None else percent(share),
        _number(layer.columns.get("spectral_norm")),
        _number(layer.columns.get("stable_rank")),
    )


def rho_sentence(report: Report) -> str:
    """Return what rho is, in a line or more.

    Args:
        report: Its norms.
    """
    return "\n".join(
        line.strip() for line in plain(_rho_lines(report, 10_000)).splitlines()
    )


def _total(layers: tuple[LayerRow, ...]) -> float:
    return sum(abs(layer.log10_rho or 0.0) for layer in layers if layer.counted)


def layer_table(report: Report, width: int) -> tuple[Line, ...]:
    """Return the table of layers with the line that says what rho is.

    A layer's share is ``|log10 rho_k|`` over the sum of these; long tables lose their
    middle, and say so.
    """
    if not report.layers:
        return ((("  No layer was found, so there is no rho.", "fair"),),)
    columns = _columns(report.layers, width)
    return (
        _header(columns),
        *_rows(report.layers, columns, width),
        *_rho_lines(report, width),
    )


def _columns(layers: tuple[LayerRow, ...], width: int) -> _Columns:
    spectral = tuple(
        (key, title)
        for key, title in _SPECTRAL
        if width >= _WIDE
        and any(layer.columns.get(key) is not None for layer in layers)
    )
    bar = 10 if width >= 90 or not spectral else 0
    fixed = 2 + 2 + 2 + 9 + 3 + (bar + 7) + sum(2 + len(title) for _, title in spectral)
    room = max(width - fixed, 20)
    shown = _ends(layers)
    name = max(5, *(cells(escape(layer.name)) for layer in shown))
    kind = max(4, *(cells(_kind(layer, geometry=True)) for layer in shown))
    geometry = name + kind <= room
    if not geometry:
        kind = max(4, *(cells(_kind(layer, geometry=False)) for layer in shown))
        kind = min(kind, max(room - name, room // 2))
        name = min(name, room - kind)
    return _Columns(name, kind, geometry, bar, spectral)


def _header(columns: _Columns) -> Line:
    share = _SHARE_TITLE if columns.bar else "  share"
    text = (
        f"  {pad('layer', columns.name)}  {pad('kind', columns.kind)}  "
        f"{pad('rho_k', 9, 'right')}   {pad(share, columns.bar + 7)}"
    )
    titles = "".join(f"  {title}" for _, title in columns.spectral)
    return ((text + titles, "dim"),)


def _rows(
    layers: tuple[LayerRow, ...], columns: _Columns, width: int
) -> tuple[Line, ...]:
    total = _total(layers)
    largest = max(abs(_share(layer, total)) for layer in layers)
    rows = [_row(layer, columns, total, largest) for layer in _ends(layers)]
    if len(layers) > _MOST:
        hidden = layers[_FIRST:-_LAST]
        part = sum(abs(_share(layer, total)) for layer in hidden)
        text = (
            f"… {plural(len(hidden), 'layer')} more, {percent(part)} of the log "
            "(all of them in --format json)"
        )
        rows[_FIRST:_FIRST] = wrap([(text, "dim")], width, 2, 4)
    return tuple(rows)


def _ends(layers: tuple[LayerRow, ...]) -> tuple[LayerRow, ...]:
    return layers if len(layers) <= _MOST else layers[:_FIRST] + layers[-_LAST:]


def _row(layer: LayerRow, columns: _Columns, total: float, largest: float) -> Line:
    name = pad(clip(escape(layer.name), columns.name), columns.name)
    kind = _kind(layer, geometry=columns.geometry)
    norm = "-" if layer.rho is None else significant(layer.rho)
    spectral = "".join(
        "  " + pad(_number(layer.columns.get(key)), len(title), "right")
        for key, title in columns.spectral
    )
    return (
        ("  " + name, "name"),
        ("  " + pad(clip(kind, columns.kind), columns.kind), "dim"),
        ("  " + pad(norm, 9, "right") + "   ", ""),
        *_share_cells(layer, columns, total, largest),
        (spectral, ""),
    )


def _share_cells(
    layer: LayerRow, columns: _Columns, total: float, largest: float
) -> tuple[Span, ...]:
    room = columns.bar + 7
    if not layer.counted:
        return ((pad("not counted" if columns.bar else "  -", room), "dim"),)
    if layer.log10_rho is None:
        words = "zero" if layer.rho == 0 else "not finite"
        return ((pad(words if columns.bar else "  -", room), "bad"),)
    share = _share(layer, total)
    length = round(columns.bar * abs(share) / largest) if largest else 0
    bar = ("#" if share >= 0 else "-") * length
    number = pad(percent(share), 7, "right")
    return ((pad(bar, columns.bar), "bar"), (number, ""))


def _share(layer: LayerRow, total: float) -> float:
    if not layer.counted or layer.log10_rho is None or total == 0:
        return 0.0
    return layer.log10_rho / total


def _kind(layer: LayerRow, *, geometry: bool) -> str:
    words = f"{layer.kind} {sizes(layer.shape)}"
    return escape(f"{words} {layer.geometry}".rstrip() if geometry else words)


def _number(value: float | None) -> str:
    return "-" if value is None else significant(value)


def _rho_lines(report: Report, width: int) -> list[Line]:
    counted = sum(layer.counted for layer in report.layers)
    norm = escape(str(report.conventions.get("conv_norm", "filter")))
    detail = f"{plural(counted, 'factor')}; convs by {norm} norm"
    lines = _rho_line(report.rho_stored, detail, width)
    if report.rho_folded:
        folded = "batch normalization folded in"
        lines += _rho_line(report.rho_folded, folded, width)
    if any((layer.log10_rho or 0) < 0 and layer.counted for layer in report.layers):
        note = (
            "Shares are of the sum of |log10 rho_k|; a minus marks a layer with "
            "rho_k < 1, which makes rho smaller."
        )
        lines += wrap([(note, "dim")], width, 2, 2)
    return lines


def _rho_line(rho: Rho, detail: str, width: int) -> list[Line]:
    exponent = "" if rho.log10 is None else f"log10 {rho.log10:.3f}; "
    spans: list[Span] = [
        (f"rho {_rho_value(rho)}", "title"),
        (f"({exponent}{detail})", "dim"),
    ]
    return wrap(spans, width, 2, 4)


def _rho_value(rho: Rho) -> str:
    if rho.value is not None and rho.value != float("inf"):
        return f"= {significant(rho.value)}"
    return "is undefined" if rho.log10 is None else f"= {power(rho.log10)}"
