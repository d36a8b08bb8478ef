"""Reports as JSON, for tests of what is held against them."""

from __future__ import annotations

from dataclasses import replace

from boundkit.report.json import document
from tests.report.reports import REPORTS, report


def stored(name="proved", **changes):
    return document(replace(REPORTS[name](), **changes))


def layered():
    return document(report(measurements=()))
