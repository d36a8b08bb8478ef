"""The readers of single files, and the choice of one by the first bytes of a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from boundkit.readers import (
    exported,
    foreign,
    plain_pickle,
    safetensors_file,
    sharded,
    torch_legacy,
    torch_zip,
    torchscript,
)

if TYPE_CHECKING:
    from pathlib import Path

    from boundkit.readers.contents import Contents

__all__ = ["FILES", "Reader", "open_file"]


class Reader(Protocol):
    """A module that opens one kind of file or folder."""

    NAME: str

    def recognizes(self, path: Path, head: bytes) -> bool:
        """Tell whether this reader opens ``path``, whose first bytes are ``head``."""
        ...

    def read(self, path: Path) -> Contents:
        """Describe the tensors in ``path``."""
        ...


FILES: tuple[Reader, ...] = (
    sharded,
    safetensors_file,
    exported,
    torchscript,
    torch_zip,
    torch_legacy,
    plain_pickle,
)
"""In the order in which they are asked: archives of special kinds before general ones."""


def open_file(path: Path) -> Contents:
    """Describe the tensors in a file, whatever its container.

    Args:
        path: The file; its name matters only where the first bytes say nothing.

    Returns:
        What the reader of its container found.

    Raises:
        Unreadable: It is not there, or damaged.
        Empty: It has no bytes.
        Refused: It is of another framework, or needs its own code to open.
    """
    head = foreign.head_of(path)
    for reader in FILES:
        if reader.recognizes(path, head):
            return reader.read(path)
    return foreign.refuse(path, head)
