"""Each figure of a run: what is drawn equals what came in; what is missing is not drawn."""

import pkgutil

import numpy as np
import pytest
from matplotlib.figure import Figure

from boundkit.errors import UsageError
from boundkit.plot import save, trajectories
from boundkit.plot.trajectories import TRAJECTORIES, Course, SignalFit, drawn
from boundkit.tracing.picturing import course_of
from tests.report.pages import made_trace
from tests.tracing.runs import EPOCHS, bundled

NASTY = r"a$b_{\frac} ü" + "\n\x1b[31m" + "x" * 300


def course(title="run", layers=("conv", "fc"), **changes):
    random = np.random.default_rng(0)

    def numbers():
        return random.uniform(0.5, 2, 5)

    names = ["rho", "margins.train_error", "bound.dense", "collapse.nc1_pinv"]
    names += [f"collapse.mse.{term}" for term in ("total", "l_nc1", "l_nc23", "l_perp")]
    for prefix in ("margins.", "margins.normalized."):
        names += [
            prefix + q for q in ("min", "q05", "q10", "median", "q90", "q95", "max")
        ]
    columns = {name: numbers() for name in names}
    measured = numbers()[:, None] * [[1.0, 0.5]]
    known = {
        "axis": "epoch",
        "places": np.arange(5.0),
        "columns": columns,
        "layers": {
            name: {"rho": numbers(), "stable_rank": numbers()} for name in layers
        },
        "histograms": {
            "raw": [
                {"counts": [1, 2], "edges": [0.0, 1.0, 2.0 + at]} for at in range(5)
            ]
        },
        "began": 3.0,
        "signal": SignalFit(np.arange(5.0), measured, measured, measured, (0.1, 0.0)),
    }
    return Course(title, **(known | changes))


def text_of(figure):
    """Return everything that is written in a figure, drawn once."""
    figure.canvas.draw()
    found = [figure.get_suptitle()]
    for axes in figure.axes:
        found += [axes.get_title(), axes.get_xlabel(), axes.get_ylabel()]
        if legend := axes.get_legend():
            found += [each.get_text() for each in legend.get_texts()]
    return "\n".join(found)


def lines_of(axes, label):
    return [line for line in axes.lines if line.get_label() == label]


def test_every_file_with_a_figure_is_in_the_catalog():
    files = {module.name for module in pkgutil.iter_modules(trajectories.__path__)}

    assert {each.__name__ for each in TRAJECTORIES} == files - {"course", "lines"}


@pytest.mark.parametrize("draw", TRAJECTORIES, ids=lambda each: each.__name__)
def test_nothing_known_is_nothing_drawn(draw):
    assert draw(Course("run", "epoch", np.arange(3.0))) is None


@pytest.mark.parametrize("draw", TRAJECTORIES, ids=lambda each: each.__name__)
def test_columns_without_a_number_are_nothing_drawn(draw):
    empty = {name: np.full(5, np.nan) for name in course().columns}

    assert draw(course(columns=empty, layers={}, signal=None)) is None


@pytest.mark.parametrize("draw", TRAJECTORIES, ids=lambda each: each.__name__)
def test_every_figure_names_the_run_and_its_axes(draw):
    figure = draw(course())

    assert isinstance(figure, Figure)
    assert "run" in figure.get_suptitle()
    assert any(axes.get_xlabel() == "epoch" for axes in figure.axes)
    assert all(axes.get_ylabel() for axes in figure.axes)


@pytest.mark.parametrize("draw", TRAJECTORIES, ids=lambda each: each.__name__)
def test_names_from_files_are_drawn_as_plain_text(draw):
    text = text_of(draw(course(NASTY, (NASTY, "fc"))))

    assert "\x1b" not in text
    assert "ü" not in text


def test_lines_are_the_numbers_that_came_in():
    given = course()

    axes = trajectories.norms_over_time(given).axes

    (rho,) = lines_of(axes[0], "rho")
    np.testing.assert_array_equal(rho.get_ydata(), given.columns["rho"])
    (layer,) = lines_of(axes[1], "fc")
    np.testing.assert_array_equal(layer.get_ydata(), given.layers["fc"]["rho"])
    (error,) = lines_of(axes[2], "training")
    np.testing.assert_array_equal(
        error.get_ydata(), 100 * given.columns["margins.train_error"]
    )


