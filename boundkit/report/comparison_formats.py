"""The formats that a comparison is written in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.report import comparison_html, comparison_json, comparison_text
from boundkit.report.formats import Format

if TYPE_CHECKING:
    from boundkit.report.comparison_model import Comparison

__all__ = ["COMPARISON_FORMATS"]

COMPARISON_FORMATS: tuple[Format[Comparison], ...] = (
    Format("text", comparison_text.render, comparison_text.lines),
    Format("json", comparison_json.render),
    Format("html", comparison_html.render),
)
