"""How many workers there is room for, and one of them as a process."""

from __future__ import annotations

import json
import os
import subprocess  # noqa: S404 - runs this interpreter with a module of ours
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from boundkit.sweeping.outcome import Task

__all__ = ["Worker", "cores", "crew_size"]

#: Of a worker with torch and scipy, and of a checkpoint's layers as float64 beside the
#: arrays that a decomposition works in, in bytes and times the size of the file.
_BASE, _TIMES = 600 << 20, 6
_THREADS = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


def cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        there = len(os.sched_getaffinity(0))
    else:
        there = os.cpu_count() or 1
    quota = _number("/sys/fs/cgroup/cpu.max", 0)
    period = _number("/sys/fs/cgroup/cpu.max", 1)
    return max(1, min(there, quota // period) if quota and period else there)


def _number(path: str, word: int) -> int | None:
    """Return a number that the kernel tells, or None where it tells none."""
    try:
        return int(Path(path).read_text("ascii").split()[word])
    except (OSError, ValueError, IndexError):
        return None


def _memory() -> int | None:
    """Return the bytes that can be taken without swapping, or None if unknown."""
    found = []
    with suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
        line = next(line for line in lines if line.startswith("MemAvailable:"))
        found.append(int(line.split()[1]) << 10)
    limit = _number("/sys/fs/cgroup/memory.max", 0)
    used = _number("/sys/fs/cgroup/memory.current", 0)
    if limit is not None and used is not None:
        found.append(limit - used)
    return min(found, default=None)


def crew_size(tasks: int, largest: int) -> int:
    """Return how many workers fit cores and memory, at least one.

    Args:
        tasks: Checkpoints to look at.
        largest: Size of the largest, in bytes.
    """
    memory = _memory()
    room = tasks if memory is None else memory // (_BASE + _TIMES * largest)
    return max(1, min(cores(), tasks, room))


class Worker:
    """A process that takes one task at a time.

    Attributes:
        task: What it works on, or None.
        ready: Whether it has answered once.
        output: The descriptor of its answers.
    """

    def __init__(self, setup: dict[str, Any], threads: int) -> None:
        self.task: Task | None = None
        self.ready = False
        self._rest = b""
        self._said: IO[bytes] = TemporaryFile()  # noqa: SIM115 - closed in end()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "boundkit.sweeping.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            env=_environment(threads),
            # Ctrl-C is for who asked; that one then ends its workers.
            process_group=0,
        )
        self.output = self._stdout().fileno()
        self._send(setup)

    def _stdout(self) -> IO[bytes]:
        if self._process.stdout is None:
            raise AssertionError("the process was started with a pipe")
        return self._process.stdout

    def _send(self, order: dict[str, Any]) -> None:
        # Who has died is noticed when its answers end.
        with suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.write(json.dumps(order).encode() + b"\n")
                self._process.stdin.flush()

    def give(self, task: Task) -> None:
        """Give it a task."""
        self.task = task
        self._send({"where": task.where, "name": task.name, "known": task.known})

    def answers(self) -> Iterable[tuple[str, Any]] | None:
        """Return what it has answered since, or None if it has ended."""
        block = os.read(self.output, 1 << 16)
        if not block:
            return None
        *lines, self._rest = (self._rest + block).split(b"\n")
        return [tuple(json.loads(line)) for line in lines]

    def ended(self) -> bool:
        """Say whether the process is gone, though its output may be held open."""
        return self._process.poll() is not None

    def end(self, patience: float) -> str:
        """End it if need be, and return why it ended, in words.

        Args:
            patience: Seconds to wait for one that is about to end by itself.
        """
        with suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(patience)
        self._process.kill()
        code = self._process.wait()
        self._stdout().close()
        words = self._last_words()
        self._said.close()
        cause = f"killed by signal {-code}" if code < 0 else f"ended with code {code}"
        return f"{cause} ({words})" if words else cause

    def _last_words(self) -> str:
        self._said.seek(0, os.SEEK_END)
        self._said.seek(max(0, self._said.tell() - 2000))
        lines = self._said.read().decode("utf-8", "replace").split("\n")
        return next((line.strip()[:300] for line in lines[::-1] if line.strip()), "")


def _environment(threads: int) -> dict[str, str]:
    """Return the environment of a worker: its threads pinned, our modules in reach."""
    paths = [path or str(Path.cwd()) for path in sys.path]
    there = {name: str(threads) for name in _THREADS}
    return os.environ | there | {"PYTHONPATH": os.pathsep.join(paths)}
