"""The formats that a trace is written in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.report.formats import Format
from boundkit.tracing import documents, html, text

if TYPE_CHECKING:
    from boundkit.tracing.model import Trace

__all__ = ["TRACE_FORMATS"]

TRACE_FORMATS: tuple[Format[Trace], ...] = (
    Format("text", text.render, text.lines),
    Format("json", documents.render),
    Format("csv", documents.table),
    Format("html", html.render),
)
