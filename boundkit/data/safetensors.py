"""Samples in a safetensors file: tensors ``x`` and ``y``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from boundkit.data.samples import Samples, from_rows
from boundkit.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["read", "recognizes"]


def recognizes(path: Path) -> bool:
    """Say whether ``path`` is a safetensors file by its name."""
    return path.is_file() and path.suffix.lower() == ".safetensors"


def read(path: Path, part: str) -> Samples:
    """Open a safetensors file with tensors ``x`` and ``y``.

    Args:
        path: The file.
        part: Ignored: a file has no parts.

    Returns:
        Samples that are sliced from the file batch by batch.

    Raises:
        DataError: The file is damaged, lacks a tensor, or the tensors do not fit.
    """
    del part
    from safetensors import SafetensorError, safe_open

    name = str(path)
    try:
        with safe_open(path, framework="pt") as file:
            labels = file.get_tensor("y")
            shape = tuple(file.get_slice("x").get_shape())
    except (SafetensorError, OSError) as error:
        raise DataError(
            f"{name}: no tensors x and y to read ({error}); save with"
            " safetensors.torch.save_file({'x': x, 'y': y}, path)"
        ) from error

    def rows(batch_size: int) -> Iterator[Any]:
        with safe_open(path, framework="pt") as file:
            inputs = file.get_slice("x")
            for first in range(0, shape[0], batch_size):
                yield inputs[first : first + batch_size]

    return from_rows(name, shape, rows, labels)
