"""What benchmarks/spectra.py measures in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

__all__ = ["memory", "wall"]

# What a large layer takes in a process of its own.
_MEMORY = """
import sys, threading, time
import numpy as np, torch
from scipy.linalg.blas import dsyrk
from scipy.linalg import cho_factor
from boundkit import readers
from boundkit.layers import from_tensors
from boundkit.measure.spectra import layer_spectrum
def anonymous():
    with open("/proc/self/status") as status:
        return int(status.read().split("RssAnon:")[1].split()[0]) / 1024
layer = from_tensors(readers.read(sys.argv[1]))[0].layers[0]
torch.linalg.eigvalsh(torch.eye(64, dtype=torch.float64))
most, over, start = [0.0], [], anonymous()
def watch():
    while not over:
        most[0] = max(most[0], anonymous())
        time.sleep(0.005)
thread = threading.Thread(target=watch)
thread.start()
begun = time.process_time()
layer_spectrum(layer, "full")
took = time.process_time() - begun
over.append(1)
thread.join()
print(most[0] - start, took)
"""

# A process of its own, for libraries count their threads when they are loaded.
_WALL = """
import sys
sys.path.insert(0, sys.argv[1])
from time import perf_counter
from model_weights import MODELS, trained_like
from spectra import both_ways
shapes = MODELS[sys.argv[2]][1]
cases = both_ways([trained_like(shape, i) for i, shape in enumerate(shapes)])
seconds = [[] for _ in cases]
for turn in range(int(sys.argv[3]) + 1):
    for case, taken in zip(cases, seconds):
        begun = perf_counter()
        case()
        if turn:
            taken.append(perf_counter() - begun)
print(*(sorted(taken)[len(taken) // 2] for taken in seconds))
"""


def memory() -> None:
    """Print the anonymous memory of two large layers."""
    from safetensors.numpy import save_file

    for shape in ((50257, 2048), (4096, 25088)):
        with TemporaryDirectory() as folder:
            path = Path(folder) / "large.safetensors"
            rng = np.random.default_rng(0)
            save_file({"w.weight": rng.standard_normal(shape, dtype=np.float32)}, path)
            done = subprocess.run(
                [sys.executable, "-c", _MEMORY, path],
                capture_output=True,
                text=True,
                check=True,
            )
        grown, took = map(float, done.stdout.split())
        allowed = 2 * min(shape) ** 2 * 8 / 2**20 + 64
        print(
            f"{shape[0]} x {shape[1]}, whole spectrum: {took:.1f} s, {grown:.0f} MB"
            f" beyond the imports, {allowed:.0f} allowed",
            flush=True,
        )


def wall(repeats: int) -> None:
    """Print the ratios of elapsed time with two threads in each library."""
    two = {k: "2" if k.endswith("NUM_THREADS") else v for k, v in os.environ.items()}
    for name in ("resnet18", "gpt2-small"):
        done = subprocess.run(
            [sys.executable, "-c", _WALL, Path(__file__).parent, name, str(repeats)],
            capture_output=True,
            text=True,
            check=True,
            env=two,
        )
        ours, theirs, _, top, _ = map(float, done.stdout.split())
        print(
            f"{name}, elapsed with two threads: {ours:.2f} s, WW's way {theirs:.2f} s:"
            f" {theirs / ours:.1f} times; norms and stable ranks alone {top:.3f} s:"
            f" {theirs / top:.0f} times",
            flush=True,
        )
