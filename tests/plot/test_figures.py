"""Each figure: what is drawn equals what came in; what is missing is not drawn."""

import pkgutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from boundkit import plot
from boundkit.plot import FIGURES, Sources, drawn
from boundkit.plot.gradient_noise import gradient_noise
from boundkit.plot.layer_norms import layer_norms

NASTY = r"a$b_{\frac} ü" + "\n\x1b[31m" + "x" * 300


def histogram(counts=(1, 3, 0), low=-1.0, high=2.0):
    return {"counts": list(counts), "edges": np.linspace(low, high, len(counts) + 1)}


def collapse(classes=4, width=6, seed=0):
    rng = np.random.default_rng(seed)
    means, rows = rng.normal(size=(2, classes, width))

    def cosines(table):
        unit = table / np.linalg.norm(table, axis=1, keepdims=True)
        return unit @ unit.T

    return {
        "cosines.means": cosines(means),
        "cosines.weights": cosines(rows),
        "eigenvalues.within": np.sort(rng.exponential(size=width))[::-1],
        "eigenvalues.between": np.sort(rng.exponential(size=classes - 1))[::-1],
        "per_class.spread": rng.exponential(size=classes),
        "mse.l_nc1": 0.1,
        "mse.l_nc23": 0.02,
        "mse.l_perp": 0.003,
        "mse.total": 0.123,
    }


def noise(trace, signal):
    return {
        "gradient_noise": trace,
        "gradient_noise_stderr": 0.5,
        "signal": signal,
        "signal_stderr": 3.0,
    }


def full(title="net.pt", **changes):
    margins = {"histogram": histogram(), "normalized": {"histogram": histogram()}}
    known = {
        "margins": {"train": margins, "test": margins},
        "collapse": {"train": collapse(), "test": collapse(seed=1)},
        "spectra": {"fc.weight": np.arange(1.0, 61)},
        "power_laws": {"fc.weight": (2.5, 100.0)},
        "norms": {"conv.weight": -0.25, "fc.weight": 0.75},
        "noise": {"fc.weight": noise(4.0, 2.0), "conv.weight": noise(1.0, -0.5)},
    }
    return Sources(title=title, **(known | changes))


def text_of(figure):
    """Return everything that is written in a figure, drawn once."""
    figure.canvas.draw()
    found = [figure.get_suptitle()]
    for axes in figure.axes:
        labels = [*axes.get_xticklabels(), *axes.get_yticklabels(), *axes.texts]
        found += [axes.get_title(), axes.get_title("left")]
        found += [axes.get_xlabel(), axes.get_ylabel()]
        found += [each.get_text() for each in labels]
        if legend := axes.get_legend():
            found += [each.get_text() for each in legend.get_texts()]
    return "\n".join(found)


def test_every_file_with_a_figure_is_in_the_catalog():
    others = {
        *("choosing", "comparisons", "regressions", "saving", "sheet", "sources"),
        "trajectories",
    }
    files = {module.name for module in pkgutil.iter_modules(plot.__path__)} - others

    assert {each.__name__ for each in FIGURES} == files


@pytest.mark.parametrize("draw", FIGURES, ids=lambda each: each.__name__)
def test_nothing_known_is_nothing_drawn(draw):
    assert draw(Sources()) is None
    assert draw(Sources(margins={"train": {}}, collapse={"train": {}})) is None


@pytest.mark.parametrize("draw", FIGURES, ids=lambda each: each.__name__)
def test_every_figure_names_the_checkpoint_and_its_axes(draw):
    figure = draw(full())

    assert isinstance(figure, Figure)
    assert "net.pt" in figure.get_suptitle()
    for axes in figure.axes:
        titles = [axes.get_title(), axes.get_title("left")]
        assert any([axes.get_xlabel(), axes.get_ylabel(), *titles])


@pytest.mark.parametrize("draw", FIGURES, ids=lambda each: each.__name__)
def test_names_from_files_are_only_text(draw):
    spectra = {NASTY: np.arange(1.0, 61)}
    norms, noisy = {NASTY: 1.0}, {NASTY: noise(1.0, 1.0)}
    names = [NASTY + str(place) for place in range(4)]

    found = text_of(
        draw(full(NASTY, spectra=spectra, norms=norms, noise=noisy, class_names=names))
    )

    assert "\x1b" not in found
    assert r"a\$b" in found
    assert max(map(len, found.splitlines())) < 120


