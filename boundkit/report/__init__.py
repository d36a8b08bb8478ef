"""Reports: one frozen object, and the formats it is written in.

To add a format: a file here with ``render``, its line in ``FORMATS``, a test file.
"""

from __future__ import annotations

from boundkit.report import html, json, junit, markdown, text
from boundkit.report.formats import Format
from boundkit.report.model import Report

__all__ = ["FORMATS", "Format", "Report"]

FORMATS: tuple[Format[Report], ...] = (
    Format("text", text.render, text.lines),
    Format("json", json.render),
    Format("markdown", markdown.render),
    Format("html", html.render),
    Format("junit", junit.render),
)
