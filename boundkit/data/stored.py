"""Samples in a file that torch.save wrote: a dict with ``x`` and ``y``, or a pair.

The file is read without running code, by the reader that checkpoints go through.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING, Any

from boundkit.data.samples import Samples, from_rows
from boundkit.data.tensors import from_stored
from boundkit.errors import CheckpointError, DataError, NotApplicable
from boundkit.types import StoredTensor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["read", "recognizes"]


def recognizes(path: Path) -> bool:
    """Say whether ``path`` is a torch file by its name."""
    return path.is_file() and path.suffix.lower() in {".pt", ".pth"}


def read(path: Path, part: str) -> Samples:
    """Open a torch file that holds ``{"x": ..., "y": ...}`` or ``(x, y)``.

    Args:
        path: The file.
        part: Ignored: a file has no parts.

    Returns:
        Samples that are read from the file batch by batch.

    Raises:
        DataError: The file cannot be read, or does not hold two tensors that fit.
    """
    del part
    from boundkit.readers.containers import open_file

    try:
        inputs, labels = _pair(open_file(path).tree, str(path))
        y = from_stored(labels)
    except (CheckpointError, NotApplicable) as error:
        raise DataError(
            f"{path}: no data can be read from it ({error}); save with"
            " torch.save({'x': x, 'y': y}, path)"
        ) from error

    def rows(batch_size: int) -> Iterator[Any]:
        for first in range(0, inputs.shape[0], batch_size):
            yield from_stored(_rows_of(inputs, first, batch_size))

    return from_rows(str(path), inputs.shape, rows, y)


def _pair(tree: Any, name: str) -> tuple[StoredTensor, StoredTensor]:
    found: tuple[Any, ...] = ()
    if isinstance(tree, Mapping):
        found = (tree.get("x"), tree.get("y"))
    elif isinstance(tree, tuple | list):
        found = tuple(tree)
    if len(found) != 2 or not all(isinstance(t, StoredTensor) for t in found):
        raise DataError(
            f"{name}: holds neither a dict with tensors x and y nor a pair of tensors;"
            " save with torch.save({'x': x, 'y': y}, path)"
        )
    return found[0], found[1]


def _rows_of(tensor: StoredTensor, first: int, count: int) -> StoredTensor:
    """Return a view of rows ``first`` to ``first + count``."""
    step = prod(tensor.shape[1:]) if tensor.stride is None else tensor.stride[0]
    rows = min(count, tensor.shape[0] - first)
    return replace(
        tensor, shape=(rows, *tensor.shape[1:]), offset=tensor.offset + first * step
    )
