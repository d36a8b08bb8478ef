"""Samples in a numpy archive: ``x``, ``y``, and fixed preprocessing if declared.

Members are decompressed a block at a time, so memory is that of one batch.
"""

from __future__ import annotations

import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING

from boundkit.data.checks import checked_inputs
from boundkit.data.npz_arrays import blocks, explained, header_of, whole
from boundkit.data.preprocessing import centered, checked_center, checked_norm, unit
from boundkit.data.samples import Samples, from_rows
from boundkit.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import torch

__all__ = ["read", "recognizes"]


def recognizes(path: Path) -> bool:
    """Say whether ``path`` is a numpy archive by its name."""
    return path.is_file() and path.suffix.lower() == ".npz"


def read(path: Path, part: str) -> Samples:
    """Open a numpy archive with arrays ``x`` and ``y``.

    An optional entry ``normalize`` equal to ``"unit"`` divides each sample by its
    Euclidean norm; an optional ``center`` of the shape of one sample is subtracted
    after that.

    Args:
        path: The archive.
        part: Ignored: an archive has no parts.

    Returns:
        Samples that are read from the file batch by batch.

    Raises:
        DataError: The archive is damaged, lacks an array, or the arrays do not fit.
    """
    del part
    name = str(path)
    with explained(name), zipfile.ZipFile(path) as archive:
        entries = {m.removesuffix(".npy") for m in archive.namelist()}
        missing = [entry for entry in ("x", "y") if entry not in entries]
        if missing:
            raise DataError(
                f"{name}: has no array {' and no array '.join(missing)} (it has"
                f" {sorted(entries)}); save with numpy.savez(path, x=..., y=...)"
            )
        header = header_of(archive, "x", name)
        labels = whole(archive, "y", name)
        norm = whole(archive, "normalize", name) if "normalize" in entries else None
        center = whole(archive, "center", name) if "center" in entries else None
    if norm is not None:
        checked_norm(norm, name)
    middle = None
    if center is not None:
        middle = checked_center(center, header.shape[1:], name)

    def rows(batch_size: int) -> Iterator[torch.Tensor]:
        done = 0
        for block in blocks(path, "x", batch_size):
            x = checked_inputs(block, header.shape[1:], name, done)
            x = x if norm is None else unit(x)
            yield x if middle is None else centered(x, middle)
            done += len(block)

    applied = (("unit norm",) if norm is not None else ()) + (
        ("center subtracted",) if center is not None else ()
    )
    found = from_rows(name, header.shape, rows, labels, applied)
    return replace(found, unit=norm is not None, center=middle)
