"""The notebook runs from top to bottom, and its stored outputs are of its cells."""

import json
from pathlib import Path

import pytest

from tests.examples.notebooks import kinds

FOLDER = Path(__file__).parents[2] / "examples" / "trace"


@pytest.mark.slow
def test_the_notebook_runs_and_shows_what_it_stores(run):
    stored = json.loads((FOLDER / "trace.ipynb").read_text("utf-8"))

    fresh = run.executed(stored, FOLDER)

    assert kinds(fresh) == kinds(stored)
    pictures = [kind for cell in kinds(fresh) for kind in cell if "image/png" in kind]
    assert len(pictures) == 5


def test_the_notebook_has_the_format_that_it_says():
    notebook = json.loads((FOLDER / "trace.ipynb").read_text("utf-8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]

    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
    assert all(cell["outputs"] for cell in code)


def test_what_the_words_say_is_what_the_cells_show():
    notebook = json.loads((FOLDER / "trace.ipynb").read_text("utf-8"))
    first = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")
    shown = "".join(first["outputs"][0]["data"]["text/plain"])

    assert "first 0 between epoch 64 and 96" in shown
    assert "+2.50" in shown
