"""Tensors whose numbers are computed from stored ones when somebody reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from boundkit.types import StoredTensor

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["computed"]


class _Computed:
    """A storage whose float64 numbers are computed when first read, then kept."""

    def __init__(self, key: str, nbytes: int, compute: Callable[[], Any]) -> None:
        self.key = key
        self.nbytes = nbytes
        self._compute = compute
        self._buffer: memoryview | None = None

    def read(self, start: int, stop: int) -> memoryview:
        """Return bytes ``start:stop`` of the computed array."""
        if self._buffer is None:
            values = np.ascontiguousarray(self._compute(), dtype="<f8")
            self._buffer = values.reshape(-1).view(np.uint8).data
        return self._buffer[start:stop]


def computed(
    name: str, shape: tuple[int, ...], compute: Callable[[], NDArray[Any]]
) -> StoredTensor:
    """Return a float64 tensor that is computed when it is first read.

    Args:
        name: Unique among computed tensors.
        shape: Of the result.
        compute: Returns the numbers.
    """
    count = int(np.prod(shape, dtype=np.int64))
    return StoredTensor(
        shape, "float64", _Computed(f"computed:{name}", 8 * count, compute)
    )
