from __future__ import annotations

import pytest

from boundkit.errors import DataError
from boundkit.gate.stored import is_report, read_report
from boundkit.report.json import document, render
from tests.report.reports import proved


def test_a_stored_report_is_its_document(tmp_path):
    path = tmp_path / "r.json"
    path.write_text(render(proved()), encoding="utf-8")

    assert is_report(path)
    assert read_report(path) == document(proved())


def test_a_checkpoint_is_no_report(tmp_path):
    path = tmp_path / "net.pt"
    path.write_bytes(b"PK\x03\x04{")

    assert not is_report(path)
    assert not is_report(tmp_path / "missing")


def test_a_report_with_a_hole_is_refused_by_its_place(tmp_path):
    path = tmp_path / "r.json"
    path.write_text(render(proved()).replace('"status": "valid"', '"status": 1', 1))

    with pytest.raises(DataError, match=r"certificates\[0\].status must be one of"):
        read_report(path)
