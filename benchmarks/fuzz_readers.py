"""Damages small checkpoints of every container, and reads what is left.

Each mutation must end in a checkpoint whose norms can be asked for, or in one of
boundkit's own errors, within 5 s and 1 GB of address space. Workers are processes, so a
crash or a hang is caught and named; every mutation is repeatable by its number::

    python benchmarks/fuzz_readers.py --mutations 20000
    python benchmarks/fuzz_readers.py --only 4711 --keep /tmp/case
"""

from __future__ import annotations

import argparse
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parent))

from mutations import mutate

from boundkit import readers
from boundkit.errors import BoundkitError, NotApplicable
from boundkit.numerics.norms import frobenius_norm

__all__ = ["attempt", "main"]

SECONDS = 5.0
ADDRESS_SPACE = 1 << 30


def attempt(path: Path) -> str:
    """Read ``path`` and the norm of every tensor; return what came of it.

    Any exception that is not boundkit's own gets through to the caller.
    """
    try:
        checkpoint = readers.read(path)
        for tensor in checkpoint.tensors.values():
            with suppress(NotApplicable):
                frobenius_norm(tensor)
    except BoundkitError as error:
        message = str(error)
        assert "\n" not in message, "an error message has two lines"
        return type(error).__name__
    return "read"


def one(seeds: list[Path], number: int, seed: int, room: Path) -> tuple[str, str]:
    """Make mutation ``number`` in ``room`` and read it; return outcome and damage."""
    random = Random(f"{seed}:{number}")
    origin = seeds[number % len(seeds)]
    target = room / origin.name
    damage = f"{origin.name}: {mutate(origin, target, random)}"
    return attempt(target), damage


def work(seeds: list[Path], first: int, last: int, seed: int) -> None:
    """Run mutations ``first`` to ``last`` and print a JSON line before and after each."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    with tempfile.TemporaryDirectory() as folder:
        for number in range(first, last):
            print(json.dumps({"start": number}), flush=True)
            begun = time.monotonic()
            try:
                outcome, damage = one(seeds, number, seed, Path(folder))
            except BaseException as error:  # noqa: BLE001 - that is what is looked for
                place = error.__traceback__
                while place and place.tb_next:
                    place = place.tb_next
                where = place.tb_frame.f_code.co_filename if place else "?"
                line = place.tb_lineno if place else 0
                outcome = f"FAILED {type(error).__name__}: {error!s:.200}"
                damage = f"{where}:{line}"
            peak = _peak()
            seconds = time.monotonic() - begun
            report = {"done": number, "outcome": outcome, "damage": damage}
            print(json.dumps(report | {"seconds": seconds, "peak": peak}), flush=True)


def _peak() -> int:
    """Return the largest resident set of this process in MB.

    Not getrusage's, which a process inherits from the one that started it.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) >> 10


class Worker:
    """A process that works through a range of mutations."""

    def __init__(self, folder: Path, span: tuple[int, int], seed: int) -> None:
        self.span, self.current, self.heard = span, span[0], time.monotonic()
        self.finished = False
        command = [sys.executable, __file__, "--work", str(folder), "--seed", str(seed)]
        self.process = subprocess.Popen(
            [*command, "--span", str(span[0]), str(span[1])],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,  # select() does not see what Python has buffered
        )


def _listen(worker: Worker, tally: Counter[str], bad: list[str]) -> Worker | None:
    """Read what a worker printed; return it while it lives."""
    assert worker.process.stdout is not None
    ready, _, _ = select.select([worker.process.stdout], [], [], 0.05)
    line = worker.process.stdout.readline() if ready else b""
    if line:
        worker.heard = time.monotonic()
        report = json.loads(line)
        worker.current = report.get("start", worker.current)
        if "done" in report:
            worker.current = report["done"] + 1
            tally[report["outcome"].split(":")[0]] += 1
            tally["peak MB"] = max(tally["peak MB"], report["peak"])
            tally["slowest ms"] = max(
                tally["slowest ms"], int(1000 * report["seconds"])
            )
            if report["outcome"].startswith("FAILED"):
                bad.append(f"{report['done']}: {report['outcome']} {report['damage']}")
        return worker
    if worker.process.poll() is None and time.monotonic() - worker.heard < 2 * SECONDS:
        return worker
    hung = worker.process.poll() is None
    worker.process.kill()
    worker.process.wait()
    worker.process.stdout.close()
    if worker.current < worker.span[1]:
        kind = "HUNG" if hung else f"CRASHED ({worker.process.returncode})"
        bad.append(f"{worker.current}: {kind}")
        tally[kind] += 1
    return None


def fuzz(count: int, seed: int, processes: int) -> int:
    """Run ``count`` mutations and print a summary; return how many failed."""
    from seed_checkpoints import write_seeds

    tally: Counter[str] = Counter()
    bad: list[str] = []
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        seeds = write_seeds(Path(folder))
        Path(folder, "seeds.json").write_text(json.dumps([str(s) for s in seeds]))
        step = -(-count // processes)
        spans = [(a, min(a + step, count)) for a in range(0, count, step)]
        workers = [Worker(Path(folder), span, seed) for span in spans]
        while workers:
            alive = []
            for worker in workers:
                if _listen(worker, tally, bad):
                    alive.append(worker)
                elif worker.current + 1 < worker.span[1]:
                    rest = (worker.current + 1, worker.span[1])
                    alive.append(Worker(Path(folder), rest, seed))
            workers = alive
    print(f"{count} mutations of {len(seeds)} seeds, seed {seed}:")
    print(f"{time.monotonic() - begun:.0f} s with {processes} processes")
    for outcome, times in sorted(tally.items()):
        print(f"  {outcome:24} {times}")
    for line in bad:
        print(f"  {line}")
    return len(bad)


def main() -> int:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutations", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", type=int, help="run this mutation here")
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--span", type=int, nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        seeds = [Path(s) for s in json.loads((options.work / "seeds.json").read_text())]
        work(seeds, *options.span, options.seed)
        return 0
    if options.only is not None:
        from seed_checkpoints import write_seeds

        seeds = write_seeds(options.keep / "seeds")
        print(one(seeds, options.only, options.seed, options.keep))
        return 0
    return 1 if fuzz(options.mutations, options.seed, options.processes) else 0


if __name__ == "__main__":
    sys.exit(main())
