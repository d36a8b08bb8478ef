"""Figures as files that are there in full or not at all."""

from __future__ import annotations

import io
import os
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Literal

from boundkit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure

__all__ = ["FORMATS", "save"]

#: Format -> what such a file holds near its start.
FORMATS = {"png": b"\x89PNG\r\n\x1a\n", "svg": b"<svg"}


def save(
    figures: Mapping[str, Figure],
    directory: str | os.PathLike[str],
    format: Literal["png", "svg"] = "png",  # noqa: A002 - as matplotlib calls it
) -> tuple[Path, ...]:
    """Write each figure to ``directory/name.format``, replacing only older figures.

    Args:
        figures: By the stem of their file.
        directory: Made where it does not exist.
        format: Of the files; the same figures give the same bytes.

    Returns:
        The files, in the order of the figures.

    Raises:
        UsageError: The format is not known, something else is in a file's place, or
            the operating system refuses.
    """
    if format not in FORMATS:
        known = " or ".join(FORMATS)
        raise UsageError(f"figures are written as {known}, not as {format!r}")
    folder = Path(directory)
    paths = [folder / f"{name}.{format}" for name in figures]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path in paths:
            _require_figure(path, FORMATS[format])
        for path, figure in zip(paths, figures.values(), strict=True):
            _replace(path, _rendered(figure, format))
    except OSError as error:
        place = error.filename or folder
        cause = error.strerror or str(error)
        raise UsageError(
            f"cannot write figures to '{place}': {cause}; choose another folder"
        ) from error
    return tuple(paths)


def _require_figure(path: Path, mark: bytes) -> None:
    """Refuse to replace what is no figure.

    Raises:
        UsageError: It is something else.
    """
    if not path.exists():
        return
    head = b""
    if path.is_file():
        with path.open("rb") as file:
            head = file.read(1024)
    if mark not in head:
        raise UsageError(
            f"cannot write '{path}': what is there is no figure;"
            " move it away or choose another folder"
        )


def _rendered(figure: Figure, format: str) -> bytes:  # noqa: A002 - as above
    from matplotlib import rc_context

    stream = io.BytesIO()
    # Neither a date nor random ids, so that equal figures are equal files.
    metadata = {"Date": None} if format == "svg" else {"Software": None}
    with rc_context({"svg.hashsalt": "boundkit"}):
        figure.savefig(stream, format=format, metadata=metadata)
    return stream.getvalue()


def _replace(path: Path, content: bytes) -> None:
    with NamedTemporaryFile(
        dir=path.parent, prefix=f".{path.name}.", delete=False
    ) as file:
        temporary = Path(file.name)
        try:
            file.write(content)
            file.close()
            temporary.chmod(_mode(path))
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def _mode(path: Path) -> int:
    """Return the mode that opening the file for writing would have left."""
    if path.exists():
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
