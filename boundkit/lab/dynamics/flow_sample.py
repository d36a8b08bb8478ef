"""Two classes of a data set, small enough to follow a flow on them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from boundkit.errors import DataError, UsageError
from boundkit.lab.dynamics.flow_net import Sample
from boundkit.lab.dynamics.settings import whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["default_place", "two_classes"]

#: Where Debian's package dataset-fashion-mnist puts its files.
_DEBIAN = "/usr/share/datasets/fashion-mnist"
_READ_AT_ONCE = 1024


def default_place() -> str:
    """Return the folder of images that is taken where none is named.

    Raises:
        DataError: There is none; the message says which files to put where.
    """
    for place in (os.environ.get("BOUNDKIT_DATA"), _DEBIAN):
        if place and Path(place).is_dir():
            return place
    raise DataError(
        f"{_DEBIAN}: no such folder; install Debian's dataset-fashion-mnist, or put"
        " train-images-idx3-ubyte and train-labels-idx1-ubyte (.gz or not) into a folder"
        " and name it with --data or in BOUNDKIT_DATA"
    )


def two_classes(spec: Any, pair: tuple[int, int], count: int, pooling: int) -> Sample:
    """Read the first samples of two classes, in equal numbers, each divided by its norm.

    Args:
        spec: As ``boundkit.analyze`` takes data; None for the default folder.
        pair: Labels of the classes that become -1 and +1.
        count: Samples in all; even.
        pooling: Side of the squares of pixels that are averaged; 1 leaves them.

    Returns:
        In the order of the data.

    Raises:
        DataError: The data cannot be read or have too few of a class.
        UsageError: The count is odd or below 2, or the classes are the same.
    """
    from boundkit.data import open_data

    if whole("samples", count, 2) % 2:
        raise UsageError(f"samples must be even, half of each class, but got {count}")
    if pair[0] == pair[1]:
        raise UsageError(
            f"classes must be two different labels, but got {pair[0]} twice"
        )
    samples = open_data(default_place() if spec is None else spec)
    rows: list[NDArray[np.float64]] = []
    signs: list[float] = []
    seen: set[int] = set()
    room = dict.fromkeys(pair, count // 2)
    for inputs, labels in samples.batches(_READ_AT_ONCE):
        marks = labels.reshape(len(labels)).tolist()
        seen.update(map(int, marks))
        for at, label in enumerate(marks):
            if room.get(label, 0) > 0:
                room[label] -= 1
                rows.append(inputs[at].double().cpu().numpy())
                signs.append(1.0 if label == pair[1] else -1.0)
        if not any(room.values()):
            break
    _require(samples.name, room, count, seen)
    flat = np.stack([_pooled(row, whole("pool", pooling, 1)).ravel() for row in rows])
    return Sample(samples.name, _of_unit_norm(flat, samples.name), np.array(signs))


def _require(name: str, room: dict[int, int], count: int, seen: set[int]) -> None:
    """Refuse data with too few samples of a class.

    Raises:
        DataError: They have.
    """
    for label, missing in room.items():
        if missing:
            labels = ", ".join(map(str, sorted(seen)[:20]))
            raise DataError(
                f"{name}: {count // 2 - missing} samples of class {label}, but"
                f" {count // 2} are asked for; give fewer --samples or other --classes"
                f" (there are {labels})"
            )


def _pooled(row: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    """Return an image whose squares of pixels are averaged.

    Raises:
        UsageError: It is no image, or not divisible into such squares.
    """
    if side == 1:
        return row
    if row.ndim < 2 or row.shape[-1] % side or row.shape[-2] % side:
        shape = "x".join(map(str, row.shape))
        raise UsageError(
            f"pool must divide the sides of the images, but got {side} for inputs of"
            f" {shape}; give --pool 1"
        )
    high, wide = row.shape[-2] // side, row.shape[-1] // side
    squares = row.reshape(*row.shape[:-2], high, side, wide, side)
    pooled: NDArray[np.float64] = squares.mean((-3, -1))
    return pooled


def _of_unit_norm(flat: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    """Return rows divided by their norms.

    Raises:
        DataError: One is zero or not finite.
    """
    norms = np.linalg.norm(flat, axis=1)
    bad = np.flatnonzero(~(np.isfinite(norms) & (norms > 0)))
    if len(bad):
        raise DataError(
            f"{name}: input {bad[0]} of the two classes has norm {norms[bad[0]]};"
            " leave it out, it has no direction"
        )
    unit: NDArray[np.float64] = flat / norms[:, None]
    return unit
