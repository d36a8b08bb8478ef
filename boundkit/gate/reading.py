"""Policies read from TOML; what does not fit is named by line and key."""

from __future__ import annotations

import tomllib
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boundkit.errors import UsageError
from boundkit.gate.lines import line_of
from boundkit.gate.policy import (
    CertificateRule,
    LayerRule,
    Limit,
    Policy,
    ValueRule,
    WarningRule,
)
from boundkit.report.json import SPECTRAL_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import NoReturn

__all__ = ["parse", "read_policy"]

_STATUSES = ("valid", "assumed", "invalid", "unavailable")
_NUMBERS = ("min", "max", "max_increase", "max_decrease", "max_ratio")
_TABLES = ("policy", "coverage", "warnings", "certificates", "best", "values", "layers")
#: Of a layer, beside its spectral columns.
_COLUMNS = ("rho", "log10_rho", "parameters", *SPECTRAL_COLUMNS)
#: Largest policy that is read.
_LARGEST = 2**20


def read_policy(path: str | Path) -> Policy:
    """Read a policy file.

    Args:
        path: Of a TOML file.

    Raises:
        UsageError: It cannot be read, is no TOML, or asks for what there is not; the
            message names line and key.
    """
    try:
        with Path(path).open("rb") as file:
            raw = file.read(_LARGEST + 1)
        text = raw.decode("utf-8")
    except OSError as error:
        raise UsageError(
            f"policy {str(path)!a}: {error.strerror}; give a TOML file, or write one "
            "with boundkit check --init"
        ) from None
    except UnicodeDecodeError:
        raise UsageError(f"policy {str(path)!a}: it is no UTF-8 text") from None
    if len(raw) > _LARGEST:
        raise UsageError(f"policy {str(path)!a}: it is larger than 1 MiB")
    return parse(text, str(path))


