"""From Fashion-MNIST's IDX files to one ``.npz`` per task and part.

Pixels are stored as they are, with the preprocessing declared beside them: divide each
image by its Euclidean norm, then subtract ``center``, the mean of the first 200 images of
the task after that division. Those 200 are in no file: a center that was computed on the
sample would break the i.i.d. premise.
"""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["HELD_BACK", "SOURCE", "center_of", "inputs", "prepare", "select"]

SOURCE = Path("/usr/share/datasets/fashion-mnist")
HELD_BACK = 200

_ADVICE = (
    "install Debian's package dataset-fashion-mnist, or download the four files from "
    "https://github.com/zalandoresearch/fashion-mnist and pass --data DIR"
)


def _read(source: Path, part: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return images (n, 1, 28, 28) and labels (n,) of ``"train"`` or ``"t10k"``."""
    found = []
    for what, header in (("images-idx3", 16), ("labels-idx1", 8)):
        path = source / f"{part}-{what}-ubyte.gz"
        if not path.is_file():
            raise SystemExit(f"{path}: is not there; {_ADVICE}")
        content = gzip.decompress(path.read_bytes())
        found.append(np.frombuffer(content, np.uint8, offset=header))
    return found[0].reshape(-1, 1, 28, 28), found[1]


def select(
    x: NDArray[np.uint8], labels: NDArray[np.uint8], task: str
) -> tuple[NDArray[np.uint8], NDArray[np.integer]]:
    """Return the images of a task in order, and their labels.

    Args:
        x: (n, 1, 28, 28) images.
        labels: (n,) classes.
        task: ``"3v8"`` for two classes, the second of them +1; ``"all"`` for every class.

    Returns:
        Images and -1/+1, or images and classes as they are.
    """
    if task == "all":
        return x, labels
    negative, positive = (int(name) for name in task.split("v"))
    chosen = (labels == negative) | (labels == positive)
    return x[chosen], np.where(labels[chosen] == positive, 1, -1).astype(np.int8)


def _unit(x: NDArray[np.uint8]) -> NDArray[np.float32]:
    norms = np.sqrt((x.astype(np.float64) ** 2).sum(axis=(1, 2, 3), keepdims=True))
    return np.asarray(x / norms, np.float32)


def center_of(x: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the mean of images of unit norm, (1, 28, 28)."""
    return np.asarray(_unit(x).mean(axis=0, dtype=np.float64), np.float32)


def prepare(source: Path, folder: Path, task: str) -> tuple[Path, Path]:
    """Write the training and the test part of a task, where they are not there yet.

    Args:
        source: The folder with the IDX files.
        folder: Where to write.
        task: As for ``select``.

    Returns:
        The paths of both parts.

    Raises:
        SystemExit: An IDX file is missing.
    """
    paths = folder / f"{task}_train.npz", folder / f"{task}_test.npz"
    if all(path.is_file() for path in paths):
        return paths
    folder.mkdir(parents=True, exist_ok=True)
    x, y = select(*_read(source, "train"), task)
    test = select(*_read(source, "t10k"), task)
    center = center_of(x[:HELD_BACK])
    parts = ((x[HELD_BACK:], y[HELD_BACK:]), test)
    for path, (images, labels) in zip(paths, parts, strict=True):
        np.savez(path, x=images, y=labels, normalize=np.array("unit"), center=center)
    return paths


def inputs(path: Path) -> tuple[NDArray[np.float32], NDArray[np.integer]]:
    """Return what the nets are fed, (n, 1, 28, 28), and labels (n,)."""
    with np.load(path) as arrays:
        return _unit(arrays["x"]) - arrays["center"], arrays["y"]
