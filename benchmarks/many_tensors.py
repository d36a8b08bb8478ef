"""A hundred thousand tiny tensors, analyzed end to end.

Target: at most 20 s for one zip and for one safetensors file, every number included
(ledger, rho, spectra, bounds with ``n_needed``, and the report as text and JSON).

    python benchmarks/many_tensors.py [--tensors 100000] [--profile]
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

from machine import description, settle

_TARGET = 20.0
_SHAPE = (4, 4)


def write_zip(path: Path, tensors: int) -> None:
    """Write a state_dict of so many weights with ``torch.save``."""
    import torch

    torch.manual_seed(0)
    torch.save(
        {f"layers.{i}.weight": torch.randn(_SHAPE) for i in range(tensors)}, path
    )


def write_safetensors(path: Path, tensors: int) -> None:
    """Write the same as one safetensors file."""
    import numpy as np

    each = 4 * _SHAPE[0] * _SHAPE[1]
    header = {
        f"layers.{i}.weight": {
            "dtype": "F32",
            "shape": _SHAPE,
            "data_offsets": [each * i, each * (i + 1)],
        }
        for i in range(tensors)
    }
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    numbers = np.random.default_rng(0).standard_normal(
        tensors * _SHAPE[0] * _SHAPE[1], dtype=np.float32
    )
    path.write_bytes(len(text).to_bytes(8, "little") + text + numbers.tobytes())


def _analyzed(path: Path) -> dict[str, float]:
    import boundkit
    from boundkit.report.json import render
    from boundkit.report.text import render as render_text

    report = boundkit.analyze(str(path))
    begun = perf_counter()
    render_text(report)
    render(report)
    return {**report.seconds, "render": perf_counter() - begun}


def _profiled(path: Path) -> None:
    from cProfile import Profile
    from pstats import Stats

    profile = Profile()
    profile.runcall(_analyzed, path)
    Stats(profile, stream=sys.stdout).sort_stats("tottime").print_stats(20)


def main() -> None:
    """Make both files, analyze them, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tensors", type=int, default=100_000)
    parser.add_argument("--profile", action="store_true")
    given = parser.parse_args()
    print(f"{description()}\n{given.tensors:,} tensors of shape {_SHAPE}")
    with TemporaryDirectory() as name:
        for writer, file in (
            (write_safetensors, "many.safetensors"),
            (write_zip, "many.pt"),
        ):
            path = Path(name) / file
            writer(path, given.tensors)
            if given.profile:
                _profiled(path)
                continue
            begun, wall = process_time(), perf_counter()
            stages = _analyzed(path)
            cpu, wall = process_time() - begun, perf_counter() - wall
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            parts = ", ".join(
                f"{k} {v:.1f}" for k, v in stages.items() if k != "total" and v >= 0.05
            )
            verdict = "met" if cpu <= _TARGET else "MISSED"
            print(
                f"{file:18}{cpu:7.1f} CPU s {wall:7.1f} s {cpu / _TARGET:6.2f} of the "
                f"target, {verdict}; peak {peak:.0f} MB\n  seconds: {parts}"
            )


if __name__ == "__main__":
    settle()
    main()
