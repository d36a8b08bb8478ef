"""The page of a trace: phase first, charts of what there is, every checkpoint."""

from __future__ import annotations

from dataclasses import replace

from boundkit.tracing.html import render
from tests.report.pages import HOSTILE, made_trace
from tests.report.test_html import Page
from tests.report.test_pages import embedded


def titles(written):
    return [
        one.partition("</figcaption>")[0] for one in written.split("<figcaption>")[1:]
    ]


def test_the_phase_stands_first_and_the_checkpoints_below_the_charts():
    written = render(made_trace())
    text = Page(written).text
    places = [
        text.index(one)
        for one in (
            "Terminal phase: training error is first 0 between epoch 8 and 16.",
            "training error 0.00 %",
            "Over the run",
            "Checkpoints",
            "Notes",
            "Conventions",
        )
    ]

    assert places == sorted(places)
    assert '<div class="verdict good">' in written


def test_every_checkpoint_is_a_row_and_a_failure_has_its_reason():
    text = Page(render(made_trace())).text

    assert all(f"{HOSTILE}.{at}.pt" in text for at in (0, 1, 2, 4, 8, 16, 32, 64))
    assert f"broken.pt: {HOSTILE}" in text
    assert text.count("traced") == 8
    assert "failed" in text


def test_charts_are_those_that_there_are_numbers_for():
    made = made_trace()
    bare = replace(
        made,
        points=tuple(
            replace(one, row={"rho": one.row["rho"]}, layers=())
            for one in made.points
            if one.sound
        ),
        terminal=None,
    )

    assert titles(render(made)) == [
        "rho",
        "norm of a layer",
        "% errors",
        "training margins",
        "NC1: tr(Sigma_W Sigma_B^+)",
        "stable rank",
        "bounds on the test error",
    ]
    assert titles(render(bare)) == ["rho"]
    assert "need the training sample" in Page(render(bare)).text


def test_a_run_without_numbers_has_no_charts():
    made = made_trace()
    points = tuple(replace(one, row={}, layers=()) for one in made.points if one.sound)
    written = render(replace(made, points=points, terminal=None))

    assert titles(written) == []
    assert "Over the run" not in written


def test_the_numbers_of_a_chart_are_those_of_the_run():
    (chart, *_) = embedded(render(made_trace()))["charts"]

    assert chart["places"] == [0, 1, 2, 4, 8, 16, 32, 64]
    assert chart["lines"][0] == {
        "label": "rho",
        "values": [2, 3, 4, 6, 10, 18, 34, 66],
    }
    assert chart["began"] == 16
