"""What every figure owes: recipes at all scales, an outcome, a picture."""

import json
import re
from pathlib import Path

import pytest

import boundkit.lab.figures
from boundkit.errors import UsageError
from boundkit.lab.documents import read, to_json
from boundkit.lab.exhibit import SCALES
from boundkit.lab.figures import FIGURES, chosen
from boundkit.lab.nets import build
from boundkit.lab.reproducing import reproduce

each_figure = pytest.mark.parametrize("figure", FIGURES, ids=lambda one: one.name)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return tmp_path_factory.mktemp("results")


def test_names_are_different_and_of_one_form():
    names = [figure.name for figure in FIGURES]

    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9-]+", name) for name in names)


def test_every_file_of_a_figure_is_in_the_catalog():
    folder = Path(boundkit.lab.figures.__file__).parent
    files = {path.stem for path in folder.glob("p[0-4]_*.py")}

    assert files == {
        getattr(figure.measure, "func", figure.measure).__module__.rpartition(".")[2]
        for figure in FIGURES
        if re.match(r"p[0-4]-", figure.name)
    }


@each_figure
def test_the_catalog_says_what_it_is(figure):
    assert figure.paper in {"P0", "P1", "P2", "P3", "P4", "-"}
    assert figure.title
    assert figure.claims
    assert figure.needs
    assert figure.minutes is None or 0 < figure.minutes <= 20


@each_figure
@pytest.mark.parametrize("scale", SCALES)
def test_recipes_fit_their_images(figure, scale):
    shape = (3, 32, 32) if scale == "paper" else (1, 28, 28)
    for recipe in {
        (r.net, r.outputs, r.width, r.pooling) for r in figure.recipes(scale)
    }:
        net, outputs, width, pooling = recipe
        small = (shape[0], shape[1] // pooling, shape[2] // pooling)

        assert build(net, small, outputs, width) is not None


@each_figure
def test_it_runs_from_end_to_end(figure, archive, results):
    (found,) = reproduce(figure.name, "test", archive, results)

    assert found.fresh
    assert found.outcome.claims
    assert all(each.claim and each.measured for each in found.outcome.claims)
    assert all(each.holds is not None or each.reason for each in found.outcome.claims)
    assert found.outcome.tables["main"]
    assert (results / f"{figure.name}.png").stat().st_size > 5_000
    again = read(found.path)
    assert json.loads(to_json(again)) == json.loads(found.path.read_bytes())
    # From what is stored alone.
    assert figure.draw(again.outcome).axes


def test_all_is_the_catalog_and_names_may_repeat():
    assert chosen("all") == FIGURES
    assert chosen([FIGURES[0].name, "all"]) == FIGURES


def test_an_unknown_figure_is_refused():
    first = FIGURES[0].name

    with pytest.raises(
        UsageError, match=f"there is no figure 'p9-fig1'; there are {first}"
    ):
        chosen("p9-fig1")
