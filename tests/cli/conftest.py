from __future__ import annotations

import pytest

import boundkit
from tests.report.reports import REPORTS


@pytest.fixture
def analyzed(monkeypatch):
    """Replace the analysis by a report; returns the calls that were made."""
    calls = []

    def install(outcome="proved"):
        def analyze(source, **options):
            calls.append((source, options))
            if isinstance(outcome, BaseException):
                raise outcome
            return REPORTS[outcome]() if isinstance(outcome, str) else outcome

        monkeypatch.setattr(boundkit, "analyze", analyze, raising=False)
        return calls

    return install
