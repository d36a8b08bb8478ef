"""What the numbers mean, in a sentence or two."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.report.best import best, from_data, leading, smallest, sufficient
from boundkit.report.escape import escape
from boundkit.report.spans import Line, Span, Style, cells, clip, wrap
from boundkit.report.wording import at_most, confidence

if TYPE_CHECKING:
    from boundkit.report.model import Report
    from boundkit.types import Certificate

__all__ = ["headline"]

_PREMISES = "Premises: i.i.d. sample; preprocessing and architecture fixed without it."


def headline(report: Report, width: int) -> tuple[Line, ...]:
    """Return what is proved, or assumed, or why nothing is, and the premises."""
    if not report.certificates:
        return ()
    proved, assumed = best(report), smallest(report, "assumed")
    if proved and not proved.vacuous:
        return _stated(_proved(report, proved), "good", proved, width)
    if assumed and not assumed.vacuous:
        return _stated(_if_assumed(assumed), "fair", assumed, width)
    vacuous = proved or assumed
    if vacuous:
        return _stated(_vacuous(vacuous), "fair", vacuous, width)
    return tuple(wrap([(_nothing(report), "fair")], width, 2, 2))


def _stated(
    sentence: str, style: Style, certificate: Certificate, width: int
) -> tuple[Line, ...]:
    lines = wrap([(sentence, style)], width, 2, 2)
    unchecked = [each for each in certificate.assumptions if each.holds is None]
    for each in unchecked:
        spans: list[Span] = [
            (f"- {escape(each.name)}", "fair"),
            (f"({clip(escape(each.detail), 400)})" if each.detail else "", "dim"),
        ]
        lines += wrap(spans, width, 4, 6)
    see = f"boundkit explain {escape(certificate.bound)}"
    together = f"  {_PREMISES}   {see}"
    if cells(together) <= width:
        return (*lines, ((together, "dim"),))
    return (*lines, *wrap([(_PREMISES, "dim")], width, 2, 2), (("  " + see, "dim"),))


def _proved(report: Report, certificate: Certificate) -> str:
    basis = "the weights"
    if from_data(report):
        basis += " and the training margins"
    return (
        f"Proved from {basis} alone, with probability "
        f"{confidence(certificate.delta)}: this net errs on at most "
        f"{_percent(certificate)} of new inputs."
    )


def _if_assumed(certificate: Certificate) -> str:
    return (
        f"Not proved: {escape(certificate.bound)} says that this net errs on at most "
        f"{_percent(certificate)} of new inputs, provided that what was not checked is "
        "true:"
    )


def _vacuous(certificate: Certificate) -> str:
    value = float("inf") if certificate.value is None else certificate.value
    name = escape(certificate.bound)
    sentence = (
        "Nothing is proved about this net's errors: the smallest bound, "
        f"{name}, is {at_most(value, certificate.log10)}, and an error rate never exceeds 1."
    )
    size = sufficient(certificate)
    if size:
        sentence += f" It would fall below 1 from n = {size} samples on."
    if certificate.status == "assumed":
        sentence += " It also rests on what was not checked:"
    return sentence


def _nothing(report: Report) -> str:
    first = leading(report)
    name = escape(first.bound)
    if first.status == "invalid":
        return (
            "Nothing is proved about this net's errors: no theorem applies to it, "
            f"{name} for one because {_why(first)}."
        )
    sentence = f"Nothing is stated yet: {_why(first)}."
    size = sufficient(first)
    if size:
        sentence += f" {name} could say something from n = {size} samples on."
    return sentence


def _why(certificate: Certificate) -> str:
    violated = [each for each in certificate.assumptions if each.holds is False]
    words = [f"'{each.name}' does not hold ({each.detail})" for each in violated[:1]]
    words += [certificate.note.rstrip(".")] * bool(certificate.note)
    return clip(escape("; ".join(words)), 400) or "no reason is recorded"


def _percent(certificate: Certificate) -> str:
    return f"{at_most(100 * (certificate.value or 0.0))} %"
