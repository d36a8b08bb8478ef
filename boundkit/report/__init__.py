"""Reports: one frozen object, and the formats it is written in.

To add a format: a file here with ``render``, its line in ``FORMATS``, a test file.
"""

from __future__ import annotations

from boundkit.report import json, text
from boundkit.report.formats import Format
from boundkit.report.model import Report

__all__ = ["FORMATS", "Format", "Report"]


def _html(report: Report) -> str:
    # Most runs print text or JSON: a page is loaded by those that write one.
    from boundkit.report import html

    return html.render(report)


def _junit(report: Report) -> str:
    from boundkit.report import junit

    return junit.render(report)


def _markdown(report: Report) -> str:
    from boundkit.report import markdown

    return markdown.render(report)


FORMATS: tuple[Format[Report], ...] = (
    Format("text", text.render, text.lines),
    Format("json", json.render),
    Format("markdown", _markdown),
    Format("html", _html),
    Format("junit", _junit),
)
