"""A policy written from a report, to start from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from boundkit.gate.values import best_of, paths

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["starter"]

#: Numbers that a policy is likely to be about, in their order.
_USUAL = (
    "margins.train_error",
    "margins.test.train_error",
    "margins.normalized.q05",
    "collapse.nc1_pinv",
    "measurements.inverse_rho",
)


def starter(document: Mapping[str, Any]) -> str:
    """Return a commented policy that the report passes with a little room.

    Args:
        document: The report, or a certificate in its shape, as JSON.
    """
    return "\n".join([*_head(document), *_bounds(document), *_numbers(document)]) + "\n"


def _head(document: Mapping[str, Any]) -> Iterator[str]:
    codes = sorted({one["code"] for one in document["warnings"]})
    yield "# What this checkpoint must keep. Limits: min, max; and beside --baseline"
    yield "# max_increase, max_decrease, max_ratio. optional = true lets a missing number pass."
    yield "[policy]"
    yield "version = 1"
    yield ""
    if "coverage" in document:
        yield "# Share of the parameters that are counted or folded."
        yield "[coverage]"
        yield f"min = {_down(document['coverage'])}"
        yield ""
    yield "# Codes of warnings, as patterns. Those that occur today are allowed."
    yield "[warnings]"
    yield 'forbid = ["*"]'
    yield f"allow = [{', '.join(map(_quoted, codes))}]"
    yield ""


def _bounds(document: Mapping[str, Any]) -> Iterator[str]:
    best = best_of(document)
    if best is not None:
        yield f"# The smallest valid certificate; today {best['bound']}, {best['value']:.4g}."
        yield "[best]"
        yield f"max = {_up(best['value'])}"
        yield "# max_increase = 0.02  # with --baseline"
        yield ""
    for row in document["certificates"]:
        if row["status"] in {"valid", "assumed"} and not row["vacuous"]:
            yield f"[certificates.{row['bound']}]  # today {row['value']:.4g}"
            yield f'status = ["{row["status"]}"]'
            yield f"max = {_up(row['value'])}"
            yield ""


def _numbers(document: Mapping[str, Any]) -> Iterator[str]:
    known = dict(paths(document))
    if "certificate" in document:
        yield "# Any number of the certificate, by its path."
        yield "[values]"
        today = document["certificate"]
        yield f'"certificate.delta" = {{max = {today["delta"]:g}}}'
        yield f'# "certificate.n" = {{min = {today["n"]}}}'
        return
    yield "# Any number of the JSON report, by its path."
    yield "[values]"
    if document["rho"]["stored"]["log10"] is not None:
        today = document["rho"]["stored"]["log10"]
        yield f'"rho.stored.log10" = {{max = {today + 0.05:.3f}}}  # today {today:.3f}'
    for path in _USUAL:
        if path in known:
            yield f'# "{path}" = {{max = {_up(known[path])}}}  # today {known[path]:.4g}'
    yield ""
    yield "# Columns of the layers whose name fits a pattern."
    yield "# [[layers]]"
    yield '# name = "*"'
    yield "# spectral_norm = {max = 10}"
    yield "# stable_rank = {min = 1.0}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _up(value: float) -> str:
    """Return about 5 % more, in two digits or three."""
    return f"{value + 0.05 * abs(value) + 5e-4:.3g}"


def _down(share: float) -> str:
    return f"{int(share * 1000) / 1000:g}"
