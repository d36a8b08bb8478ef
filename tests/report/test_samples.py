from __future__ import annotations

import pytest

from boundkit.report.samples import by_sample

HELD = {"mean": 2.0}


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        (None, {}),
        ({"test": None, "conventions": {}}, {}),
        ({"mean": 1.0}, {"train": {"mean": 1.0}}),
        ({"nc1_pinv": None, "test": None}, {"train": {"nc1_pinv": None}}),
        ({"test": HELD}, {"test": HELD}),
        ({"mean": 1.0, "test": HELD}, {"train": {"mean": 1.0}, "test": HELD}),
    ],
)
def test_samples_are_those_there_are(section, expected):
    assert by_sample(section) == expected
