"""The bounds: one row per certificate, with its status and what it is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from boundkit.report.best import best, from_data, sufficient
from boundkit.report.escape import escape
from boundkit.report.spans import Line, Span, Style, clip, pad, plain, wrap
from boundkit.report.wording import at_most, confidence, count, significant, summand

if TYPE_CHECKING:
    from boundkit.report.model import Report
    from boundkit.types import Certificate

__all__ = ["BoundCells", "bound_cells", "bound_table", "bound_title"]

_SUMMANDS = ("margin_loss", "complexity", "confidence")
_STYLES: dict[str, Style] = {
    "valid": "good",
    "assumed": "fair",
    "invalid": "bad",
    "unavailable": "dim",
}


@dataclass(frozen=True, slots=True)
class BoundCells:
    """One certificate in words, escaped; ``detail`` says what it is made of, or why not."""

    bound: str
    value: str
    status: str
    detail: str
    starred: bool


def bound_cells(report: Report) -> tuple[BoundCells, ...]:
    """Return one row per certificate, in the order of the catalog.

    Args:
        report: Its certificates; the smallest valid one is starred.
    """
    starred = best(report)
    return tuple(
        BoundCells(
            escape(row.bound),
            _value(row),
            _status(row),
            " ".join(text for text, _ in _detail(row)),
            row is starred,
        )
        for row in report.certificates.values()
    )


def bound_title(report: Report) -> str:
    """Return the statement that the bounds make, such as for which n.

    Args:
        report: With at least one certificate.
    """
    return plain(_title(report, 10_000)).strip()


def bound_table(report: Report, width: int) -> tuple[Line, ...]:
    """Return the certificates under the statement that they make, the best one starred.

    Values are rounded up; a row without a value gives the reason.
    """
    if not report.certificates:
        return ()
    rows = tuple(report.certificates.values())
    starred = best(report)
    identity = max(len(escape(row.bound)) for row in rows)
    status = max(map(len, map(_status, rows)))
    lines = _title(report, width)
    for row in rows:
        lines += _row(row, row is starred, (identity, status), width)
    return (*lines, *_footnote(rows, width))


def _title(report: Report, width: int) -> list[Line]:
    deltas = {row.delta for row in report.certificates.values()}
    chance = " or ".join(confidence(delta) for delta in sorted(deltas))
    n = report.conventions.get("n")
    title = f"Test error is at most, with probability {chance}"
    if n is None:
        words: Span = ("(n is not known)", "dim")
    elif from_data(report):
        words = (f"(n = {count(n)})", "dim")
    else:
        norm = float(report.conventions.get("input_norm") or 1.0)
        title += f", if the net fits its n = {count(n)} samples with margin 1,"
        words = (f"and inputs have norm at most {norm:g}", "")
    return wrap([(title, "title"), words], width, 2, 4)


def _row(
    row: Certificate, starred: bool, columns: tuple[int, int], width: int
) -> list[Line]:
    identity, status = columns
    head: Line = (
        ("  * " if starred else "    ", "good"),
        (pad(escape(row.bound), identity), "name"),
        ("  " + pad(_value(row), 8), "title" if starred else ""),
    )
    style = "dim" if row.vacuous and row.status == "valid" else _STYLES[row.status]
    column = 4 + identity + 10 + 2 + status + 2
    first, *rest = wrap(_detail(row), width, column, column)
    # The first span is indentation, which the row's head has filled.
    return [(*head, (f"  {pad(_status(row), status)}  ", style), *first[1:]), *rest]


def _status(row: Certificate) -> str:
    stated = row.status in {"valid", "assumed"}
    return f"{row.status}, vacuous" if stated and row.vacuous else row.status


def _value(row: Certificate) -> str:
    if row.status in {"invalid", "unavailable"}:
        return "-"
    value = float("inf") if row.value is None else row.value
    return at_most(value, row.log10)


def _detail(row: Certificate) -> list[Span]:
    if row.status in {"invalid", "unavailable"}:
        return [(_reason(row), ""), *_needed(row)]
    caution: list[Span] = [(escape(row.note), "fair")] if row.note else []
    if row.bound == "holdout":
        return _holdout(row) + caution
    return (_needed(row) if row.vacuous else _summands(row)) + caution


def _holdout(row: Certificate) -> list[Span]:
    n, errors = row.terms.get("n"), row.terms.get("errors")
    if not isinstance(n, int | float) or not isinstance(errors, int | float):
        return []
    rate = significant(errors / n) if n else "-"
    return [(f"on {count(n)} held-out samples (error {rate})", "dim")]


def _summands(row: Certificate) -> list[Span]:
    parts = [
        f"{name.replace('_', ' ')} {summand(term)}"
        for name in _SUMMANDS
        if isinstance(term := row.terms.get(name), int | float)
    ]
    margin = row.terms.get("gamma")
    at = f", at margin {significant(margin)}" if isinstance(margin, int | float) else ""
    return [(" + ".join(parts) + at, "dim")] if parts else []


def _needed(row: Certificate) -> list[Span]:
    size = sufficient(row)
    return [(f"below 1 from n = {size}", "dim")] if size else []


def _reason(row: Certificate) -> str:
    violated = [each for each in row.assumptions if each.holds is False]
    words = [f"{each.name}: {each.detail}" for each in violated[:1]]
    words += [row.note] * bool(row.note)
    return clip(escape("; ".join(words)), 400) + ("," if words and _needed(row) else "")


def _footnote(rows: tuple[Certificate, ...], width: int) -> list[Line]:
    stated = [row for row in rows if row.value is not None]
    together = round(sum(row.delta for row in stated), 12)
    if len(stated) < 2:
        return []
    joint = (
        f"; all of them together with {confidence(together)}" if together < 1 else ""
    )
    text = f"Each line holds with that probability by itself{joint}."
    return wrap([(text, "dim")], width, 4, 4)
