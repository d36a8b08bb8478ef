"""The report as strict JSON, ``boundkit.report/1``, and the schema that describes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isfinite
from re import sub
from typing import TYPE_CHECKING, Any, TypeAlias

from boundkit.numerics.collector import without_collector
from boundkit.report.escape import has_hidden
from boundkit.report.model import SCHEMA

if TYPE_CHECKING:
    from boundkit.report.model import LayerRow, Report, Rho
    from boundkit.types import Certificate, LedgerRow, Measurement, Notice

__all__ = ["SPECTRAL_COLUMNS", "checked", "document", "render", "schema", "written"]

# A step into the report and those before it: a path is only spelled where one is needed.
_Place: TypeAlias = tuple["_Place | None", object]

# Tables have millions of cells; these need no look.
_PLAIN = frozenset({int, bool, type(None)})

_ENCODER = json.JSONEncoder(allow_nan=False, ensure_ascii=False)

SPECTRAL_COLUMNS = (
    "spectral_norm",
    "operator_norm",
    "stable_rank",
    "effective_rank",
    "numerical_rank",
    "participation_ratio",
    "s3_over_s1",
    "nuclear_norm",
    "condition",
    "alpha",
    "theorem7_factor",
)


def document(report: Report) -> dict[str, Any]:
    r"""Return the report as dicts, lists, strings, numbers, booleans and None.

    Every number is finite: one that is not becomes None, and a warning with code
    ``non-finite`` that names its path is appended. A lone surrogate in a string is
    spelled out as ``\udcXX``, since no UTF-8 text can hold it.
    """
    return checked(_raw(report))


def checked(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document in JSON's own types, every number finite.

    Args:
        raw: With a list under ``"warnings"``, which is told of every number that is not
            finite, by its path.
    """
    stray: list[str] = []
    plain: dict[str, Any] = _plain(raw, None, stray)
    plain["warnings"] += [_stray_warning(path) for path in stray]
    return plain


@without_collector()
def render(report: Report) -> str:
    """Return the report as one JSON document, one table row a line."""
    return written(document(report))


def written(document: Mapping[str, Any]) -> str:
    r"""Return a document that was checked as text, one table row a line.

    Characters that a terminal would obey or hide are ``\uNNNN`` escapes, so that
    the output is safe to look at.
    """
    parts = [f"{_dump(key)}: {_block(part)}" for key, part in document.items()]
    return sub(r"[^\x00-\x7e]", _seen, "{\n" + ",\n".join(parts) + "\n}\n")


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) that every document satisfies."""
    from importlib.resources import files

    text = files("boundkit.report").joinpath("schema.json").read_text("utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def _raw(report: Report) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "boundkit": report.boundkit,
        "checkpoint": _checkpoint(report),
        "conventions": report.conventions,
        "ledger": [_ledger_row(row) for row in report.ledger],
        "coverage": report.coverage,
        "layers": [_layer(layer) for layer in report.layers],
        "rho": _rhos(report),
        "measurements": [_measurement(one) for one in report.measurements],
        "certificates": [_certificate(one) for one in report.certificates.values()],
        "margins": report.margins,
        "collapse": report.collapse,
        "noise": report.noise,
        "warnings": [_warning(one) for one in report.warnings],
        "seconds": report.seconds,
    }


def _checkpoint(report: Report) -> dict[str, Any]:
    names = ("source", "format", "wrapping", "sha256", "bytes", "tensors", "parameters")
    return {name: getattr(report.checkpoint, name) for name in names}


def _ledger_row(row: LedgerRow) -> dict[str, Any]:
    names = ("tensor", "shape", "dtype", "status", "layer", "reason", "parameter")
    return {name: getattr(row, name) for name in names}


def _layer(layer: LayerRow) -> dict[str, Any]:
    return {
        "name": layer.name,
        "kind": layer.kind,
        "shape": layer.shape,
        "parameters": layer.parameters,
        "rho": layer.rho,
        "log10_rho": layer.log10_rho,
        "counted": layer.counted,
        "geometry": layer.geometry,
        **{name: layer.columns.get(name) for name in SPECTRAL_COLUMNS},
        "spectrum": layer.spectrum,
    }


def _rhos(report: Report) -> dict[str, Any]:
    return {
        "stored": _rho(report.rho_stored),
        "folded": report.rho_folded and _rho(report.rho_folded),
        "layers": sum(layer.counted for layer in report.layers),
    }


def _rho(rho: Rho) -> dict[str, Any]:
    return {"log10": rho.log10, "value": _unless_beyond(rho.value, rho.log10)}


def _measurement(one: Measurement) -> dict[str, Any]:
    return {
        "name": one.name,
        "layer": one.layer,
        "value": _unless_beyond(one.value, one.log10),
        "log10": one.log10,
        "unit": one.unit,
        "stderr": one.stderr,
        "source": one.source,
        "kind": one.kind,
    }


def _certificate(one: Certificate) -> dict[str, Any]:
    return {
        "bound": one.bound,
        "status": one.status,
        "value": _unless_beyond(one.value, one.log10),
        "log10": one.log10,
        "vacuous": one.vacuous,
        "delta": one.delta,
        "terms": one.terms,
        "assumptions": [
            {"name": each.name, "holds": each.holds, "detail": each.detail}
            for each in one.assumptions
        ],
        "source": one.source,
        "note": one.note,
    }


def _warning(one: Notice) -> dict[str, Any]:
    return {"code": one.code, "message": one.message, "tensor": one.tensor}


def _stray_warning(path: str) -> dict[str, Any]:
    message = f"{path} is not finite; it stands as null"
    return {"code": "non-finite", "message": message, "tensor": None}


def _unless_beyond(value: float | None, log10: float | None) -> float | None:
    """Return None for an overflow whose logarithm stands beside it."""
    known = log10 is not None and isfinite(log10)
    return None if value == float("inf") and known else value


def _plain(value: Any, place: _Place | None, stray: list[str]) -> Any:
    """Return ``value`` in JSON's own types; paths of non-finite numbers go to stray."""
    match value:
        case None | bool() | int():
            return value
        case str():
            return _text(value)
        case float():
            if isfinite(value):
                return float(value)
            stray.append(_path(place))
            return None
        case list() | tuple():
            return [
                part if _is_plain(part) else _plain(part, (place, at), stray)
                for at, part in enumerate(value)
            ]
        case Mapping():
            return {
                key if type(key) is str and key.isascii() else _text(str(key)): (
                    part if _is_plain(part) else _plain(part, (place, key), stray)
                )
                for key, part in value.items()
            }
    # Arrays and scalars of numpy and torch, known by method so that neither is imported.
    return _plain(
        value.tolist() if hasattr(value, "tolist") else str(value), place, stray
    )


def _is_plain(value: Any) -> bool:
    kind = type(value)
    if kind is str:
        return bool(value.isascii())
    return kind in _PLAIN or (kind is float and isfinite(value))


def _text(text: str) -> str:
    if text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _path(place: _Place | None) -> str:
    steps: list[str] = []
    while place is not None:
        place, step = place
        steps.append(f"[{step}]" if isinstance(step, int) else f".{step}")
    return "".join(reversed(steps)).removeprefix(".")


def _block(part: Any) -> str:
    rows = isinstance(part, list) and any(isinstance(row, dict) for row in part)
    if not rows:
        return _dump(part)
    return "[\n " + ",\n ".join(map(_dump, part)) + "\n]"


def _dump(part: Any) -> str:
    return _ENCODER.encode(part)


def _seen(match: Any) -> str:
    char: str = match[0]
    return json.dumps(char)[1:-1] if has_hidden(char) or char == "\x7f" else char