def test_many_layers_are_shades_with_the_ends_named():
    names = [f"layer{at}" for at in range(20)]

    figure = trajectories.ranks_over_time(course(layers=names))

    legend = figure.axes[0].get_legend()
    assert [each.get_text() for each in legend.get_texts()] == ["layer0", "layer19"]
    assert legend.get_title().get_text() == "20 layers"


def test_the_terminal_phase_is_marked_where_there_is_one():
    def marks(figure):
        return [
            line.get_xdata()[0] for line in figure.axes[0].lines if line.get_ls() == ":"
        ]

    assert marks(trajectories.loss_over_time(course())) == [3.0]
    assert marks(trajectories.loss_over_time(course(began=None))) == []


@pytest.mark.parametrize(
    ("places", "scale"),
    [
        ([0, 1, 2, 3, 4], "linear"),
        ([1, 2, 8, 64, 512], "log"),
        ([0, 1, 8, 64, 512], "symlog"),
    ],
)
def test_uneven_places_are_drawn_on_a_logarithmic_axis(places, scale):
    figure = trajectories.loss_over_time(course(places=np.array(places, float)))

    assert figure.axes[0].get_xscale() == scale


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        ([1, 2, 3, 4, 5], "linear"),
        ([1, 10, 100, 1e3, 1e4], "log"),
        ([0, 10, 100, 1e3, 1e4], "symlog"),
        ([-1, 10, 100, 1e3, 1e4], "linear"),
    ],
)
def test_values_over_decades_are_drawn_on_a_logarithmic_axis(values, scale):
    columns = {"rho": np.array(values, float)}

    figure = trajectories.norms_over_time(course(columns=columns, layers={}))

    assert figure.axes[0].get_yscale() == scale


def test_only_the_smallest_bounds_are_drawn_with_the_test_error():
    columns = {f"bound.b{at}": np.full(5, 10.0 + at) for at in range(8)}
    columns |= {"bound.b0.status": np.full(5, np.nan)}
    columns |= {"margins.test.train_error": np.full(5, 0.1)}

    legend = trajectories.bounds_over_time(course(columns=columns)).axes[0].get_legend()

    names = [each.get_text() for each in legend.get_texts()]
    assert names == ["b0", "b1", "b2", "b3", "b4", "test error"]


def test_rho_that_overflows_is_drawn_by_its_logarithm():
    columns = {"log10_rho": np.arange(300.0, 305.0)}

    figure = trajectories.norms_over_time(course(columns=columns, layers={}))

    assert lines_of(figure.axes[0], "log10 rho")


def test_margins_that_are_all_equal_are_a_line_in_the_histograms():
    tables = [
        {"counts": [4], "edges": [1.0, 1.0]},
        {"counts": [2, 2], "edges": [0, 1, 2]},
    ]
    given = course(
        places=np.arange(2.0), histograms={"raw": tables}, layers={}, signal=None
    )
    given = Course(
        "run",
        "epoch",
        given.places,
        {"margins.median": np.ones(2)},
        {},
        given.histograms,
    )

    figure = trajectories.margins_over_time(given)

    assert lines_of(figure.axes[-1], "epoch 0")[0].get_xdata()[0] == 1.0


def test_late_margins_are_magnified_where_early_ones_would_hide_them():
    columns = {"margins.median": np.array([1.0, 5.0, 1.0, 0.1, 0.01])}

    figure = trajectories.margins_over_time(course(columns=columns, histograms={}))

    assert figure.axes[0].get_yscale() == "symlog"


def test_the_bundled_run_has_every_figure_that_its_parts_allow(tmp_path):
    found = course_of(bundled())

    figures = drawn(found)

    assert found.places.tolist() == list(EPOCHS)
    # The shared run is analyzed without spectra and bounds.
    missing = {"ranks_over_time", "bounds_over_time"}
    assert set(figures) == {each.__name__ for each in TRAJECTORIES} - missing
    assert all(path.stat().st_size > 5_000 for path in save(figures, tmp_path))
    assert bundled().figures().keys() == figures.keys()


def test_a_trace_draws_one_figure_by_its_name_or_the_first():
    found = made_trace()

    assert found.plot().get_suptitle().startswith("Norms and errors")
    assert found.plot("ranks_over_time").get_suptitle().startswith("Ranks of layers")
    with pytest.raises(UsageError, match="loss_over_time cannot be drawn"):
        found.plot("loss_over_time")
    with pytest.raises(UsageError, match="no figure is called 'rho'; there are norms_"):
        found.plot("rho")
