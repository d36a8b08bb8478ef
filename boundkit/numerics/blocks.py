"""Numbers of a stored tensor, a block at a time.

A block is small enough to stay in the second-level cache, so that converting it to
float64 and squaring it costs little beside reading it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from boundkit.errors import NotApplicable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from boundkit.types import StoredTensor

__all__ = ["FLOATING", "array", "blocks", "floats", "is_floating", "numpy_dtype"]

#: Elements per block: 256 KiB of float32 in, 512 KiB of float64 beside it.
_BLOCK = 64 * 1024
#: Bytes asked of a storage at a time; large enough to hide the cost of a mapping.
_WINDOW = 16 * 1024 * 1024

_NUMPY = {
    "float64": "f8",
    "float32": "f4",
    "float16": "f2",
    "int64": "i8",
    "int32": "i4",
    "int16": "i2",
    "int8": "i1",
    "uint64": "u8",
    "uint32": "u4",
    "uint16": "u2",
    "uint8": "u1",
    "bool": "?",
    "complex128": "c16",
    "complex64": "c8",
}
_ML_DTYPES = frozenset({
    "bfloat16",
    "float8_e4m3fn",
    "float8_e4m3fnuz",
    "float8_e5m2",
    "float8_e5m2fnuz",
    "float8_e8m0fnu",
})

#: torch's names of the dtypes that weights come in.
FLOATING = frozenset({"float64", "float32", "float16"}) | _ML_DTYPES


def is_floating(dtype: str) -> bool:
    """Say whether ``dtype`` is a real floating type whose numbers can be read."""
    return dtype in FLOATING


def numpy_dtype(dtype: str, *, big_endian: bool = False) -> np.dtype[Any]:
    """Return the numpy dtype of torch's ``dtype``, in the byte order of the file.

    Raises:
        NotApplicable: numpy has no such type (quantized and packed types).
    """
    if dtype in _NUMPY:
        return np.dtype((">" if big_endian else "<") + _NUMPY[dtype])
    if dtype in _ML_DTYPES:
        import ml_dtypes

        # ml_dtypes has native byte order only; `_view` swaps two-byte types.
        native: np.dtype[Any] = np.dtype(getattr(ml_dtypes, dtype))
        return native
    raise NotApplicable(f"numbers of dtype {dtype} cannot be read")


def _require_numbers(tensor: StoredTensor) -> None:
    if tensor.storage is None:
        raise NotApplicable(tensor.unread or "the file holds no numbers for it")


def _view(tensor: StoredTensor, buffer: memoryview) -> NDArray[Any]:
    dtype = numpy_dtype(tensor.dtype, big_endian=tensor.big_endian)
    if tensor.big_endian and tensor.dtype in _ML_DTYPES and dtype.itemsize == 2:
        swapped: NDArray[Any] = np.frombuffer(buffer, ">u2").astype("<u2")
        return swapped.view(dtype)
    return np.frombuffer(buffer, dtype)


def _span(tensor: StoredTensor) -> tuple[int, int, bool]:
    """Return first and last-plus-one element, and whether each is used once."""
    if tensor.stride is None:
        return tensor.offset, tensor.offset + tensor.numel, True
    reach = sum(
        (n - 1) * s for n, s in zip(tensor.shape, tensor.stride, strict=True) if n > 0
    )
    steps = sorted(
        (s, n) for n, s in zip(tensor.shape, tensor.stride, strict=True) if n > 1
    )
    expected, once = 1, True
    for step, size in steps:
        once = once and step == expected
        expected *= size
    return tensor.offset, tensor.offset + reach + 1, once


def _windows(tensor: StoredTensor, start: int, stop: int) -> Iterator[NDArray[Any]]:
    assert tensor.storage is not None  # noqa: S101 - narrowed by _require_numbers
    size = numpy_dtype(tensor.dtype).itemsize
    step = _WINDOW // size
    for first in range(start, stop, step):
        last = min(first + step, stop)
        yield _view(tensor, tensor.storage.read(first * size, last * size))


def blocks(tensor: StoredTensor) -> Iterator[NDArray[Any]]:
    """Yield every element once, as 1-d arrays of the stored dtype, in memory order.

    Raises:
        NotApplicable: The numbers cannot be read; the message says why.
        Unreadable: The bytes are not there.
    """
    _require_numbers(tensor)
    if tensor.numel == 0:
        return
    start, stop, once = _span(tensor)
    windows = _windows(tensor, start, stop) if once else iter([array(tensor).ravel()])
    for window in windows:
        for first in range(0, window.size, _BLOCK):
            yield window[first : first + _BLOCK]


def floats(tensor: StoredTensor) -> Iterator[NDArray[np.float64]]:
    """Yield every element once as float64; the array is reused, so copy to keep it.

    Complex numbers count as two reals. numpy warns of signaling NaNs unless the caller
    says ``errstate(invalid="ignore")``; once per block that would cost a tenth.

    Raises:
        NotApplicable: The numbers cannot be read; the message says why.
        Unreadable: The bytes are not there.
    """
    room = np.empty(2 * min(_BLOCK, max(tensor.numel, 1)), np.float64)
    for block in blocks(tensor):
        real = block.view(block.real.dtype) if block.dtype.kind == "c" else block
        out = room[: real.size]
        np.copyto(out, real, casting="unsafe")
        yield out


def array(tensor: StoredTensor) -> NDArray[Any]:
    """Return the whole tensor as an array of its shape and stored dtype.

    Raises:
        NotApplicable: The numbers cannot be read; the message says why.
        Unreadable: The bytes are not there.
    """
    _require_numbers(tensor)
    dtype = numpy_dtype(tensor.dtype, big_endian=tensor.big_endian)
    if tensor.numel == 0:
        return np.empty(tensor.shape, dtype)
    start, stop, _ = _span(tensor)
    parts = list(_windows(tensor, start, stop))
    flat = parts[0] if len(parts) == 1 else np.concatenate(parts)
    if tensor.stride is None:
        return flat.reshape(tensor.shape)
    steps = tuple(s * flat.itemsize for s in tensor.stride)
    return np.lib.stride_tricks.as_strided(flat, tensor.shape, steps, writeable=False)
