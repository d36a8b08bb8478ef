"""What is kept of a report."""

import pytest

from boundkit.tracing.points import UNDEFINED, Point, read_point


def result(**changes):
    report = {
        "layers": [{"name": "fc", "shape": [2, 3], "rho": 1.0, "spectrum": [[1, 2.0]]}],
        "margins": None,
        "collapse": None,
        "conventions": {"delta": 0.05},
        "warnings": [],
    }
    known = {"status": "analyzed", "row": {}, "metadata": {}, "report": report}
    return (
        known
        | {k: v for k, v in changes.items() if k != "report"}
        | {"report": report | changes.get("report", {})}
    )


def collapse(**changes):
    known = {
        "classes": 3,
        "per_class": {"count": [5, 5, 5]},
        "snr": {"singular_values": [2.0, 1.0], "infinite": 0},
    }
    return {"report": {"collapse": known | changes}}


def test_spectra_and_words_are_left_behind():
    row = {"rho": 1.0, "collapse.conventions.x": "words", "collapse.reasons.y": "more"}

    found = read_point("a.pt", {}, result(row=row))

    assert dict(found.row) == {"rho": 1.0}
    assert found.layers == ({"name": "fc", "shape": [2, 3], "rho": 1.0},)


def test_signal_to_noise_is_read_with_the_sizes_of_classes():
    signal = read_point("a.pt", {}, result(**collapse())).signal

    assert (signal.values, signal.infinite, signal.classes) == ((2.0, 1.0), 0, 3)
    assert signal.per_class == 5


def test_classes_of_several_sizes_have_no_common_size():
    unequal = collapse(per_class={"count": [5, 4, 5]})

    assert read_point("a.pt", {}, result(**unequal)).signal.per_class is None


@pytest.mark.parametrize("table", [{}, {"snr": {"singular_values": None}}])
def test_without_values_there_is_no_signal(table):
    found = read_point("a.pt", {}, result(report={"collapse": table}))

    assert found.signal is None


def test_why_numbers_are_not_finite_is_the_reason():
    warnings = [
        {"code": "other", "message": "no"},
        {"code": "non-finite", "message": "fc holds NaN"},
        {"code": "non-finite", "message": "rho is NaN"},
    ]

    found = read_point(
        "a.pt", {}, result(status="undefined", report={"warnings": warnings})
    )

    assert (found.status, found.reason) == (UNDEFINED, "fc holds NaN (and 1 more)")


def test_columns_of_a_manifest_never_hide_ours():
    found = Point("a", "traced", row={"rho": 1.0}, carried={"rho": 2, "seed": 3})

    assert found.columns == {"rho": 1.0, "manifest.rho": 2, "seed": 3}
