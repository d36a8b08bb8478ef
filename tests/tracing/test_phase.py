"""The terminal phase, by hand."""

import pytest

from boundkit.tracing.phase import TEST_ERROR, TRAIN_ERROR, terminal_phase
from tests.tracing.runs import point


def course(errors, tests=None):
    tests = tests or [None] * len(errors)
    return [
        point(f"{at}.pt", at=float(10 * at), row={TRAIN_ERROR: error, TEST_ERROR: test})
        for at, (error, test) in enumerate(zip(errors, tests, strict=True))
    ]


def test_it_begins_at_the_first_zero_and_test_accuracy_is_compared_with_the_end():
    found = terminal_phase(course([0.5, 0.1, 0.0, 0.0], [0.6, 0.4, 0.25, 0.2]))

    assert (found.began, found.after, found.for_good, found.end) == (20, 10, 20, 30)
    assert found.accuracy_then == pytest.approx(0.75, rel=0, abs=1e-15)
    assert found.gain == pytest.approx(0.05, rel=0, abs=1e-15)


def test_an_error_that_comes_back_delays_the_end_of_errors():
    found = terminal_phase(course([0.5, 0.0, 0.1, 0.0, 0.0]))

    assert (found.began, found.for_good) == (10, 30)


def test_an_error_at_the_end_leaves_nothing_for_good():
    found = terminal_phase(course([0.5, 0.0, 0.1]))

    assert (found.began, found.for_good) == (10, None)


def test_a_run_that_always_errs_has_none():
    found = terminal_phase(course([0.5, 0.2, 0.3], [0.5, 0.4, 0.3]))

    assert (found.began, found.after, found.least_error) == (None, None, 0.2)
    assert (found.accuracy_then, found.gain) == (None, None)
    assert found.accuracy_end == pytest.approx(0.7, rel=0, abs=1e-15)


def test_a_run_without_errors_begins_with_it():
    found = terminal_phase(course([0.0, 0.0]))

    assert (found.began, found.after, found.for_good) == (0, None, 0)
    assert found.gain is None
