"""Runs to trace: the bundled one, analyzed once, and points made by hand."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import torch

import boundkit
from boundkit.tracing.points import TRACED, Point

FOLDER = Path(__file__).parents[2] / "fixtures" / "run"
MODEL = f"{FOLDER.parent / 'training_run.py'}:make"
OPTIONS = {
    "model": MODEL,
    "data": str(FOLDER / "train.npz"),
    "test_data": str(FOLDER / "test.npz"),
    "weight_decay": 1.25e-4,
}
EPOCHS = (0, 1, 2, 4, 8, 16, 32, 64, 96, 128, 192, 256, 384, 512)


@cache
def bundled():
    """Return the trace of the bundled run, without spectra and bounds."""
    only = ("norms", "margins", "collapse")
    threads = torch.get_num_threads()
    # Small products wait for each other where many processes share the cores.
    torch.set_num_threads(1)
    try:
        return boundkit.trace(str(FOLDER), **OPTIONS, only=only, jobs=1)
    finally:
        torch.set_num_threads(threads)


def point(path, status=TRACED, **options):
    """Return a checkpoint with layers of one shape."""
    layers = ({"name": "fc", "shape": (2, 3), "kind": "linear", "rho": 1.0},)
    return Point(path, status, **{"layers": layers} | options)
