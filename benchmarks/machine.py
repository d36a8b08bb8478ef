"""One thread, a clean environment, CPU seconds: what every benchmark here stands on."""

from __future__ import annotations

import os
import platform
import resource
import statistics
import subprocess
import sys
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["REPEATS", "child", "cpu_seconds", "description", "settle"]

REPEATS = 5

_ONE_THREAD = dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "NUMEXPR_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
    ),
    "1",
)
# The first two choose kernels for a machine that need not be this one; with the third
# every start would compile the package again, which an installed one never does.
_FOREIGN = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "PYTHONDONTWRITEBYTECODE")


def settle() -> None:
    """Start this script over with one thread per library, unless it runs so already.

    The variables are read when a library is loaded, and some Pythons load one at start.
    """
    clean = {k: v for k, v in os.environ.items() if k not in _FOREIGN} | _ONE_THREAD
    if dict(os.environ) != clean:
        os.execve(sys.executable, sys.orig_argv, clean)


def description() -> str:
    """Return processor, cores, Python and system in one line."""
    model = platform.processor() or platform.machine()
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    return (
        f"{model}, {os.cpu_count()} cores, load {load:.1f}; "
        f"Python {platform.python_version()}, {platform.system()} {platform.release()}"
    )


def cpu_seconds(
    cases: Sequence[Callable[[], object]], repeats: int = REPEATS
) -> list[tuple[float, float]]:
    """Return the median and the least CPU seconds of each case.

    On a machine that others use, too, the least says more about the code.

    Args:
        cases: Run in turn, so that what else goes on in the machine meets all alike.
        repeats: Rounds that count; one before them warms the caches.
    """
    found: list[list[float]] = [[] for _ in cases]
    for turn in range(repeats + 1):
        for case, seconds in zip(cases, found, strict=True):
            begun = process_time()
            case()
            if turn:
                seconds.append(process_time() - begun)
    return [(statistics.median(seconds), min(seconds)) for seconds in found]


def child(arguments: Sequence[str]) -> tuple[float, str]:
    """Run Python with these arguments; return its CPU seconds and what it printed.

    Raises:
        RuntimeError: It failed.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, *arguments],
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError(f"{arguments} ended with {done.returncode}: {done.stderr}")
    user = after.ru_utime - before.ru_utime
    return user + after.ru_stime - before.ru_stime, done.stdout
