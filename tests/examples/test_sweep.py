"""The notebook runs from top to bottom, and its stored outputs are of its cells."""

import json
import sys
from pathlib import Path

import pytest
import torch

EXAMPLES = Path(__file__).parents[2] / "examples"
NOTEBOOK = EXAMPLES / "sweep" / "regress.ipynb"


@pytest.fixture
def run(monkeypatch):
    """Import the runner of notebooks, and leave threads and modules as they are."""
    monkeypatch.syspath_prepend(str(EXAMPLES / "collapse"))
    threads = torch.get_num_threads()
    import run as runner

    yield runner
    torch.set_num_threads(threads)
    for name in ("run", "picture"):
        sys.modules.pop(name, None)


def kinds(notebook):
    """Return what each cell shows: streams, and the types of its last value."""
    return [
        [sorted(output.get("data", {"stream": None})) for output in cell["outputs"]]
        for cell in notebook["cells"]
        if cell["cell_type"] == "code"
    ]


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
