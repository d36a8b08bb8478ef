"""Reports read back from their JSON documents, each part checked on the way."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar, cast

from boundkit.errors import DataError
from boundkit.report.json import SPECTRAL_COLUMNS
from boundkit.report.model import (
    SCHEMA,
    Certificates,
    LayerRow,
    Provenance,
    Report,
    Rho,
)
from boundkit.types import Assumption, Certificate, LedgerRow, Measurement, Notice

__all__ = ["read_document", "read_report", "report_of"]

_REMEDY = "write it again with boundkit analyze --format json=PATH"
_STATUSES = ("valid", "assumed", "invalid", "unavailable")
_TENSOR_STATUSES = ("counted", "folded", "skipped")

Row = TypeVar("Row")


def read_report(path: str | Path) -> Report:
    """Return the report that a file holds.

    Args:
        path: Of a file that ``--format json`` wrote.

    Raises:
        DataError: It cannot be read, is no JSON, or is no report of this version.
    """
    return report_of(read_document(path), str(path))


def read_document(path: str | Path) -> Mapping[str, Any]:
    """Return a stored report as dicts and lists, not looked into.

    Args:
        path: Of a file that ``--format json`` wrote.

    Raises:
        DataError: It cannot be read, is no JSON, or is no report of this version.
    """
    name = str(path)
    try:
        document = json.loads(Path(path).read_bytes(), parse_constant=_no_number)
    except OSError as error:
        raise DataError(
            f"{name!a}: {error.strerror}; give a report that boundkit analyze "
            "--format json=PATH wrote"
        ) from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{name!a}: no JSON ({str(error)[:80]}); {_REMEDY}") from None
    found = document.get("schema") if isinstance(document, dict) else None
    if found != SCHEMA:
        raise DataError(
            f"{name!a}: it is no report: schema is {str(found)[:40]!a}, not {SCHEMA!a}; "
            "write one with boundkit analyze --format json=PATH"
        )
    known: Mapping[str, Any] = document
    return known


def report_of(document: Mapping[str, Any], source: str = "the report") -> Report:
    """Return the report that a JSON document describes.

    What a document of an earlier version lacks is taken to be unknown. Writing the
    report again gives the same document.

    Args:
        document: As ``boundkit.report/1`` describes it.
        source: What messages call it.

    Raises:
        DataError: A part is missing or of the wrong kind; the message names its place.
    """
    whole = _Part(document, "", source)
    rho = whole.part("rho")
    folded = rho.table("folded")
    return Report(
        boundkit=whole.text("boundkit"),
        checkpoint=_provenance(whole.part("checkpoint")),
        conventions=whole.part("conventions").mapping(),
        ledger=whole.rows("ledger", _ledger_row),
        coverage=cast("float", whole.number("coverage", required=True)),
        layers=whole.rows("layers", _layer),
        rho_stored=_rho(rho.part("stored")),
        rho_folded=None if folded is None else _rho(rho.part("folded")),
        measurements=whole.rows("measurements", _measurement),
        certificates=Certificates(whole.rows("certificates", _certificate)),
        margins=whole.table("margins"),
        collapse=whole.table("collapse"),
        noise=whole.table("noise"),
        warnings=whole.rows("warnings", _notice),
        seconds=whole.part("seconds").mapping(),
    )


def _no_number(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON number")


class _Part:
    """An object inside a document; knows where it stands."""

    __slots__ = ("_found", "_place", "_source")

    def __init__(self, found: Any, place: str, source: str) -> None:
        self._found: Mapping[str, Any] = found
        self._place = place
        self._source = source
        if not isinstance(found, Mapping):
            self._refuse("", "an object")

    def mapping(self) -> Mapping[str, Any]:
        return MappingProxyType(dict(self._found))

    def part(self, key: str) -> _Part:
        return _Part(self._found.get(key), self._at(key), self._source)

    def table(self, key: str) -> Mapping[str, Any] | None:
        return None if self._found.get(key) is None else self.part(key).mapping()

    def text(self, key: str) -> str:
        value = self._found.get(key)
        if not isinstance(value, str):
            self._refuse(key, "a string")
        return cast("str", value)

    def text_or_none(self, key: str) -> str | None:
        return None if self._found.get(key) is None else self.text(key)

    def one_of(self, key: str, words: tuple[str, ...]) -> Any:
        value = self._found.get(key)
        if value not in words:
            self._refuse(key, f"one of {', '.join(words)}")
        return value

    def number(self, key: str, *, required: bool = False) -> float | None:
        value = self._found.get(key)
        if value is None and not required:
            return None
        if not _is_number(value):
            self._refuse(key, "a number")
        return cast("float", value)

    def whole(self, key: str) -> int:
        value = self._found.get(key)
        if isinstance(value, bool) or not isinstance(value, int):
            self._refuse(key, "a whole number")
        return cast("int", value)

    def flag(self, key: str, *, default: bool | None = None) -> bool | None:
        value = self._found.get(key, default)
        if value is not None and not isinstance(value, bool):
            self._refuse(key, "true, false or null")
        return cast("bool | None", value)

    def array(self, key: str, kind: Any) -> tuple[Any, ...]:
        value = self._found.get(key)
        if not isinstance(value, list | tuple) or not all(
            isinstance(one, kind) for one in value
        ):
            self._refuse(key, "an array of the right kind")
        return tuple(cast("list[Any]", value))

    def rows_of_numbers(self, key: str, length: int) -> tuple[list[float], ...]:
        rows = tuple(map(list, self.array(key, list | tuple)))
        for row in rows:
            if len(row) != length or not all(_is_number(one) for one in row):
                self._refuse(key, f"an array of {length} numbers each")
        return rows

    def rows(self, key: str, row: Callable[[_Part], Row]) -> tuple[Row, ...]:
        value = self._found.get(key)
        if not isinstance(value, list | tuple):
            self._refuse(key, "an array")
        found = cast("list[Any]", value)
        return tuple(
            row(_Part(one, f"{self._at(key)}[{place}]", self._source))
            for place, one in enumerate(found)
        )

    def _at(self, key: str) -> str:
        return ".".join(filter(None, (self._place, key)))

    def _refuse(self, key: str, wanted: str) -> None:
        place = self._at(key) or "it"
        raise DataError(f"{self._source!a}: {place} must be {wanted}; {_REMEDY}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _provenance(part: _Part) -> Provenance:
    return Provenance(
        part.text("source"),
        part.text("format"),
        part.array("wrapping", str),
        part.text_or_none("sha256"),
        part.whole("bytes"),
        part.whole("tensors"),
        part.whole("parameters"),
    )


def _rho(part: _Part) -> Rho:
    return Rho(part.number("log10"), part.number("value"))


def _ledger_row(part: _Part) -> LedgerRow:
    return LedgerRow(
        part.text("tensor"),
        part.array("shape", int),
        part.text("dtype"),
        part.one_of("status", _TENSOR_STATUSES),
        part.text_or_none("layer"),
        part.text("reason"),
        parameter=part.flag("parameter", default=True) is not False,
    )


def _layer(part: _Part) -> LayerRow:
    columns = {name: part.number(name) for name in SPECTRAL_COLUMNS}
    known = {name: value for name, value in columns.items() if value is not None}
    spectrum = part.mapping().get("spectrum")
    return LayerRow(
        part.text("name"),
        part.text("kind"),
        part.array("shape", int),
        part.whole("parameters"),
        part.number("rho"),
        part.number("log10_rho"),
        part.flag("counted") is True,
        part.text_or_none("geometry") or "",
        MappingProxyType(known),
        () if spectrum is None else _points(part),
    )


def _points(part: _Part) -> tuple[tuple[int, float], ...]:
    points = part.rows_of_numbers("spectrum", 2)
    return tuple((int(rank), float(value)) for rank, value in points)


def _measurement(part: _Part) -> Measurement:
    return Measurement(
        part.text("name"),
        part.number("value"),
        part.text("unit"),
        part.text("source"),
        part.text_or_none("layer"),
        part.number("stderr"),
        part.one_of("kind", ("measurement", "heuristic")),
        part.number("log10"),
    )


def _certificate(part: _Part) -> Certificate:
    return Certificate(
        part.text("bound"),
        part.one_of("status", _STATUSES),
        part.number("value"),
        part.number("log10"),
        cast("float", part.number("delta", required=True)),
        part.part("terms").mapping(),
        part.rows("assumptions", _assumption),
        part.text("source"),
        part.text("note"),
    )


def _assumption(part: _Part) -> Assumption:
    return Assumption(part.text("name"), part.flag("holds"), part.text("detail"))


def _notice(part: _Part) -> Notice:
    return Notice(part.text("code"), part.text("message"), part.text_or_none("tensor"))
