"""Output files that are there in full or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import NamedTemporaryFile

import typer

__all__ = ["check_writable", "write_file"]


def check_writable(path: Path, source: str) -> None:
    """Refuse an output path before the work is done rather than after.

    Raises:
        typer.BadParameter: If ``path`` is a folder, lies in none, may not be written,
            or is the checkpoint itself.
    """
    folder = path.parent
    problem = None
    if path.is_dir():
        problem = "it is a folder; name a file"
    elif not folder.is_dir():
        problem = "its folder does not exist; make it first"
    elif not os.access(path if path.exists() else folder, os.W_OK):
        problem = "it may not be written; choose another place"
    elif path.exists() and Path(source).exists() and path.samefile(source):
        problem = "it is the checkpoint; choose another name"
    if problem:
        raise typer.BadParameter(f"cannot write '{path}': {problem}")


def write_file(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` as UTF-8; an interruption leaves the old file.

    Raises:
        typer.BadParameter: If the operating system refuses.
    """
    try:
        if path.exists() and not path.is_file():
            path.write_text(text, encoding="utf-8")  # a device or a pipe: no renaming
        else:
            _replace(Path(os.path.realpath(path)), text)
    except OSError as error:
        cause = error.strerror or str(error)
        raise typer.BadParameter(
            f"cannot write '{path}': {cause}; choose another place"
        ) from error


def _replace(path: Path, text: str) -> None:
    with NamedTemporaryFile(
        "w",
        encoding="utf-8",
        dir=path.parent,
        prefix=f".{path.name[:80]}.",
        delete=False,
    ) as file:
        temporary = Path(file.name)
        try:
            file.write(text)
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
