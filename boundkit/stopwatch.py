"""Seconds that each stage of an analysis took."""

from __future__ import annotations

from contextlib import contextmanager
from time import perf_counter
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

__all__ = ["Stopwatch"]


class Stopwatch:
    """Adds up wall-clock seconds by name, from its creation on."""

    def __init__(self) -> None:
        self._start = perf_counter()
        self._seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Generator[None]:
        """Count the time inside the ``with`` block for ``name``."""
        begun = perf_counter()
        try:
            yield
        finally:
            spent = perf_counter() - begun
            self._seconds[name] = self._seconds.get(name, 0.0) + spent

    def read(self) -> Mapping[str, float]:
        """Return the seconds per stage, and in ``total`` those since the start."""
        return MappingProxyType(self._seconds | {"total": perf_counter() - self._start})
