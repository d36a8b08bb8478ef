"""As many threads as a search runs fastest with, which may be one."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

__all__ = ["fastest_threads"]

_REPEATS = 3


@contextmanager
def fastest_threads(work: Callable[[], object]) -> Generator[None]:
    """Run a block with one thread where that is faster than with all of them.

    Small operations cost more to share out than to do, above all on a busy machine. The
    number of threads is the process's, and is put back at the end.

    Args:
        work: A piece of what the block does, short.

    Yields:
        Nothing.
    """
    import torch

    before = torch.get_num_threads()
    if before == 1:
        yield
        return
    work()  # what is done the first time only
    try:
        shared = _seconds(work)
        torch.set_num_threads(1)
        if shared < _seconds(work):
            torch.set_num_threads(before)
        yield
    finally:
        torch.set_num_threads(before)


def _seconds(work: Callable[[], object]) -> float:
    found = []
    for _ in range(_REPEATS):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return min(found)
