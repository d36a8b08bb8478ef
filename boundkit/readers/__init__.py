"""Opens checkpoints: any file or folder that holds trained tensors.

A reader is a module with ``NAME``, ``recognizes(path, head)`` and ``read(path)``; it
says what lies where and decides nothing. ``selection`` then picks the model.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boundkit.errors import CheckpointError, Refused
from boundkit.numerics.collector import without_collector
from boundkit.readers import distributed, huggingface, in_memory, pieces, trusted
from boundkit.readers.containers import FILES
from boundkit.readers.foreign import head_of, refuse
from boundkit.readers.selection import select
from boundkit.readers.sharded import part_of
from boundkit.types import Checkpoint

if TYPE_CHECKING:
    from boundkit.readers.containers import Reader
    from boundkit.readers.contents import Contents

__all__ = ["READERS", "read"]

READERS: tuple[Reader, ...] = (distributed, pieces, huggingface, *FILES)
"""In the order in which they are asked."""


@without_collector()
def read(source: Any, key: str | None = None, trust: bool = False) -> Checkpoint:
    """Return the model in a file, a folder or in memory, its numbers left where they are.

    Args:
        source: A path; or an ``nn.Module``, or a mapping of tensors or numpy arrays;
            or a checkpoint that has been read, which is returned as it is.
        key: Dotted path of one model, where there are several.
        trust: Whether code in a torch file may run, if the file needs that to open.

    Returns:
        The model's tensors by name, everything else beside, and what was odd.

    Raises:
        Unreadable: It is not there or damaged.
        Refused: It is another framework's, needs code, or holds several models.
        Empty: It holds no weights.
        UsageError: ``key`` names nothing, or ``source`` is no checkpoint at all.
    """
    if isinstance(source, Checkpoint):
        return source
    if not isinstance(source, str | os.PathLike):
        name = f"{type(source).__name__} in memory"
        return select(in_memory.read(source), name, key)
    path = Path(source)
    if "://" in str(source) and not path.exists():
        raise Refused(
            str(source),
            "an address, not a path",
            "download it first; boundkit sweep reads addresses as they are",
        )
    if not trust:
        return select(_open(path), str(source), key)
    return _read_trusted(path, str(source), key)


def _read_trusted(path: Path, source: str, key: str | None) -> Checkpoint:
    try:
        return select(_open(path), source, key)
    except CheckpointError as error:
        if not (path.is_file() and "--trust" in error.remedy):
            raise
    return select(trusted.read(path), source, key)


def _open(path: Path) -> Contents:
    head = b"" if path.is_dir() else head_of(path)
    for reader in READERS:
        if reader.recognizes(path, head):
            contents = reader.read(path)
            part = part_of(path)
            return replace(
                contents, notices=(*contents.notices, *([part] if part else []))
            )
    return refuse(path, head)
