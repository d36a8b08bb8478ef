"""The notebook runs from top to bottom, and its stored outputs are of its cells."""

import json
from pathlib import Path

import pytest

from tests.examples.notebooks import kinds

FOLDER = Path(__file__).parents[2] / "examples" / "collapse"


def test_the_notebook_runs_and_shows_what_it_stores(run):
    stored = json.loads((FOLDER / "collapse.ipynb").read_text("utf-8"))

    fresh = run.executed(stored, FOLDER)

    assert kinds(fresh) == kinds(stored)
    pictures = [kind for cell in kinds(fresh) for kind in cell if "image/png" in kind]
    assert len(pictures) == 3
    assert [cell["source"] for cell in fresh["cells"]] == [
        cell["source"] for cell in stored["cells"]
    ]


def test_the_notebook_has_the_format_that_it_says():
    notebook = json.loads((FOLDER / "collapse.ipynb").read_text("utf-8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]

    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
    assert (FOLDER / "collapse.ipynb").stat().st_size < 100_000


def test_a_cell_that_fails_fails(run):
    cell = {"cell_type": "code", "source": ["1 / 0"], "outputs": []}

    with pytest.raises(ZeroDivisionError, match="division by zero"):
        run.executed({"cells": [cell]}, FOLDER)


def test_what_a_cell_prints_and_returns_is_kept(run):
    source = ["x = 2\n", "print(x)\n", "x + 1"]
    cell = {"cell_type": "code", "source": source, "outputs": []}

    (done,) = run.executed({"cells": [cell]}, FOLDER)["cells"]

    assert done["outputs"][0]["text"] == ["2\n"]
    assert done["outputs"][1]["data"] == {"text/plain": ["3"]}
