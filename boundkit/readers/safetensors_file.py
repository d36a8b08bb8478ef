"""safetensors: an eight-byte length, a JSON header, and the bytes of the tensors.

The header is checked against https://github.com/huggingface/safetensors#format: the
byte ranges must tile the rest of the file, with no hole, no overlap and no rest.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from boundkit.errors import Unreadable
from boundkit.readers.contents import Contents
from boundkit.readers.quoting import listed, shown
from boundkit.readers.storage import FileStorage, opened_file
from boundkit.readers.strict_json import parse
from boundkit.types import StoredTensor

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["NAME", "read", "recognizes", "tensors_of"]

NAME = "safetensors"

LONGEST_HEADER = 100_000_000
"""The format's own limit, in bytes."""

DTYPES = {
    "BOOL": ("bool", 8),
    "U8": ("uint8", 8),
    "I8": ("int8", 8),
    "F8_E4M3": ("float8_e4m3fn", 8),
    "F8_E5M2": ("float8_e5m2", 8),
    "F8_E8M0": ("float8_e8m0fnu", 8),
    "F8_E4M3FNUZ": ("float8_e4m3fnuz", 8),
    "F8_E5M2FNUZ": ("float8_e5m2fnuz", 8),
    "F6_E2M3": ("float6_e2m3fn", 6),
    "F6_E3M2": ("float6_e3m2fn", 6),
    "F4": ("float4_e2m1fn", 4),
    "U16": ("uint16", 16),
    "I16": ("int16", 16),
    "F16": ("float16", 16),
    "BF16": ("bfloat16", 16),
    "U32": ("uint32", 32),
    "I32": ("int32", 32),
    "F32": ("float32", 32),
    "U64": ("uint64", 64),
    "I64": ("int64", 64),
    "F64": ("float64", 64),
    "C64": ("complex64", 64),
}
"""The format's name -> torch's name and bits per element."""

_AGAIN = "download or save it again"


def recognizes(path: Path, head: bytes) -> bool:
    """Tell whether the file looks like safetensors, by its first bytes or its name."""
    declared = int.from_bytes(head[:8], "little")
    if len(head) > 8 and head[8:9] == b"{" and declared <= LONGEST_HEADER:
        return True
    return path.suffix == ".safetensors" and not _is_text_or_zip(head)


def read(path: Path) -> Contents:
    """Describe the tensors of a safetensors file; their bytes stay on disk.

    Args:
        path: The file.

    Returns:
        A flat tree, tensors in the header's order; ``__metadata__`` beside them.

    Raises:
        Unreadable: The header does not parse, or does not fit the bytes.
    """
    tree: dict[str, Any] = {}
    tensors, metadata = tensors_of(path)
    tree.update(tensors)
    if metadata:
        tree["__metadata__"] = metadata
    return Contents(format=NAME, tree=tree, files=(path,))


def tensors_of(path: Path) -> tuple[dict[str, StoredTensor], dict[str, str]]:
    """Return the tensors of a safetensors file by name, and its metadata.

    Args:
        path: The file.

    Returns:
        Tensors in the header's order, and the strings of ``__metadata__``.

    Raises:
        Unreadable: The header does not parse, or does not fit the bytes.
    """
    header, start, available = _header(path)
    metadata = _metadata(path, header.pop("__metadata__", {}))
    spans = {name: _span(path, name, entry) for name, entry in header.items()}
    _check_tiling(path, spans, available)
    tensors = {
        name: _tensor(path, header[name], start + begin, end - begin)
        for name, (begin, end) in spans.items()
    }
    return tensors, metadata


def _is_text_or_zip(head: bytes) -> bool:
    return head.startswith((b"PK\x03\x04", b"<", b'{"', b"version ", b"\x89HDF"))


def _header(path: Path) -> tuple[dict[str, Any], int, int]:
    file = opened_file(path)
    size = path.stat().st_size
    declared = _declared_length(path, file.pread(0, min(size, 8)), size)
    text = file.pread(8, declared)
    if not text.startswith(b"{"):
        raise Unreadable(path, "its header does not begin with {", _AGAIN)
    start = 8 + declared
    return parse(text, path, "its header", _AGAIN), start, size - start


