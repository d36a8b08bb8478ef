"""What tells contents and options apart: cheap signatures, and digests that decide."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["key_of", "made_absolute", "options_digest", "signature", "spec_digest"]

#: Options that say where and how fast, not what.
_HOW = frozenset({"device", "batch_size", "trust"})
_SPECS = ("model", "data", "test_data", "init")


def signature(path: Path) -> str | None:
    """Return size, time of change and inode of a file, or of all files of a folder.

    Args:
        path: Of a checkpoint.

    Returns:
        Equal strings where nothing has changed; None where nothing can be told.
    """
    try:
        if not path.is_dir():
            return _stamp(path)
        lines = sorted(
            f"{Path(place, name).relative_to(path)}\0{_stamp(Path(place, name))}"
            for place, _, names in os.walk(path)
            for name in names
        )
    except OSError:
        return None
    return hashlib.sha256("\n".join(lines).encode("utf-8", "replace")).hexdigest()


def _stamp(path: Path) -> str:
    stat = path.stat()
    return f"{stat.st_size}:{stat.st_mtime_ns}:{stat.st_ino}"


def key_of(content: str, options: str) -> str:
    """Return what the result of these bytes under these options is called.

    Args:
        content: Digest of the checkpoint.
        options: Digest of the options.
    """
    return hashlib.sha256(f"{content}\0{options}".encode()).hexdigest()[:32]


def options_digest(options: Mapping[str, Any]) -> str:
    """Return the digest of the options that results depend on.

    Args:
        options: Of ``boundkit.analyze``, plain values; with a digest of the files that
            they name under ``"files"``.
    """
    what = {name: value for name, value in options.items() if name not in _HOW}
    text = json.dumps(what, sort_keys=True, default=list)
    return hashlib.sha256(text.encode()).hexdigest()


def _place(spec: str) -> tuple[Path, str]:
    """Return the file or folder that a SPEC names, and what follows it."""
    if not Path(spec).exists():
        place, colon, rest = spec.rpartition(":")
        if colon:
            return Path(place), f":{rest}"
    return Path(spec), ""


def spec_digest(spec: str) -> str | None:
    """Return a digest of the file that a model or data SPEC names.

    Args:
        spec: Such as ``net.py:make`` or ``train.npz``.

    Returns:
        Of its bytes, or of names and sizes in a folder; None where it is no file.
    """
    path, _ = _place(spec)
    try:
        if path.is_file():
            with path.open("rb") as stream:
                return hashlib.file_digest(stream, "sha256").hexdigest()
        if not path.is_dir():
            return None
        lines = sorted(
            f"{file.relative_to(path)}\0{file.stat().st_size}"
            for file in path.rglob("*")
            if file.is_file()
        )
    except OSError:
        return None
    return hashlib.sha256("\n".join(lines).encode("utf-8", "replace")).hexdigest()


def made_absolute(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options whose files are found from any working directory.

    Args:
        options: Of ``boundkit.analyze``, plain values.
    """
    named = dict(options)
    for label in _SPECS:
        spec = named.get(label)
        if spec is not None:
            path, rest = _place(spec)
            named[label] = f"{path.absolute()}{rest}" if path.exists() else spec
    return named
