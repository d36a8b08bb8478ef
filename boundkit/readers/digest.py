"""A fingerprint of the files of a checkpoint."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from boundkit.errors import Unreadable
from boundkit.readers.ranged import is_ranged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from boundkit.types import Checkpoint

__all__ = ["fingerprint", "sha256"]


def fingerprint(checkpoint: Checkpoint) -> str | None:
    """Return the SHA-256 of a checkpoint's files.

    Args:
        checkpoint: Whose digest may be known already.

    Returns:
        64 hexadecimal digits; None for one in memory, and for one that is read by ranges
        and so never seen whole.

    Raises:
        Unreadable: A file cannot be read.
    """
    if checkpoint.sha256 is not None:
        return checkpoint.sha256
    if not checkpoint.files or any(map(is_ranged, checkpoint.files)):
        return None
    return sha256(checkpoint.files)


def sha256(files: Sequence[Path]) -> str:
    r"""Return the SHA-256 of one file, or of the list of names and digests of several.

    Args:
        files: At least one path; several are named relative to their common folder,
            so that the digest does not depend on where that folder lies.

    Returns:
        64 hexadecimal digits: of the bytes of a single file, else of the sorted lines
        ``relative name\0digest\n``.

    Raises:
        Unreadable: A file cannot be read.
        ValueError: ``files`` is empty.
    """
    if not files:
        raise ValueError("files must hold at least one path, but is empty")
    if len(files) == 1:
        return _digest(files[0])
    folder = Path(os.path.commonpath([path.absolute().parent for path in files]))
    lines = sorted(
        f"{path.absolute().relative_to(folder).as_posix()}\0{_digest(path)}\n"
        for path in files
    )
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise Unreadable(
            path, f"cannot be read ({error.strerror})", "check that it is still there"
        ) from None
