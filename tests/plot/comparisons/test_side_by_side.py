"""The figure of a comparison: what is drawn is what came in."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from boundkit.plot.comparisons import Compared, side_by_side
from tests.report.comparisons import covered

NASTY = r"a$b_{\frac} ü" + "\n\x1b[31m" + "x" * 300


def test_a_line_is_a_net_and_a_missing_norm_is_a_gap():
    layers = {"a": (0.1, 0.2), "b": (0.3, None)}
    figure = side_by_side(Compared(("A", "B"), layers, {"none": (None, None)}))
    (axes,) = figure.axes

    np.testing.assert_array_equal(axes.lines[0].get_ydata(), [0.1, 0.3])
    np.testing.assert_array_equal(axes.lines[1].get_ydata(), [0.2, np.nan])
    assert [one.get_text() for one in axes.get_legend().get_texts()] == ["A", "B"]


def test_bounds_have_a_panel_with_a_line_at_one():
    figure = side_by_side(Compared(("A",), {"a": (0.1,)}, {"sparse_cnn": (-0.5,)}))

    np.testing.assert_array_equal(figure.axes[1].lines[0].get_ydata(), [-0.5])
    assert figure.axes[1].lines[-1].get_ydata()[0] == 0


def test_names_from_files_and_many_nets_can_be_drawn():
    labels = tuple(f"{k}" for k in range(40))
    layers = {f"{NASTY}{k}": (0.1,) * 40 for k in range(30)}
    side_by_side(Compared(labels, layers, {NASTY: (0.1,) * 40})).canvas.draw()


def test_a_comparison_draws_itself():
    figure = covered().plot()

    assert isinstance(figure, Figure)
    assert len(figure.axes) == 2
