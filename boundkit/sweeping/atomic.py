"""Files that are there in full or not at all, whenever the process is killed."""

from __future__ import annotations

import os
from contextlib import suppress
from tempfile import mkstemp
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["TEMPORARY", "write_whole"]

TEMPORARY = ".unfinished-"
"""What the names of files begin with until they are whole."""


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that its name never leads to half of it.

    The bytes are on the disk before the name is: a loss of power loses the file or
    nothing.

    Args:
        path: What it is called in the end.
        data: All of it.

    Raises:
        OSError: The disk is full, or the folder may not be written.
    """
    descriptor, temporary = mkstemp(prefix=TEMPORARY, dir=path.parent)
    try:
        _fill(descriptor, data)
        os.replace(temporary, path)  # noqa: PTH105 - the name of mkstemp is a string
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)  # noqa: PTH108 - as above
        raise


def _fill(descriptor: int, data: bytes) -> None:
    try:
        os.fchmod(descriptor, 0o644)
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
