"""What a file holds: tensors that are described, not read."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = [
    "Checkpoint",
    "LedgerRow",
    "Notice",
    "Storage",
    "StoredTensor",
    "TensorStatus",
]

TensorStatus = Literal["counted", "folded", "skipped"]


class Storage(Protocol):
    """Bytes that are read in blocks when asked, never all at once."""

    @property
    def key(self) -> str:
        """An identity: equal for two tensors exactly when they share these bytes."""
        ...

    @property
    def nbytes(self) -> int:
        """The number of bytes that are really there."""
        ...

    def read(self, start: int, stop: int) -> memoryview:
        """Return bytes ``start:stop``; raise ``Unreadable`` if they are not there."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class StoredTensor:
    """A tensor as a file describes it; its numbers stay where they are.

    Attributes:
        shape: The sizes.
        dtype: torch's name without ``torch.``, such as ``"bfloat16"``.
        storage: The bytes, or None where ``unread`` says why there are none.
        offset: Of the first element in the storage, in elements.
        stride: In elements; None means C-contiguous.
        big_endian: Whether the bytes are most significant first.
        unread: Why the numbers cannot be read (meta, sparse, quantized), or None.
    """

    shape: tuple[int, ...]
    dtype: str
    storage: Storage | None
    offset: int = 0
    stride: tuple[int, ...] | None = None
    big_endian: bool = False
    unread: str | None = None

    @property
    def numel(self) -> int:
        """The number of elements."""
        return prod(self.shape)

    @property
    def identity(self) -> tuple[object, ...] | None:
        """Equal for two tensors exactly when they are the same view of the same bytes."""
        if self.storage is None:
            return None
        return (self.storage.key, self.offset, self.shape, self.stride, self.dtype)


@dataclass(frozen=True, slots=True)
class Notice:
    """Something odd that the user should know; ``code`` is stable, for scripts."""

    code: str
    message: str
    tensor: str | None = None


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """What became of one tensor."""

    tensor: str
    shape: tuple[int, ...]
    dtype: str
    status: TensorStatus
    layer: str | None
    reason: str
    parameter: bool
    """Whether its elements count in the denominator of the coverage."""


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """The tensors of one model in one file or folder, as stored, uninterpreted.

    Attributes:
        source: The path as the user gave it.
        format: Such as ``"torch zip"`` or ``"safetensors, 3 shards"``.
        wrapping: What was unwrapped to reach the weights, outermost first.
        files: Every file that holds part of it.
        nbytes: Bytes of those files together.
        tensors: The model's tensors in stored order, wrapper prefixes stripped.
        aliases: Name of a tensor -> name of the earlier tensor it is a view of.
        beside: Tensors that are not the model's -> why (optimizer state, say).
        modules: Module path -> attributes, where the file holds whole modules.
        metadata: Scalars and strings that lay beside the weights (epoch, loss).
        notices: What was odd but safe.
        ledger: One row per tensor, once the layers are known.
        sha256: Of the files, where it has been computed already.
    """

    source: str
    format: str
    wrapping: tuple[str, ...]
    files: tuple[Path, ...]
    nbytes: int
    tensors: Mapping[str, StoredTensor]
    aliases: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    beside: Mapping[str, tuple[StoredTensor, str]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    modules: Mapping[str, Mapping[str, Any]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    metadata: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    notices: tuple[Notice, ...] = ()
    ledger: tuple[LedgerRow, ...] = ()
    sha256: str | None = None
