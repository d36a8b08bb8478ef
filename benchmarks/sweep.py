"""A sweep over many small checkpoints, against analyzing each of them alone.

Targets: a sweep takes at most 1.25 times the CPU seconds of the single analyses that it
is made of; its processes take no more memory for the whole than for a tenth; nothing is
analyzed when it is called again.

    python benchmarks/sweep.py [--checkpoints 10000] [--jobs 2]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from machine import description, settle

_OPTIONS = "n=50_000, device='cpu'"
_SINGLE = f"""
import json, sys, time
import boundkit
paths = sys.argv[1:]
boundkit.analyze(paths[0], {_OPTIONS})
seconds = []
for path in paths:
    began = time.process_time()
    boundkit.analyze(path, {_OPTIONS})
    seconds.append(time.process_time() - began)
print(json.dumps(seconds))
"""
# Peaks are read before tables are made: pandas and pyarrow are a constant of their own.
_SWEEP = f"""
import json, resource, sys, time
import boundkit
import boundkit.sweeping.sweep as story
peaks = []
made = story.frame_of
# Not ru_maxrss: that begins with the memory of whoever started this process.
def peak():
    lines = open("/proc/self/status").read().splitlines()
    return int(next(l for l in lines if l.startswith("VmHWM")).split()[1]) / 1024
def frame_of(folder):
    peaks.append(peak())
    return made(folder)
story.frame_of = frame_of
began = time.perf_counter()
frame = boundkit.sweep(sys.argv[1], sys.argv[2], jobs=int(sys.argv[3]), {_OPTIONS})
wall = time.perf_counter() - began
mine = resource.getrusage(resource.RUSAGE_SELF)
workers = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps(dict(
    wall=wall,
    here=mine.ru_utime + mine.ru_stime,
    workers=workers.ru_utime + workers.ru_stime,
    peak_here=peaks[0],
    peak_worker=workers.ru_maxrss / 1024,
    fresh=frame.attrs["fresh"],
    rows=len(frame),
    sound=int((frame["status"] == "analyzed").sum()),
)))
"""


def make(folder: Path, count: int) -> list[str]:
    """Write small nets, each with weights of its own, a hundred to a folder."""
    import torch

    paths = []
    for number in range(count):
        generator = torch.Generator().manual_seed(number)
        state = {
            "hidden.weight": torch.randn(32, 196, generator=generator) / 14,
            "hidden.bias": torch.zeros(32),
            "head.weight": torch.randn(10, 32, generator=generator) / 6,
            "head.bias": torch.zeros(10),
        }
        path = folder / f"run_{number // 100:03}" / f"epoch_{number % 100}.pt"
        path.parent.mkdir(exist_ok=True)
        torch.save({"model": state, "epoch": number % 100}, path)
        paths.append(str(path))
    return paths


def _told(code: str, *arguments: str):
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        check=True,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    return json.loads(done.stdout.splitlines()[-1])


def _line(label: str, found: dict[str, float]) -> None:
    print(
        f"{label:26}{found['wall']:9.1f}{found['workers']:11.1f}{found['here']:9.1f}"
        f"{found['peak_worker']:12.0f}{found['peak_here']:11.0f}{found['fresh']:9,}"
    )


def main() -> None:
    settle()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoints", type=int, default=10_000)
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    chosen = parser.parse_args()
    count, jobs = chosen.checkpoints, str(chosen.jobs)
    print(description())
    with TemporaryDirectory() as name:
        folder = Path(name, "runs")
        folder.mkdir()
        began = time.perf_counter()
        paths = make(folder, count)
        print(f"{count:,} checkpoints made in {time.perf_counter() - began:.0f} s\n")
        some = paths[:: max(1, count // 100)]
        before = _told(_SINGLE, *some)
        listed = Path(name, "tenth.txt")
        listed.write_text("\n".join(paths[: max(1, count // 10)]))
        tenth = _told(_SWEEP, str(listed), f"{name}/tenth", jobs)
        whole = _told(_SWEEP, str(folder), f"{name}/whole", jobs)
        again = _told(_SWEEP, str(folder), f"{name}/whole", jobs)
        after = _told(_SINGLE, *some)
    assert whole["sound"] == whole["fresh"] == count
    single = statistics.median(before + after)
    print(
        f"{jobs + ' jobs':26}{'wall s':>9}{'workers s':>11}{'here s':>9}"
        f"{'worker MB':>12}{'here MB':>11}{'analyzed':>9}"
    )
    _line(f"{tenth['rows']:,} checkpoints", tenth)
    _line(f"{count:,} checkpoints", whole)
    _line("the same again", again)
    total = whole["workers"] + whole["here"]
    ratio = total / (single * count)
    growth = whole["peak_worker"] / tenth["peak_worker"]
    print(
        f"\nsingle analysis {1000 * single:.1f} ms CPU (median of {2 * len(some):,})"
        f"\n{count / whole['wall']:.0f} checkpoints/s"
        f"\nsweep {total:.1f} s CPU, {ratio:.2f} times {count:,} single analyses: "
        f"{'met' if ratio <= 1.25 else 'MISSED'}"
        f"\nmemory of a worker {growth:.2f} times that of a tenth: "
        f"{'met' if growth <= 1.05 else 'MISSED'}"
        f"\nanalyzed again: {again['fresh']}: "
        f"{'met' if again['fresh'] == 0 else 'MISSED'}"
    )


if __name__ == "__main__":
    main()
