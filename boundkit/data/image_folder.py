"""Samples in a folder of class folders of images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from boundkit.data.samples import Samples, from_rows
from boundkit.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["read", "recognizes"]

_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".webp", ".ppm", ".pgm"})
_PARTS = {"train": ("train", "training"), "test": ("test", "val", "valid")}


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in _SUFFIXES and not path.name.startswith(".")


def _class_folders(folder: Path) -> list[Path]:
    return sorted(
        entry
        for entry in folder.iterdir()
        if entry.is_dir() and any(map(_is_image, entry.iterdir()))
    )


def _part_of(folder: Path, part: str) -> Path:
    """Return the subfolder of ``part`` where there is one, else the folder."""
    for name in _PARTS[part]:
        if (folder / name).is_dir() and not any(
            map(_is_image, (folder / name).iterdir())
        ):
            return folder / name
    return folder


def recognizes(path: Path) -> bool:
    """Say whether ``path`` is a folder with class folders of images in it."""
    return path.is_dir() and any(
        _class_folders(_part_of(path, part)) for part in _PARTS
    )


def read(path: Path, part: str) -> Samples:
    """Open a folder of class folders of images; classes are numbered by sorted name.

    Args:
        path: The folder, or its parent with ``train`` and ``test`` subfolders.
        part: ``"train"`` or ``"test"``.

    Returns:
        Samples of shape (channels, rows, columns), pixels divided by 255, each image
        opened when its batch is asked for.

    Raises:
        DataError: Pillow is missing, there is one class only, or an image cannot be
            read or has another size.
    """
    folder = _part_of(path, part)
    classes = _class_folders(folder)
    if len(classes) < 2:
        raise DataError(
            f"{folder}: {len(classes)} class folder(s) with images in it; give one"
            " folder per class, at least two"
        )
    files = [
        (image, label)
        for label, folder_of_class in enumerate(classes)
        for image in sorted(filter(_is_image, folder_of_class.iterdir()))
    ]
    shape = _pixels(files[0][0]).shape

    def rows(batch_size: int) -> Iterator[NDArray[np.float32]]:
        for first in range(0, len(files), batch_size):
            block = files[first : first + batch_size]
            yield np.stack([_sized(image, shape) for image, _ in block])

    labels = np.array([label for _, label in files])
    whole = (len(files), *shape)
    return from_rows(f"{path}:{part}", whole, rows, labels, ("pixels divided by 255",))


def _sized(path: Path, shape: tuple[int, ...]) -> NDArray[np.float32]:
    pixels = _pixels(path)
    if pixels.shape != shape:
        raise DataError(
            f"{path}: has shape {pixels.shape} but the first image has {shape}; resize"
            " all images to one size and mode"
        )
    return pixels


def _pixels(path: Path) -> NDArray[np.float32]:
    # Gray stays gray, all else becomes RGB.
    try:
        from PIL import Image
    except ImportError as error:
        raise DataError(
            f"{path}: images need Pillow, which is not installed; pip install pillow"
        ) from error
    try:
        with Image.open(path) as image:
            if image.mode.startswith(("I", "F")):
                raise DataError(
                    f"{path}: has mode {image.mode}, more than 8 bits a channel; save"
                    " it as .npz"
                )
            gray = image.mode in {"1", "L", "LA"}
            found: NDArray[Any] = np.asarray(image.convert("L" if gray else "RGB"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(
            f"{path}: not a readable image ({error}); remove or repair it"
        ) from error
    pixels = found[None] if gray else found.transpose(2, 0, 1)
    scaled: NDArray[np.float32] = np.divide(pixels, 255, dtype=np.float32)
    return scaled