def parse(text: str, source: str) -> Policy:
    """Return the policy that a TOML document states.

    Args:
        text: The document.
        source: What messages call it.

    Raises:
        UsageError: It is no TOML, or asks for what there is not; the message names line
            and key.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"policy {source!a}: no valid TOML: {error}") from None
    reader = _Reader(text, source)
    reader.known(tables, (), _TABLES)
    rules = tuple(reader.rules(tables))
    if not rules:
        raise UsageError(
            f"policy {source!a}: it asks for nothing; give at least one of "
            f"{', '.join(_TABLES[1:])}"
        )
    return Policy(source, rules)


class _Reader:
    """One policy while it is read; knows where every key stands."""

    def __init__(self, text: str, source: str) -> None:
        self._text = text
        self._source = source

    def rules(
        self, tables: dict[str, Any]
    ) -> Iterator[ValueRule | CertificateRule | LayerRule | WarningRule]:
        """Yield the rules in the order in which they are checked."""
        self._policy(tables.get("policy", {}))
        if "coverage" in tables:
            limit = self._limit(tables["coverage"], ("coverage",))
            yield ValueRule("coverage", limit, self._line(("coverage",)))
        if "warnings" in tables:
            yield self._warnings(tables["warnings"])
        if "best" in tables:
            yield self._certificate("best", tables["best"], ("best",))
        for name, one in self._table(tables, "certificates").items():
            yield self._certificate(name, one, ("certificates", name))
        for name, one in self._table(tables, "values").items():
            where = ("values", name)
            yield ValueRule(name, self._limit(one, where), self._line(where))
        layers = tables.get("layers", [])
        if not isinstance(layers, list):
            self._refuse(("layers",), "must be [[layers]], one table per pattern")
        for one in layers:
            yield from self._layer(one)

    def known(
        self, table: dict[str, Any], where: tuple[str, ...], names: Sequence[str]
    ) -> None:
        """Refuse a key that no policy has."""
        for name in table:
            if name not in names:
                self._refuse(
                    (*where, name), f"is not known; there are {', '.join(names)}"
                )

    def _line(self, path: tuple[str, ...]) -> int | None:
        return line_of(self._text, path)

    def _refuse(self, path: tuple[str, ...], why: str) -> NoReturn:
        line = self._line(path)
        place = "" if line is None else f", line {line}"
        raise UsageError(f"policy {self._source!a}{place}: {'.'.join(path)!a} {why}")

    def _table(self, tables: dict[str, Any], name: str) -> dict[str, Any]:
        found = tables.get(name, {})
        if not isinstance(found, dict):
            self._refuse((name,), f"must be a table: [{name}]")
        return dict(found)

    def _policy(self, table: Any) -> None:
        if not isinstance(table, dict):
            self._refuse(("policy",), "must be a table: [policy]")
        self.known(table, ("policy",), ("version",))
        if table.get("version", 1) != 1:
            why = f"must be 1, but is {table['version']!r}; update boundkit"
            self._refuse(("policy", "version"), why)

    def _warnings(self, table: Any) -> WarningRule:
        where = ("warnings",)
        if not isinstance(table, dict):
            self._refuse(where, "must be a table: [warnings]")
        self.known(table, where, ("forbid", "allow"))
        forbid = self._names(table, where, "forbid")
        if not forbid:
            self._refuse(where, 'forbids nothing; write forbid = ["*"] for any warning')
        return WarningRule(
            forbid, self._names(table, where, "allow"), self._line(where)
        )

    def _names(
        self, table: dict[str, Any], where: tuple[str, ...], key: str
    ) -> tuple[str, ...]:
        found = table.get(key, [])
        found = [found] if isinstance(found, str) else found
        if not isinstance(found, list) or not all(isinstance(x, str) for x in found):
            self._refuse((*where, key), "must be a list of strings")
        return tuple(found)

    def _certificate(
        self, name: str, table: Any, where: tuple[str, ...]
    ) -> CertificateRule:
        if not isinstance(table, dict):
            self._refuse(where, "must be a table of limits")
        status = self._names(table, where, "status")
        for one in status:
            if one not in _STATUSES:
                why = f"must be out of {', '.join(_STATUSES)}, but has {one!a}"
                self._refuse((*where, "status"), why)
        rest = {key: value for key, value in table.items() if key != "status"}
        limit = Limit() if status and not rest else self._limit(rest, where)
        return CertificateRule(name, status, limit, self._line(where))

    def _layer(self, table: Any) -> Iterator[LayerRule]:
        where = ("layers",)
        pattern = table.get("name", "*") if isinstance(table, dict) else None
        if not isinstance(pattern, str):
            self._refuse((*where, "name"), "must be a pattern such as 'conv*'")
        self.known(table, where, ("name", *_COLUMNS))
        for column, limit in table.items():
            if column != "name":
                place = (*where, column)
                yield LayerRule(
                    pattern, column, self._limit(limit, place), self._line(place)
                )

    def _limit(self, table: Any, where: tuple[str, ...]) -> Limit:
        if not isinstance(table, dict) or not table:
            self._refuse(where, "must be a table of limits such as {max = 0.2}")
        self.known(table, where, (*_NUMBERS, "optional"))
        if not isinstance(table.get("optional", False), bool):
            self._refuse((*where, "optional"), "must be true or false")
        for name, value in table.items():
            if name != "optional" and not _number(value):
                self._refuse((*where, name), f"must be a number, but is {value!r}")
        if table.get("max_ratio", 1) <= 0:
            self._refuse((*where, "max_ratio"), "must be above 0")
        low, high = table.get("min"), table.get("max")
        if low is not None and high is not None and low > high:
            self._refuse(where, f"asks for at least {low} and at most {high}")
        if not set(table) & set(_NUMBERS):
            self._refuse(where, f"sets no limit; give one of {', '.join(_NUMBERS)}")
        return Limit(**table)


def _number(value: object) -> bool:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and isfinite(value)
    )
