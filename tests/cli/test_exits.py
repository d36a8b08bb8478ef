from __future__ import annotations

import pytest
from boundkit_cli import exits

from boundkit import errors


def test_codes_are_those_that_scripts_rely_on():
    assert [exits.DONE, exits.GATE_FAILED, exits.USAGE] == [0, 1, 2]
    assert [exits.UNREADABLE, exits.UNDEFINED] == [3, 4]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.UsageError("x"), 2),
        (errors.CheckpointError("a", "b", "c"), 3),
        (errors.NotApplicable("x"), 3),
        (ValueError("x"), 70),
    ],
)
def test_each_kind_of_error_has_its_code(error, code):
    assert exits.exit_of(error) == code
