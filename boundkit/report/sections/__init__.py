"""The parts of the text report; each is a function from a report and a width to lines.

To add one: a file here, its line in ``SECTIONS``, a golden file under tests.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from boundkit.report.model import Report
from boundkit.report.sections.bound_table import bound_table
from boundkit.report.sections.collapse_table import collapse_table
from boundkit.report.sections.heading import heading
from boundkit.report.sections.headline import headline
from boundkit.report.sections.heuristics import heuristics
from boundkit.report.sections.layer_table import layer_table
from boundkit.report.sections.margin_table import margin_table
from boundkit.report.sections.measured import measured
from boundkit.report.sections.noise_table import noise_table
from boundkit.report.sections.notices import notices
from boundkit.report.sections.omissions import omissions
from boundkit.report.spans import Line

__all__ = ["SECTIONS", "Section"]

Section: TypeAlias = Callable[[Report, int], tuple[Line, ...]]

SECTIONS: tuple[Section, ...] = (
    heading,
    layer_table,
    bound_table,
    headline,
    omissions,
    margin_table,
    collapse_table,
    noise_table,
    heuristics,
    measured,
    notices,
)
