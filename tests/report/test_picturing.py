"""What figures are given of a report, and the methods that draw them."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from boundkit.errors import UsageError
from boundkit.plot import FIGURES, drawn
from boundkit.report.picturing import from_report, from_sections
from boundkit.types import Measurement
from tests.report.reports import REPORTS, layer, proved, report


def histogram(counts=(1, 3, 0), low=-1.0, high=2.0):
    return {"counts": list(counts), "edges": np.linspace(low, high, len(counts) + 1)}


def test_sections_of_a_report_become_sources():
    margins = {
        "mean": 1.0,
        "histogram": histogram(),
        "test": {"histogram": histogram()},
    }
    tables = {
        "nc1_pinv": 0.5,
        "mse": {"total": 1.0},
        "test": None,
        "conventions": {},
    }

    found = from_sections("net.pt", margins, tables)

    assert list(found.margins) == ["train", "test"]
    assert dict(found.collapse) == {"train": {"nc1_pinv": 0.5, "mse.total": 1.0}}
    assert drawn(from_sections("net.pt", None, None)) == {}


def test_layers_give_norms_spectra_and_laws():
    rows = (
        replace(
            layer("a", "linear", (4, 4), 2.0, 0.3, columns={"alpha": 3.0}),
            spectrum=((1, 2.0), (2, 1.0)),
        ),
        replace(layer("b", "embedding", (4, 4), 2.0, 0.3), counted=False),
    )
    start = Measurement("power_law.x_min", 1.0, "1", "s", layer="a")
    found = from_report(report(layers=rows, measurements=(start,)))

    assert dict(found.norms) == {"a": 0.3}
    assert dict(found.spectra) == {"a": ((1, 2.0), (2, 1.0))}
    assert dict(found.power_laws) == {"a": (3.0, 1.0)}


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_draws_what_it_has_numbers_for(name):
    made = REPORTS[name]()
    names = list(made.figures())

    assert names == list(drawn(from_report(made)))
    assert "layer_norms" in names or not from_report(made).norms


def test_one_figure_is_drawn_by_its_name_or_the_first():
    made = proved()
    first = next(iter(made.figures().values()))

    assert made.plot().get_suptitle() == first.get_suptitle()
    assert "Norms of 2 layers" in made.plot("layer_norms").get_suptitle()


def test_a_figure_that_there_is_not_is_named_with_those_there_are():
    names = ", ".join(each.__name__ for each in FIGURES)

    with pytest.raises(
        UsageError, match=f"no figure is called 'norms'; there are {names}"
    ):
        proved().plot("norms")


def test_a_figure_without_numbers_says_what_gives_them():
    bare = report(layers=(), collapse=None)

    with pytest.raises(UsageError, match=r"class_spread cannot be drawn: .* model and"):
        bare.plot("class_spread")
    with pytest.raises(UsageError, match="no figure can be drawn"):
        bare.plot()


def test_neither_a_report_nor_its_page_needs_matplotlib():
    code = (
        "import sys; from tests.report.reports import proved; "
        "r = proved(); repr(r); r._repr_html_(); "
        "import boundkit.plot, boundkit.tracing.html, boundkit.regression.html; "
        "sys.exit('matplotlib' in sys.modules)"
    )
    root = Path(__file__).parents[2]

    done = subprocess.run([sys.executable, "-c", code], cwd=root, check=False)

    assert done.returncode == 0
