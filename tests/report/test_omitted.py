from __future__ import annotations

from boundkit.report.omitted import parameters, shortfall, uncounted
from tests.report.reports import refuted, report, row


def test_groups_are_by_status_and_reason_largest_first():
    groups = uncounted(refuted())

    assert [key for key, _ in groups] == [
        ("skipped", "bias: no factor of rho"),
        ("folded", "batch normalization"),
        ("skipped", "buffer"),
    ]
    assert [len(rows) for _, rows in groups] == [7, 1, 1]


def test_buffers_are_no_parameters():
    assert parameters([row("a", (2, 3)), row("b", (5,), parameter=False)]) == 6


def test_enough_coverage_lacks_nothing():
    assert shortfall(report(coverage=0.9), 0.9) is None


def test_a_shortfall_names_what_is_missing():
    assert shortfall(refuted(), 0.99) == (
        "coverage 0.97889 is below 0.99; not counted: 112 parameters in 7 tensors: "
        "bias: no factor of rho; 0 parameters in 1 tensor: buffer"
    )


def test_a_shortfall_of_nothing_says_so():
    missing = shortfall(report(coverage=0.0, ledger=()), 0.5)

    assert missing == (
        "coverage 0 is below 0.5; not counted: nothing, there are no parameters"
    )
