"""Data sets: what the user names -> samples in batches.

Adding a format is one file with ``recognizes`` and ``read``, and its line in `READERS`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from boundkit.data import idx, image_folder, npz, safetensors, stored
from boundkit.data.callables import produced
from boundkit.data.samples import Samples
from boundkit.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["READERS", "Samples", "open_data"]


class _Reader(Protocol):
    @property
    def recognizes(self) -> Callable[[Path], bool]: ...

    @property
    def read(self) -> Callable[[Path, str], Samples]: ...


#: Every format that is read from a path, in the order in which they are asked.
READERS: tuple[_Reader, ...] = (npz, safetensors, stored, idx, image_folder)


def open_data(spec: Any, part_hint: Literal["train", "test"] = "train") -> Samples:
    """Open a data set.

    Args:
        spec: A path (``.npz``, ``.safetensors``, ``.pt``, a folder of IDX files or of
            class folders of images, ``:train`` or ``:test`` picks the part of a
            folder), ``package.module:callable``, ``file.py:callable``, or a Dataset, a
            DataLoader, a pair of arrays.
        part_hint: The part of a folder that is taken where the path names none.

    Returns:
        The samples; nothing but headers and labels has been read.

    Raises:
        DataError: It is not there, not a data set, or its parts do not fit together.
    """
    if not isinstance(spec, str | Path):
        from boundkit.data.loaders import from_object

        return from_object(spec, f"<{type(spec).__name__}>")
    place, _, last = str(spec).rpartition(":")
    if last in {"train", "test"} and place and Path(place).is_dir():
        return _from_path(Path(place), last)
    if Path(spec).exists():
        return _from_path(Path(spec), part_hint)
    return _from_callable(str(spec))


def _from_path(path: Path, part: str) -> Samples:
    for reader in READERS:
        if reader.recognizes(path):
            return reader.read(path, part)
    raise DataError(
        f"{path}: not a data set that is known; give .npz, .safetensors or .pt with x"
        " and y, a folder of IDX files, a folder of class folders of images, or"
        " file.py:callable"
    )


def _from_callable(spec: str) -> Samples:
    place, colon, _ = spec.rpartition(":")
    if not colon:
        raise DataError(f"{spec}: no such file or folder; check the path")
    if Path(place).exists() and not place.endswith(".py"):
        raise DataError(
            f"{spec}: only a folder has parts and only a .py file has callables; give"
            f" {place}"
        )
    from boundkit.data.loaders import from_object

    found = produced(spec, lambda named: not callable(named), DataError)
    return from_object(found, spec)
