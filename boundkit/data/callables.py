"""Objects named as ``package.module:name`` or ``file.py:name``."""

from __future__ import annotations

import importlib
import sys
from contextlib import contextmanager
from functools import reduce
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from boundkit.errors import BoundkitError

__all__ = ["produced"]

_RUNNING = "mend the file; python {} shows where"
_IMPORTING = (
    "run boundkit where it can be imported (this folder is searched first, then the "
    "Python that boundkit is installed in), or name the file: path/to/file.py:callable"
)
_CALLING = "it is called without arguments, in this folder: make that work"


def produced(
    spec: str, finished: Callable[[Any], bool], error: type[BoundkitError]
) -> Any:
    """Return the object that ``spec`` names, or what it returns without arguments.

    The working directory, and the folder of a file, are importable meanwhile.

    Args:
        spec: ``package.module:name`` or ``file.py:name``; the name may have dots.
        finished: Whether the named object is wanted as it is, not called.
        error: What to raise.

    Returns:
        The object.

    Raises:
        BoundkitError: No such file, module or name, or foreign code raised; of the
            type ``error``.
    """
    place, _, name = spec.rpartition(":")
    if not place or not name:
        raise error(
            f"{spec!r}: not of the form package.module:callable or file.py:callable;"
            " name one that takes no arguments"
        )
    path = Path(place)
    if path.suffix == ".py" and not path.is_file():
        raise error(f"{place}: no such file; check the path in {spec!r}")
    with _importable(path.resolve().parent):
        remedy = _RUNNING.format(place) if path.suffix == ".py" else _IMPORTING
        with _explained(f"importing {place}", error, remedy):
            module = (
                _executed(path)
                if path.suffix == ".py"
                else importlib.import_module(place)
            )
        found = _attribute(module, name, place, error)
        if finished(found):
            return found
        with _explained(f"calling {spec}", error, _CALLING):
            return found()


def _attribute(
    module: ModuleType, name: str, place: str, error: type[BoundkitError]
) -> Any:
    try:
        return reduce(getattr, name.split("."), module)
    except AttributeError as missing:
        raise error(
            f"{place}: has no {name!r}; name a callable that it defines"
        ) from missing


@contextmanager
def _importable(folder: Path) -> Generator[None, None, None]:
    """Put ``folder`` and the working directory on the import path for a while."""
    before = list(sys.path)
    sys.path[:0] = [str(folder), str(Path.cwd())]
    try:
        yield
    finally:
        sys.path[:] = before


@contextmanager
def _explained(
    doing: str, error: type[BoundkitError], remedy: str
) -> Generator[None, None, None]:
    try:
        yield
    # Foreign code may raise anything, and may call sys.exit while it is imported.
    except (Exception, SystemExit) as raised:
        line = (str(raised).strip().splitlines() or ["no message"])[0]
        raise error(
            f"{doing} raised {type(raised).__name__}: {line}; {remedy}"
        ) from raised


def _executed(path: Path) -> ModuleType:
    # Anew each time, so that edits are seen.
    # The name must not hide an installed module called like the file.
    name = f"boundkit_file_{path.stem}"
    module = ModuleType(name)
    module.__file__ = str(path.resolve())
    # dataclasses and pickle look modules up by name.
    sys.modules[name] = module
    SourceFileLoader(name, str(path)).exec_module(module)
    return module
