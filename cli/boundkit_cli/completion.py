"""What a shell proposes for the values of options; files it proposes by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

from boundkit_cli import values

if TYPE_CHECKING:
    from boundkit.report import Format

__all__ = [
    "conventions",
    "devices",
    "explained",
    "formats",
    "losses",
    "parts",
    "spectra",
    "words",
]


def words(*known: str) -> Callable[[str], list[str]]:
    """Return a completion out of a few words.

    Args:
        known: In the order of the help.
    """

    def begun(incomplete: str) -> list[str]:
        return [word for word in known if word.startswith(incomplete)]

    return begun


devices = words("auto", "cpu", "cuda", "mps")
losses = words(*values.LOSSES)
spectra = words(*values.SPECTRA)
conventions = words(*values.CONVENTIONS)


def parts(incomplete: str) -> list[str]:
    """Return lists of parts that go on from what is there; none stands twice.

    Args:
        incomplete: Such as ``norms,bo``.
    """
    before, comma, last = incomplete.rpartition(",")
    taken = before.split(",")
    left = [part for part in values.PARTS if part not in taken]
    return [before + comma + part for part in left if part.startswith(last)]


def formats(context: typer.Context, incomplete: str) -> list[str]:
    """Return the formats of a command that begin like this.

    Args:
        context: Of the command.
        incomplete: The beginning of a name.
    """
    from boundkit.gate.rendering import VERDICT_FORMATS
    from boundkit.regression.document import REGRESSION_FORMATS
    from boundkit.report import FORMATS
    from boundkit.report.comparison_formats import COMPARISON_FORMATS
    from boundkit.report.difference_formats import DIFFERENCE_FORMATS
    from boundkit.tracing.formats import TRACE_FORMATS

    known: Mapping[str, Sequence[Format[Any]]] = {
        "analyze": FORMATS,
        "check": VERDICT_FORMATS,
        "compare": COMPARISON_FORMATS,
        "diff": DIFFERENCE_FORMATS,
        "regress": REGRESSION_FORMATS,
        "report": FORMATS,
        "trace": TRACE_FORMATS,
    }
    there = known.get(context.info_name or "", ())
    return [form.name for form in there if form.name.startswith(incomplete)]


def explained(incomplete: str) -> list[str]:
    """Return the bounds and measurements that begin like this.

    Args:
        incomplete: The beginning of a name.
    """
    from boundkit.certify import BOUNDS
    from boundkit.measure.glossary import glossary
    from boundkit.posthoc.statements import STATEMENTS

    names = [bound.id for bound in BOUNDS]
    names += [statement.id for statement in STATEMENTS]
    names += [entry.name for entry in glossary()]
    return [name for name in names if name.startswith(incomplete)]
