"""What is shown is what was found, in the width that there is, and safe to show."""

from dataclasses import replace

import numpy as np
import pytest

import boundkit
from boundkit.report.spans import cells
from boundkit.tracing.phase import Terminal
from boundkit.tracing.points import FAILED
from boundkit.tracing.text import lines, render
from tests.sweeping.nets import nets
from tests.tracing.runs import bundled, point

NASTY = "a\x1b[31m\nb\u202e.pt"


def terminal(**changes):
    known = {
        "began": 96.0,
        "after": 64.0,
        "for_good": 96.0,
        "least_error": 0.0,
        "end": 512.0,
        "accuracy_then": None,
        "accuracy_end": None,
        "gain": None,
    }
    return Terminal(**(known | changes))


def joined(trace, width=100):
    return " ".join(render(trace, width).split())


@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_no_line_is_wider_than_asked(width):
    for line in lines(bundled(), width):
        assert sum(cells(text) for text, _ in line) <= width


def test_every_checkpoint_has_a_row_and_the_terminal_phase_is_marked():
    rows = render(bundled(), 200).splitlines()
    marked = [row.split()[0] for row in rows if row.endswith(" *")]

    assert marked == ["96", "128", "192", "256", "384", "512"]
    assert [row.split()[0] for row in rows if row.startswith("     64")] == ["64"]


def test_columns_that_do_not_fit_stand_below():
    text = render(bundled(), 60)

    assert text.count("  epoch  ") > 1
    assert "NC4" in text


def test_the_terminal_phase_is_told_with_test_accuracy():
    text = joined(bundled())

    assert "training error is first 0 between epoch 64 and 96" in text
    assert (
        "Test accuracy 66.6 % there, 69.1 % at the end: +2.50 percentage points" in text
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"began": None, "least_error": 0.125},
            "No terminal phase: the smallest training error of a checkpoint is 12.5 %",
        ),
        ({"after": None}, "first 0 at the first checkpoint already."),
        ({"for_good": 192.0}, ", and stays 0 from epoch 192 on."),
        ({"for_good": None}, ", but not at the last checkpoint."),
    ],
)
def test_every_sort_of_terminal_phase_has_words(changes, words):
    assert words in joined(replace(bundled(), terminal=terminal(**changes)))


def test_the_fit_is_told_with_its_constants_and_residuals():
    text = joined(bundled())

    assert "1280 log w + 320 w^2 + 20 w^4 = a + t, 3 values at 6 checkpoints" in text
    assert text.count("residual") == 2
    assert "no more." in text


def test_one_value_is_said_to_prove_nothing_and_a_shrinking_one_to_contradict():
    flow = replace(bundled().flow, ranks=np.array([1]), rate=-2.0)

    text = joined(replace(bundled(), flow=flow))

    assert "1 value at 6 checkpoints" in text
    assert "fits any run, since there is one value only" in text
    assert "The values shrink, against the law." in text
    assert "shrink" not in joined(bundled())


def test_a_fit_that_is_missing_is_explained():
    text = joined(replace(bundled(), flow=None, no_flow="needs 3 checkpoints"))

    assert "Signal-to-noise dynamics: not fitted; it needs 3 checkpoints." in text


def test_without_data_it_says_what_they_would_give(tmp_path):
    nets(tmp_path, 2)

    text = joined(boundkit.trace(tmp_path, only=("norms",), jobs=1))

    assert "need the training sample: --model and --data" in text
    assert "Signal-to-noise" not in text


def test_many_checkpoints_are_thinned_out_with_ends_and_the_terminal_phase(tmp_path):
    one = bundled().points[0]
    points = tuple(replace(one, at=float(at)) for at in range(200))
    trace = replace(
        bundled(), points=points, terminal=terminal(began=101.0, after=100.0)
    )

    rows = render(trace, 200).splitlines()
    shown = [int(row.split()[0]) for row in rows if row[:7].strip().isdigit()]

    assert shown[0] == 0
    assert shown[-1] == 199
    assert 101 in shown
    assert len(shown) <= 31
    assert "30 of 200 checkpoints; all with --format csv" in joined(trace)


def test_names_from_files_are_escaped_everywhere():
    failed = point(NASTY, FAILED, reason=f"{NASTY}: broken\x07", at=7.0, layers=())
    trace = replace(bundled(), run=NASTY, notices=(NASTY,))
    trace = replace(trace, points=(*trace.points, failed))

    text = render(trace)

    assert "\x1b" not in text
    assert "\x07" not in text
    assert "\u202e" not in text
    assert "failed: a\\x1b[31m\\x0ab\\u202e.pt: broken\\x07" in text


def test_many_failures_are_cut_short():
    failed = [point(f"{at}.pt", FAILED, reason="why", layers=()) for at in range(40)]
    trace = replace(bundled(), points=(*bundled().points, *failed))

    text = render(trace)

    assert text.count("failed: ") == 12
    assert "28 more" in text


def test_rho_that_overflows_stands_as_a_power():
    one = replace(bundled().points[0], row={"rho": None, "log10_rho": 400.25})
    trace = replace(bundled(), points=(one, *bundled().points[1:]))

    assert "10^400.2" in render(trace)


def test_the_representation_is_the_text():
    assert repr(bundled()) == render(bundled())