@pytest.mark.parametrize("draw", FIGURES, ids=lambda each: each.__name__)
def test_a_thousand_classes_and_forty_layers_can_be_drawn(draw):
    table = {"train": collapse(1000, 50)}
    spectra = {f"layer.{i}": np.arange(1.0, 10 + i) for i in range(40)}
    norms = dict.fromkeys(spectra, 0.1)

    figure = draw(full(collapse=table, spectra=spectra, norms=norms, power_laws={}))

    text_of(figure)
    assert figure.get_size_inches().max() < 20


def test_no_figure_needs_pyplot():
    code = "import sys, boundkit.plot; sys.exit('matplotlib.pyplot' in sys.modules)"
    root = Path(__file__).parents[2]

    done = subprocess.run([sys.executable, "-c", code], cwd=root, check=False)

    assert done.returncode == 0


def test_the_bars_of_margins_are_shares_of_the_sample():
    axes = plot.margin_histogram(full()).axes

    assert [each.get_xlabel().partition(" (")[0] for each in axes] == [
        "margin",
        "margin over rho",
    ]
    values, edges, _ = axes[0].patches[0].get_data()
    np.testing.assert_allclose(values, [25, 75, 0], rtol=1e-12)
    np.testing.assert_allclose(edges, [-1, 0, 1, 2], rtol=1e-12)
    assert {"train", "test"} <= set(text_of(axes[0].figure).splitlines())


def test_equal_margins_are_a_line():
    table = {"train": {"histogram": {"counts": [5], "edges": [1.0, 1.0]}}}
    (axes,) = plot.margin_histogram(full(margins=table)).axes

    (line,) = axes.collections[0].get_segments()
    np.testing.assert_array_equal(line[:, 0], [1, 1])
    assert axes.get_xlim()[0] < 0 < 1 < axes.get_xlim()[1]


@pytest.mark.parametrize(("low", "zero"), [(0.99, False), (0.5, True)])
def test_collapsed_margins_are_drawn_by_themselves(low, zero):
    table = {"train": {"histogram": histogram((1, 5, 1), low, 1.01)}}
    (axes,) = plot.margin_histogram(full(margins=table)).axes

    left, right = axes.get_xlim()
    assert (left < 0) == zero
    assert left < low < 1.01 < right


def test_the_colors_of_cosines_are_zero_at_a_simplex():
    simplex = 1.25 * np.eye(5) - 0.25
    tables = {"cosines.means": simplex, "cosines.weights": None}
    figure = plot.class_cosines(full(collapse={"test": tables}))

    shown = figure.axes[0].images[0].get_array()
    off = ~np.eye(5, dtype=bool)
    np.testing.assert_allclose(shown[off], 0, atol=1e-15)
    assert np.ma.getmaskarray(shown).diagonal().all()
    assert figure.axes[0].texts[0].get_text() == "-.25"
    assert "(test)" in figure.get_suptitle()


def test_the_input_is_left_as_it_is():
    table = collapse()
    before = table["cosines.means"].copy()

    plot.class_cosines(full(collapse={"train": table}))

    np.testing.assert_array_equal(table["cosines.means"], before)


def test_classes_have_their_names():
    names = ["coat", "shirt", "bag", "boot"]
    cosines, spread = (
        draw(full(class_names=names))
        for draw in (plot.class_cosines, plot.class_spread)
    )

    for figure in (cosines, spread):
        assert set(names) <= set(text_of(figure).splitlines())


def test_spread_is_drawn_class_by_class():
    sources = full()
    (axes,) = plot.class_spread(sources).axes

    heights = [bar.get_height() for bar in axes.patches]
    expected = [
        *sources.collapse["train"]["per_class.spread"],
        *sources.collapse["test"]["per_class.spread"],
    ]
    np.testing.assert_allclose(heights, expected, rtol=1e-12)


def test_no_spread_at_all_is_drawn_as_zero():
    table = {"train": {"per_class.spread": np.zeros(3)}}
    (axes,) = plot.class_spread(full(collapse=table)).axes

    assert axes.get_yscale() == "linear"


def test_eigenvalues_below_rounding_are_counted():
    table = {"eigenvalues.within": [2.0, 1.0, 1e-20, 0.0], "eigenvalues.between": []}
    figure = plot.covariance_eigenvalues(full(collapse={"train": table}))

    (line,) = figure.axes[0].lines
    np.testing.assert_array_equal(line.get_ydata(), [2, 1])
    np.testing.assert_array_equal(line.get_xdata(), [1, 2])
    assert "2 below rounding" in line.get_label()


