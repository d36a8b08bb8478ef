"""The filter matrix of a layer, in pieces that are converted when they are needed.

The bytes of a large weight stay where the file is mapped; no more than a piece of 32 MB
is float64 at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from boundkit.errors import NotApplicable
from boundkit.numerics.blocks import array, numpy_dtype

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from boundkit.numerics.gram import Pieces
    from boundkit.numerics.top_singular import Rows
    from boundkit.types import Layer, StoredTensor

__all__ = ["column_pieces", "filter_view", "row_pieces", "stored_array"]

#: Elements of a float64 piece of a product of matrices.
_PIECE = 2**22
#: Elements of a piece that stays in the second-level cache, 512 KB each.
_CACHED: dict[type[np.floating[Any]], int] = {np.float64: 2**16, np.float32: 2**17}
#: Most rows of such a piece: OpenBLAS multiplies a block of up to four rows by it
#: without copying it first while the product stays small.
_MOST_ROWS = 256


def stored_array(tensor: StoredTensor) -> NDArray[Any]:
    """Return the numbers as stored, without a copy where they lie one after another.

    Raises:
        NotApplicable: The numbers cannot be read.
        Unreadable: The bytes are not there.
    """
    plain = tensor.stride is None and tensor.storage is not None and tensor.numel
    if not plain or tensor.big_endian:
        return array(tensor)
    dtype = numpy_dtype(tensor.dtype)
    first, last = tensor.offset, tensor.offset + tensor.numel
    assert tensor.storage is not None  # noqa: S101 - "plain" says so
    buffer = tensor.storage.read(first * dtype.itemsize, last * dtype.itemsize)
    return np.frombuffer(buffer, dtype).reshape(tensor.shape)


def filter_view(layer: Layer) -> NDArray[Any]:
    """Return the weight as (outputs, rest), in the dtype that is stored.

    Outputs are the first axis, that of a transposed convolution the second.

    Raises:
        NotApplicable: The numbers cannot be read, or there are none.
        Unreadable: The bytes are not there.
    """
    values = stored_array(layer.weight)
    if layer.kind.startswith("conv_transpose"):
        values = np.moveaxis(values, 1, 0)
    if not values.size:
        raise NotApplicable("empty")
    return values.reshape(values.shape[0], -1)


def column_pieces(matrix: NDArray[Any], exponent: int) -> Pieces:
    """Return float64 pieces of a matrix over ``2**exponent``, laid on its side.

    Args:
        matrix: (m, n) of any floating dtype.
        exponent: Zero for the matrix as it is.
    """
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    step = max(1, _PIECE // wide.shape[0])

    def pieces() -> Iterator[NDArray[np.float64]]:
        for first in range(0, wide.shape[1], step):
            # Order "K" keeps the pieces of a tall matrix contiguous as they lie.
            piece = wide[:, first : first + step].astype(
                np.float64, order="K", copy=False
            )
            yield np.ldexp(piece, -exponent) if exponent else piece

    return pieces


def row_pieces(matrix: NDArray[Any], exponent: int) -> Rows:
    """Return some rows at a time of a matrix over ``2**exponent``.

    The array is reused, so copy to keep it.

    Args:
        matrix: (m, n) of any floating dtype.
        exponent: Zero for the matrix as it is.
    """

    def rows(dtype: type[np.floating[Any]]) -> Iterator[NDArray[Any]]:
        step = max(1, min(_MOST_ROWS, _CACHED[dtype] // matrix.shape[1]))
        as_it_is = matrix.dtype == dtype and not exponent
        room = np.empty((0 if as_it_is else step, matrix.shape[1]), dtype)
        for first in range(0, matrix.shape[0], step):
            piece = matrix[first : first + step]
            if as_it_is:
                yield piece
                continue
            own = room[: len(piece)]
            np.copyto(own, piece, casting="unsafe")
            yield np.ldexp(own, -exponent, out=own) if exponent else own

    return rows
