"""The notebook runs from top to bottom, and its stored outputs are of its cells."""

import json
from pathlib import Path

from tests.examples.notebooks import kinds

EXAMPLES = Path(__file__).parents[2] / "examples"
NOTEBOOK = EXAMPLES / "sweep" / "regress.ipynb"


def test_the_notebook_runs_and_shows_what_it_stores(run):
    stored = json.loads(NOTEBOOK.read_text("utf-8"))

    fresh = run.executed(stored, NOTEBOOK.parent)

    assert kinds(fresh) == kinds(stored)
    pictures = [kind for cell in kinds(fresh) for kind in cell if "image/png" in kind]
    assert len(pictures) == 3


def test_the_notebook_is_small_and_numbered():
    notebook = json.loads(NOTEBOOK.read_text("utf-8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]

    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    assert NOTEBOOK.stat().st_size < 150_000
