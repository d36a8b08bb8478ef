"""The formats that a certificate of ``draw``, ``code`` or ``holdout`` is written in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from boundkit.posthoc.certificate import document, rendered
from boundkit.posthoc.wording import certificate_lines
from boundkit.report.formats import Format
from boundkit.report.markup import attribute, cell, row
from boundkit.report.pages import Page, Pairs, Words, render_page
from boundkit.report.spans import plain
from boundkit.report.wording import at_most, confidence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from boundkit.posthoc.certificate import CertificateFile

__all__ = ["CERTIFICATE_FORMATS", "html", "junit", "markdown", "text"]

#: Wide enough that no sentence is broken.
_WIDE = 10_000
#: Longest text of a number's place; weights are longer.
_LONGEST = 200


def text(certificate: CertificateFile) -> str:
    """Return the certificate as plain text, 100 columns wide."""
    return plain(certificate_lines(certificate, 100))


def _sentences(certificate: CertificateFile) -> tuple[str, ...]:
    found = plain(certificate_lines(certificate, _WIDE)).splitlines()
    return tuple(one.strip() for one in found if one.strip())


def _numbers(node: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every number and short text of the document; weights are left out."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _numbers(value, f"{path}.{key}" if path else str(key))
    elif isinstance(node, bool | int | float) or (
        isinstance(node, str) and len(node) <= _LONGEST
    ):
        yield path, node


def html(certificate: CertificateFile) -> str:
    """Return the certificate as one HTML page that needs nothing else.

    Args:
        certificate: What to show; every text of it is escaped.
    """
    title, *told = _sentences(certificate)
    found = document(certificate)
    facts = (
        ("error probability at most", at_most(certificate.bound)),
        ("with probability", confidence(certificate.delta)),
        ("errors", f"{certificate.errors:,} of {certificate.n:,}"),
        ("guessing errs on", f"{certificate.chance_error:.4f}"),
    )
    words = ("premises", "warnings", "certifies")
    rest = {key: value for key, value in found.items() if key not in words}
    return render_page(
        Page(
            version=str(found["boundkit"]),
            name=title,
            heading=(f"boundkit.certificate/1 · {certificate.certifies}",),
            verdict=(told[0],),
            style="fair" if certificate.vacuous else "good",
            facts=facts,
            parts=(
                Words(
                    "What it says",
                    tuple(one for one in told[1:] if not one.startswith("Premises:")),
                ),
                Words("What no program can check", certificate.premises),
                Words(
                    "Trust nobody",
                    (
                        (
                            "This page shows what the certificate states. boundkit verify "
                            "recomputes it from the weights and the data."
                        ),
                    ),
                ),
                # Digits are kept: a bound that is rounded down is none.
                Pairs("All numbers", tuple((k, str(v)) for k, v in _numbers(rest))),
            ),
        )
    )


def markdown(certificate: CertificateFile) -> str:
    """Return the certificate as Markdown, for summaries and model cards.

    Args:
        certificate: What to show; nothing of it is taken for markup.
    """
    title, *told = _sentences(certificate)
    numbers = [
        row(cell(name), cell(str(value)))
        for name, value in _numbers(document(certificate))
        if not isinstance(value, str) or name.startswith("sha256")
    ]
    head = [f"### {cell(title)}", "", *(f"{cell(one)}\n" for one in told)]
    table = ["| | |", "|---|---|", *numbers]
    details = ["<details><summary>Numbers</summary>", "", *table, "", "</details>"]
    return "\n".join([*head, *details]) + "\n"


def junit(certificate: CertificateFile) -> str:
    """Return the certificate as JUnit XML: passed unless guessing does as well.

    Args:
        certificate: One test case.
    """
    named = attribute(f"{certificate.kind}: at most {at_most(certificate.bound)}")
    head = f'<testcase classname="boundkit.certificate" name={named}'
    why = attribute("guessing the most frequent class may be as good")
    case = f"{head}><skipped message={why}/></testcase>"
    case = case if certificate.vacuous else f"{head}/>"
    skipped = int(certificate.vacuous)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<testsuites><testsuite name="boundkit certificate" tests="1" failures="0" '
        f'errors="0" skipped="{skipped}">\n{case}\n</testsuite></testsuites>\n'
    )


#: In the order in which messages list them.
CERTIFICATE_FORMATS: tuple[Format[CertificateFile], ...] = (
    Format("text", text, certificate_lines),
    Format("json", rendered),
    Format("markdown", markdown),
    Format("html", html),
    Format("junit", junit),
)
