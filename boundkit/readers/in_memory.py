"""Models and tensors that are already in memory, described like those of a file.

Nothing here imports torch: an object of torch's is handled through its own methods.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np

from boundkit.errors import UsageError
from boundkit.readers.contents import Contents
from boundkit.readers.dtypes import ITEMSIZE
from boundkit.readers.outline import DEEPEST
from boundkit.readers.storage import ArrayStorage
from boundkit.types import Storage, StoredTensor

__all__ = ["NAME", "read"]

NAME = "memory"

_PLAIN = (bool, int, float, str, type(None))


class _Memory:
    """The bytes of a torch storage; fetched from its device when first read."""

    __slots__ = ("_bytes", "_tensor", "key", "nbytes")

    def __init__(self, tensor: Any) -> None:
        storage = tensor.untyped_storage()
        self._tensor = tensor
        self._bytes: memoryview | None = None
        self.key = f"memory@{tensor.device}:{storage.data_ptr()}"
        self.nbytes = int(storage.nbytes())

    def read(self, start: int, stop: int) -> memoryview:
        """Return bytes ``start:stop``."""
        if self._bytes is None:
            torch = sys.modules["torch"]
            storage = self._tensor.untyped_storage()
            octets = torch.empty(0, dtype=torch.uint8, device=self._tensor.device)
            self._bytes = memoryview(octets.set_(storage).cpu().numpy())
        return self._bytes[start:stop]


def read(value: Any) -> Contents:
    """Describe a module's state_dict, or nested mappings of tensors and arrays.

    Args:
        value: An ``nn.Module``, a tensor, or mappings, lists and tuples of tensors and
            numpy arrays. Tensors may lie on any device and are not copied.

    Returns:
        The tree, and the attributes of each module if ``value`` is one.

    Raises:
        UsageError: ``value`` is none of these.
    """
    storages: dict[str, Storage] = {}
    if callable(getattr(value, "state_dict", None)):
        state = value.state_dict(keep_vars=True)
        modules = _modules(value) if hasattr(value, "named_modules") else {}
        return Contents(NAME, _describe(state, storages, 0), (), modules)
    tree = _describe(value, storages, 0)
    if not isinstance(tree, dict | list | tuple | StoredTensor):
        raise UsageError(
            "a checkpoint must be a path, a module or a mapping of tensors, "
            f"but got {type(value).__name__}"
        )
    return Contents(NAME, tree, ())


def _describe(value: Any, storages: dict[str, Storage], depth: int) -> Any:
    if depth > DEEPEST:
        raise UsageError(f"containers are nested deeper than {DEEPEST} levels")
    if isinstance(value, (*_PLAIN, StoredTensor)):
        return value
    if isinstance(value, np.ndarray):
        return _array(value, storages)
    if isinstance(value, np.generic):
        return value.item()
    if _is_torch_tensor(value):
        return _tensor(value, storages)
    if isinstance(value, Mapping):
        return {k: _describe(v, storages, depth + 1) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_describe(v, storages, depth + 1) for v in value]
    return object()


def _is_torch_tensor(value: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def _array(array: np.ndarray[Any, Any], storages: dict[str, Storage]) -> StoredTensor:
    dtype = array.dtype
    if dtype.name not in ITEMSIZE:
        unread = "not an array of numbers that torch has"
        return StoredTensor(array.shape, dtype.name, None, unread=unread)
    plain = np.ascontiguousarray(array)
    # Two names for one array are aliases, as two names for one tensor are.
    key = f"{plain.ctypes.data}:{plain.nbytes}"
    storage = storages.setdefault(key, ArrayStorage(plain))
    big_endian = dtype.str.startswith(">")
    return StoredTensor(array.shape, dtype.name, storage, big_endian=big_endian)


def _tensor(tensor: Any, storages: dict[str, Storage]) -> StoredTensor:
    shape = tuple(int(size) for size in tensor.shape)
    dtype = str(tensor.dtype).removeprefix("torch.")
    unread = _unread(tensor)
    if unread:
        return StoredTensor(shape, dtype, None, unread=unread)
    plain = tensor.detach()
    memory = _Memory(plain)
    storage = storages.setdefault(memory.key, memory) if prod(shape) else memory
    stride = None if plain.is_contiguous() else tuple(plain.stride())
    return StoredTensor(shape, dtype, storage, int(plain.storage_offset()), stride)


def _unread(tensor: Any) -> str | None:
    if tensor.is_meta:
        return "meta tensor without numbers"
    if str(tensor.layout) != "torch.strided":
        return f"{str(tensor.layout).removeprefix('torch.')} layout"
    if tensor.is_quantized:
        return "quantized"
    torch = sys.modules["torch"]
    if type(tensor) not in {torch.Tensor, torch.nn.Parameter, torch.nn.Buffer}:
        # A subclass may keep its numbers elsewhere, or have none of its own.
        try:
            tensor.untyped_storage().data_ptr()
        except (RuntimeError, NotImplementedError, AttributeError):
            return f"{type(tensor).__name__} without a storage"
    return None


def _modules(module: Any) -> dict[str, dict[str, Any]]:
    """Return the plain attributes of each submodule, as the pickle readers do."""
    return {
        path: {
            "class": f"{type(inner).__module__}.{type(inner).__qualname__}",
            **{
                name: value
                for name, value in vars(inner).items()
                if not name.startswith("_") and _is_small(value)
            },
        }
        for path, inner in module.named_modules()
    }


def _is_small(value: object) -> bool:
    if isinstance(value, tuple):
        return len(value) <= 16 and all(isinstance(item, _PLAIN) for item in value)
    return isinstance(value, _PLAIN)