def _declared_length(path: Path, field: bytes, size: int) -> int:
    declared = int.from_bytes(field, "little")
    if size < 8:
        cause = f"is {size} bytes long, too short for a safetensors header"
        raise Unreadable(path, cause, _AGAIN)
    if declared > size - 8:
        cause = (
            f"declares a header of {declared:,} bytes, but {size - 8:,} bytes follow"
        )
        raise Unreadable(path, cause, f"it is truncated or damaged: {_AGAIN}")
    if declared > LONGEST_HEADER:
        cause = (
            f"declares a header of {declared:,} bytes; the format allows 100,000,000"
        )
        raise Unreadable(path, cause, _AGAIN)
    return declared


def _metadata(path: Path, value: object) -> dict[str, str]:
    if isinstance(value, dict) and all(isinstance(v, str) for v in value.values()):
        return value
    raise Unreadable(path, "its __metadata__ is not a map of strings", _AGAIN)


def _span(path: Path, name: str, entry: object) -> tuple[int, int]:
    where = f"the header's entry for tensor {shown(name)}"
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        cause = f"{where} must hold dtype, shape and data_offsets, and nothing else"
        raise Unreadable(path, cause, _AGAIN)
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in DTYPES:
        cause = f"{where} has the unknown dtype {shown(dtype)}"
        raise Unreadable(path, cause, "save it again in a dtype that torch has")
    if not _are_sizes(shape) or len(shape) > 64:
        raise Unreadable(path, f"{where} has a shape that is not one", _AGAIN)
    if not _are_sizes(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:
        cause = f"{where} has data_offsets that are not [begin, end]"
        raise Unreadable(path, cause, _AGAIN)
    bits = prod(shape) * DTYPES[dtype][1]
    if bits != 8 * (offsets[1] - offsets[0]):
        needed = f"{(bits + 7) // 8:,} bytes" if bits < 2**80 else "far more bytes"
        cause = (
            f"tensor {shown(name)} needs {needed} for its shape and dtype, "
            f"but its data_offsets span {offsets[1] - offsets[0]:,}"
        )
        raise Unreadable(path, cause, _AGAIN)
    return offsets[0], offsets[1]


def _are_sizes(value: object) -> bool:
    return isinstance(value, list) and all(
        type(item) is int and 0 <= item < 2**63 for item in value
    )


def _check_tiling(
    path: Path, spans: dict[str, tuple[int, int]], available: int
) -> None:
    position, previous = 0, ""
    for begin, end, name in sorted((*span, name) for name, span in spans.items()):
        if begin < position:
            cause = f"tensors {listed([previous, name])} overlap"
            raise Unreadable(path, cause, f"its header is damaged or forged: {_AGAIN}")
        if begin > position:
            cause = (
                f"{begin - position:,} bytes before tensor {shown(name)} "
                "belong to no tensor"
            )
            raise Unreadable(path, cause, f"its header is damaged or forged: {_AGAIN}")
        position, previous = end, name
    if position > available:
        cause = (
            f"tensor {shown(previous)} ends at byte {position:,} of the data, "
            f"but there are {available:,}"
        )
        raise Unreadable(path, cause, f"it is truncated: {_AGAIN}")
    if position < available:
        cause = f"{available - position:,} bytes after the last tensor belong to none"
        raise Unreadable(path, cause, f"its header is damaged or forged: {_AGAIN}")


def _tensor(path: Path, entry: dict[str, Any], start: int, nbytes: int) -> StoredTensor:
    dtype, bits = DTYPES[entry["dtype"]]
    shape = tuple(entry["shape"])
    if bits < 8:
        unread = f"{dtype} packs several numbers in a byte"
        return StoredTensor(shape, dtype, None, unread=unread)
    return StoredTensor(shape, dtype, FileStorage(path, start, nbytes))
