"""Run a notebook's cells in order and keep what they show; needs no Jupyter.

``python examples/notebooks/run.py NOTEBOOK`` refreshes the outputs in the notebook;
``--check`` runs the cells and writes nothing.
"""

from __future__ import annotations

import ast
import base64
import contextlib
import io
import json
import os
import sys
from pathlib import Path
from typing import Any

__all__ = ["executed"]


def executed(notebook: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return the notebook with fresh outputs.

    Args:
        notebook: Of format 4, with cells of Python.
        folder: Where the cells run, as Jupyter has it.
    """
    namespace: dict[str, Any] = {"__name__": "__main__"}
    before, path = Path.cwd(), list(sys.path)
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    try:
        cells = [_run(cell, namespace) for cell in _numbered(notebook["cells"])]
    finally:
        os.chdir(before)
        sys.path[:] = path
    return notebook | {"cells": cells}


def _numbered(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    number, found = 0, []
    for cell in cells:
        if cell["cell_type"] == "code":
            number += 1
            cell = cell | {"execution_count": number}
        found.append(cell)
    return found


def _run(cell: dict[str, Any], namespace: dict[str, Any]) -> dict[str, Any]:
    if cell["cell_type"] != "code":
        return cell
    number = cell["execution_count"]
    tree = ast.parse("".join(cell["source"]), f"cell {number}")
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    stream, shown = io.StringIO(), None
    with contextlib.redirect_stdout(stream):
        exec(compile(tree, f"cell {number}", "exec"), namespace)
        if isinstance(last, ast.Expr):
            code = compile(ast.Expression(last.value), f"cell {number}", "eval")
            shown = eval(code, namespace)
    outputs: list[dict[str, Any]] = []
    if text := stream.getvalue():
        outputs.append({
            "output_type": "stream",
            "name": "stdout",
            "text": _lines(text),
        })
    if shown is not None:
        outputs.append({
            "output_type": "execute_result",
            "execution_count": number,
            "metadata": {},
            "data": _shown(shown),
        })
    return cell | {"outputs": outputs}


def _shown(value: Any) -> dict[str, Any]:
    if hasattr(value, "_repr_png_"):
        image = base64.b64encode(value._repr_png_()).decode("ascii")
        return {"image/png": image, "text/plain": [type(value).__name__]}
    data: dict[str, Any] = {"text/plain": _lines(repr(value))}
    if hasattr(value, "_repr_html_"):
        data["text/html"] = _lines(value._repr_html_())
    return data


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


if __name__ == "__main__":
    for place in (Path(each).resolve() for each in sys.argv[1:] if each != "--check"):
        fresh = executed(json.loads(place.read_text("utf-8")), place.parent)
        if "--check" not in sys.argv:
            text = json.dumps(fresh, indent=1, ensure_ascii=False) + "\n"
            place.write_text(text, encoding="utf-8")