def test_collapse_without_any_variance_has_no_spectrum():
    table = {"train": {"eigenvalues.within": np.zeros(3)}}

    assert plot.covariance_eigenvalues(full(collapse=table)) is None


def test_the_loss_has_a_bar_for_each_term():
    figure = plot.loss_decomposition(full())

    widths = [bar.get_width() for bar in figure.axes[0].patches]
    np.testing.assert_allclose(widths, [0.1, 0.02, 0.003, 0.123], rtol=1e-12)
    assert "0.123" in text_of(figure)


def test_a_term_of_zero_is_written_as_zero():
    table = collapse() | {"mse.l_perp": 0.0}
    figure = plot.loss_decomposition(full(collapse={"train": table}))

    assert " 0" in {each.get_text() for each in figure.axes[0].texts}


def test_a_spectrum_is_the_share_above_with_its_power_law():
    (axes,) = plot.layer_spectra(full()).axes

    dots, law = axes.lines
    np.testing.assert_allclose(dots.get_xdata(), np.arange(60.0, 0, -1) ** 2)
    np.testing.assert_allclose(dots.get_ydata(), np.arange(1, 61) / 60, rtol=1e-12)
    # 51 of 60 squares are 100 or more; the largest is 3600.
    np.testing.assert_allclose(
        law.get_ydata(), [51 / 60, 51 / 60 * 36**-1.5], rtol=1e-12
    )


def test_the_largest_layers_are_drawn_and_the_others_counted():
    spectra = {f"layer.{i}": np.arange(1.0, 10 + i) for i in range(20)}
    figure = plot.layer_spectra(full(spectra=spectra))

    assert "12 largest of 20 layers" in figure.get_suptitle()
    assert figure.axes[0].get_title() == "layer.8"


@pytest.mark.parametrize("values", [[], [0.0, 0.0], [np.inf, 1.0], [np.nan]])
def test_a_layer_without_a_spectrum_is_left_out(values):
    assert plot.layer_spectra(full(spectra={"fc": values})) is None


def test_drawn_names_what_there_is():
    names = [each.__name__ for each in FIGURES]

    assert list(drawn(full())) == names
    assert list(drawn(full(margins={}))) == names[1:]


def test_the_norms_are_bars_that_sum_to_log_rho():
    figure = layer_norms(full())
    (axes,) = figure.axes

    np.testing.assert_allclose([bar.get_width() for bar in axes.patches], [-0.25, 0.75])
    assert "Norms of 2 layers, log10 rho 0.5" in figure.get_suptitle()
    assert [each.get_text() for each in axes.get_yticklabels()] == [
        "conv.weight",
        "fc.weight",
    ]


def test_noise_and_signal_stand_side_by_side_and_a_negative_signal_is_left_out():
    (axes,) = gradient_noise(full()).axes
    trace, signal = axes.containers

    np.testing.assert_array_equal(trace.lines[0].get_xdata(), [4, 1])
    np.testing.assert_array_equal(signal.lines[0].get_xdata(), [2])
    (low, high) = signal.lines[2][0].get_segments()[0][:, 0]
    np.testing.assert_allclose([low, high], [0.2, 5], rtol=1e-12)
    assert [one.get_text() for one in axes.get_yticklabels()] == [
        "fc.weight",
        "conv.weight",
    ]


def test_noise_of_many_layers_is_thinned_out_with_its_ends():
    many = {f"l{k}": noise(1.0, 1.0) for k in range(200)}
    figure = gradient_noise(full(noise=many))
    names = [one.get_text() for one in figure.axes[0].get_yticklabels()]

    assert (len(names), names[0], names[-1]) == (60, "l0", "l199")
    assert "60 of 200 layers" in figure.get_suptitle()


@pytest.mark.parametrize("row", [{}, {"signal": None}, noise(float("nan"), -1.0)])
def test_a_layer_without_noise_is_left_out(row):
    assert gradient_noise(full(noise={"fc": row})) is None


def test_the_norms_of_many_layers_are_points():
    figure = layer_norms(full(norms={f"l{k}": k / 10 for k in range(50)}))

    np.testing.assert_allclose(
        figure.axes[0].lines[0].get_ydata(), np.arange(50) / 10, rtol=1e-12
    )
