"""Tensors that lie in chunks: bytes of the whole, gathered when asked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from boundkit.errors import NotApplicable, Unreadable
from boundkit.numerics.blocks import array, numpy_dtype

if TYPE_CHECKING:
    from collections.abc import Sequence

    from boundkit.types import StoredTensor

__all__ = ["Chunk", "ChunkedStorage", "gap"]


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """A box of a tensor: where it begins in the whole, and its numbers."""

    offsets: tuple[int, ...]
    tensor: StoredTensor


class ChunkedStorage:
    """The bytes of a tensor in C order, put together from the boxes that tile it.

    Only the rows that a block touches are read, so memory stays bounded by a block.

    Args:
        key: An identity.
        shape: Of the whole.
        chunks: Boxes without gap or overlap, all of the same dtype.
    """

    __slots__ = ("_chunks", "_item", "_shape", "key", "nbytes")

    def __init__(
        self, key: str, shape: tuple[int, ...], chunks: Sequence[Chunk]
    ) -> None:
        # Leading dimensions of size 1 would make the only row the whole tensor.
        lead = 0
        while lead < len(shape) - 1 and shape[lead] == 1:
            lead += 1
        self.key = key
        self._shape = shape[lead:] or (1,)
        self._chunks = tuple(_without_leading(chunk, lead) for chunk in chunks)
        first = self._chunks[0].tensor
        dtype = numpy_dtype(first.dtype, big_endian=first.big_endian)
        self._item = dtype.itemsize
        self.nbytes = prod(shape) * self._item

    def read(self, start: int, stop: int) -> memoryview:
        """Return bytes ``start:stop``.

        Raises:
            Unreadable: They are not there, or a chunk's bytes are not.
        """
        if not 0 <= start <= stop <= self.nbytes:
            cause = f"bytes {start} to {stop} of {self.nbytes} were asked for"
            raise Unreadable(self.key, cause, "save the checkpoint again")
        row = prod(self._shape[1:]) * self._item
        if start == stop:
            return memoryview(b"")
        first, last = start // row, -(-stop // row)
        rows = np.empty((last - first, *self._shape[1:], self._item), np.uint8)
        for chunk in self._chunks:
            self._copy(chunk, rows, first, last)
        return memoryview(rows.reshape(-1).data)[
            start - first * row : stop - first * row
        ]

    def _copy(
        self,
        chunk: Chunk,
        rows: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
        first: int,
        last: int,
    ) -> None:
        begin = max(first, chunk.offsets[0])
        end = min(last, chunk.offsets[0] + chunk.tensor.shape[0])
        if begin >= end:
            return
        part = _rows(chunk.tensor, begin - chunk.offsets[0], end - chunk.offsets[0])
        try:
            numbers = np.ascontiguousarray(array(part))
        except NotApplicable as error:
            raise Unreadable(self.key, str(error), "save it again") from None
        box = tuple(
            slice(o, o + n)
            for o, n in zip(chunk.offsets[1:], part.shape[1:], strict=True)
        )
        octets = numbers.view(np.uint8).reshape(*part.shape, self._item)
        rows[slice(begin - first, end - first), *box] = octets


def gap(shape: tuple[int, ...], boxes: Sequence[tuple[tuple[int, ...], ...]]) -> str:
    """Return what is wrong with a tiling, or "" if the boxes tile the shape.

    Args:
        shape: Of the whole.
        boxes: Pairs of offsets and sizes, each as long as ``shape``.

    Returns:
        A few words, such as ``"chunks overlap"``.
    """
    for offsets, sizes in boxes:
        if len(offsets) != len(shape) or len(sizes) != len(shape):
            return "a chunk has another number of dimensions"
        if any(o + n > s for o, n, s in zip(offsets, sizes, shape, strict=True)):
            return "a chunk reaches outside of the tensor"
    if sum(prod(sizes) for _, sizes in boxes) != prod(shape):
        return "the chunks do not add up to the tensor"
    if len(boxes) > 1 and shape and _overlap(boxes):
        return "chunks overlap"
    return ""


def _overlap(boxes: Sequence[tuple[tuple[int, ...], ...]]) -> bool:
    full = [(o, n) for o, n in boxes if prod(n)]
    if len(full) < 2:
        return False
    low = np.array([o for o, _ in full], np.int64)
    high = low + np.array([n for _, n in full], np.int64)
    moving = [
        d for d in range(low.shape[1]) if len({(o[d], n[d]) for o, n in full}) > 1
    ]
    if len(moving) == 1:
        order = np.argsort(low[:, moving[0]])
        ends, starts = high[order, moving[0]][:-1], low[order, moving[0]][1:]
        return bool(np.any(ends > starts))
    return any(
        bool(np.any(np.all((low[i + 1 :] < high[i]) & (high[i + 1 :] > low[i]), 1)))
        for i in range(len(full) - 1)
    )


def _without_leading(chunk: Chunk, lead: int) -> Chunk:
    tensor = chunk.tensor
    if not tensor.shape:
        return Chunk((0,), replace(tensor, shape=(1,), stride=None))
    stride = None if tensor.stride is None else tensor.stride[lead:]
    trimmed = replace(tensor, shape=tensor.shape[lead:], stride=stride)
    return Chunk(chunk.offsets[lead:], trimmed)


def _rows(tensor: StoredTensor, begin: int, end: int) -> StoredTensor:
    step = prod(tensor.shape[1:]) if tensor.stride is None else tensor.stride[0]
    shape = (end - begin, *tensor.shape[1:])
    return replace(tensor, shape=shape, offset=tensor.offset + begin * step)
