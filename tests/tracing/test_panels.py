"""Lines over a run as the page's script reads them."""

from __future__ import annotations

import numpy as np
import pytest

from boundkit.plot.trajectories import Course, SignalFit
from boundkit.tracing.panels import charts_of

NAN = float("nan")


def course(columns=None, places=(1, 2, 3), layers=None, **options):
    made = {name: np.array(one, float) for name, one in (columns or {}).items()}
    return Course(
        "t", "epoch", np.array(places, float), made, layers=layers or {}, **options
    )


def test_nothing_known_is_nothing_drawn():
    assert charts_of(course()) == ()


@pytest.mark.parametrize(
    ("places", "across"),
    [
        ((1, 2, 3), {"type": "linear"}),
        ((1, 2, 100), {"type": "log"}),
        ((0, 2, 100), {"type": "asinh", "threshold": 2.0}),
        ((1, 2), {"type": "linear"}),
    ],
)
def test_places_far_from_even_are_not_drawn_linearly(places, across):
    (chart,) = charts_of(course({"rho": np.ones(len(places))}, places))

    assert chart.data["across"] == across


@pytest.mark.parametrize(
    ("values", "up", "drawn"),
    [
        ((1, 2, 3), {"type": "linear"}, [1, 2, 3]),
        ((1, NAN, 100), {"type": "log"}, [1, None, 100]),
        ((0, 1, 100), {"type": "asinh", "threshold": 1.0}, [0, 1, 100]),
        ((-1, 1, 100), {"type": "linear"}, [-1, 1, 100]),
    ],
)
def test_values_over_decades_are_drawn_by_their_logarithm(values, up, drawn):
    (chart,) = charts_of(course({"rho": values}))

    assert chart.data["up"] == up
    assert chart.data["lines"][0]["values"] == drawn


def test_errors_are_percent_and_linear():
    (chart,) = charts_of(course({"margins.train_error": (0.5, 0.01, 0.0)}))

    assert chart.title == "% errors"
    assert chart.data["up"] == {"type": "linear"}
    assert chart.data["lines"][0] == {"label": "training", "values": [50, 1, 0]}


def test_quantiles_of_margins_are_bands_around_the_median():
    names = ("min", "q05", "median", "q95", "max")
    columns = {f"margins.{name}": (k, k, k) for k, name in enumerate(names)}
    (chart,) = charts_of(course(columns))

    labels = [one["label"] for one in chart.data["lines"]]
    bands = [(labels[top], labels[bottom]) for top, bottom in chart.data["bands"]]
    assert bands == [("max", "min"), ("q95", "q05")]
    assert [one["label"] for one in chart.data["lines"] if not one["faint"]] == [
        "median"
    ]


def test_late_margins_that_early_ones_would_hide_are_magnified():
    columns = {"margins.median": (1, 1, 0.01), "margins.max": (9, 9, 0.02)}
    (chart,) = charts_of(course(columns))

    assert chart.data["up"] == {"type": "asinh", "threshold": 0.01}


def test_long_runs_and_deep_nets_are_thinned_out_with_their_ends():
    layers = {f"l{k}": {"rho": np.full(1000, k + 1.0)} for k in range(200)}
    (chart,) = charts_of(course(places=range(1, 1001), layers=layers))

    assert len(chart.data["places"]) == 400
    assert chart.data["places"][::399] == [1, 1000]
    labels = [one["label"] for one in chart.data["lines"]]
    assert (len(labels), labels[0], labels[-1]) == (60, "l0", "l199")
    assert chart.note == "60 of 200 layers, evenly chosen."


def test_measured_values_are_dots_and_the_law_lines():
    table = np.array([[4.0, 2.0], [5.0, 2.5], [6.0, 3.0]])
    signal = SignalFit(np.array([1.0, 2, 3]), table, table + 1, table + 2, (0.1, 0.05))
    (chart,) = charts_of(course(signal=signal))

    assert [one["label"] for one in chart.data["lines"]] == [
        *("w1", "w1, t by epoch", "w1, t free"),
        *("w2", "w2, t by epoch", "w2, t free"),
    ]
    assert chart.data["lines"][0]["dots"] is True
    assert chart.data["lines"][4]["values"] == [3, 3.5, 4]
    assert "10.0 % with t by epoch, 5.0 % with free t" in chart.note
