"""Spectra of whole models: ours against WeightWatcher's way, and against the limits.

    python benchmarks/spectra.py [--repeats 5] [--only resnet18 ...]
        [--weightwatcher PYTHON] [--checkpoint FILE ...]

Weights are random with what training leaves behind: lognormal scales of rows and
columns, and four spikes; ``--checkpoint`` adds trained ones from a file. "WW's way" is
what weightwatcher 0.7.7 does, typed again: scipy's gesdd in float64 of each matrix (each
kernel position of a convolution), and a loop over all starts of the power law.
``--weightwatcher`` names a Python that has the package, which then runs on the same
weights. Equal numbers are required before any ratio is printed.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

import numpy as np
from machine import REPEATS, cpu_seconds, description, settle
from model_weights import MODELS, layer_of, trained, trained_like

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

_WEIGHTWATCHER = """
import contextlib, io, json, logging, sys, time, warnings
warnings.simplefilter("ignore")
import numpy as np, torch
from torch import nn
torch.set_num_threads(1)
with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
    import weightwatcher as ww
logging.getLogger("weightwatcher").setLevel(logging.CRITICAL)
net = nn.Module()
for name, w in np.load(sys.argv[1]).items():
    w = torch.from_numpy(w)
    m = nn.Linear(1, 1, bias=False) if w.ndim == 2 else nn.Conv2d(1, 1, 1, bias=False)
    m.weight.data = w
    net.add_module(name, m)
seconds = []
for _ in range(int(sys.argv[2])):
    begun = time.process_time()
    with contextlib.redirect_stdout(io.StringIO()):
        d = ww.WeightWatcher(model=net).analyze(
            randomize=False, vectors=False, plot=False, detX=False, mp_fit=False)
    seconds.append(time.process_time() - begun)
print(json.dumps([sorted(seconds)[len(seconds) // 2], dict(zip(d.longname, d.alpha))]))
"""


def their_spectrum(values: np.ndarray) -> np.ndarray:
    """Return the pooled eigenvalues as WeightWatcher computes them."""
    from scipy.linalg import svd

    if values.ndim == 2:
        matrices = [values]
    else:
        places = [
            (i, j) for i in range(values.shape[2]) for j in range(values.shape[3])
        ]
        matrices = [values[:, :, i, j] * np.sqrt(0.5) for i, j in places]
    found = [svd(m.astype(float), compute_uv=False) ** 2 for m in matrices]
    return np.sort(np.concatenate(found))


def their_fit(evals: np.ndarray) -> float:
    """Return alpha by its loop."""
    data = evals[evals > 1e-5]
    logs = np.log(data)
    n = len(data)
    alphas, distances = np.zeros(n - 1), np.ones(n - 1)
    for i, start in enumerate(data[:-1]):
        count = float(n - i)
        alphas[i] = 1 + count / (np.sum(logs[i:]) - count * logs[i])
        if alphas[i] > 1:
            fitted = 1 - (data[i:] / start) ** (1 - alphas[i])
            distances[i] = np.max(np.abs(fitted - np.arange(count) / count))
    return float(alphas[np.argmin(distances)])


def whole_model(name: str, note: str, weights: list[np.ndarray], given) -> None:
    """Print the ratios of one model."""
    from boundkit.measure.spectra import layer_spectrum
    from boundkit.measure.weightwatcher import weightwatcher

    layers = [layer_of(f"w{i}", w) for i, w in enumerate(weights)]
    checked = [
        (weightwatcher(x), their_spectrum(w))
        for x, w in zip(layers, weights, strict=True)
    ]
    alphas = [(our["alpha"], their_fit(evals)) for our, evals in checked]
    worst = max(abs(a / b - 1) for a, b in alphas)
    sums = max(abs(our["norm"] / evals.sum() - 1) for our, evals in checked)
    assert max(worst, sums) < 1e-6, (worst, sums)
    (ours, _), (theirs, _), (top, _), (full, _) = cpu_seconds(
        [
            lambda: [weightwatcher(x) for x in layers],
            lambda: [their_fit(their_spectrum(w)) for w in weights],
            lambda: [layer_spectrum(x, "top") for x in layers],
            lambda: [layer_spectrum(x, "full") for x in layers],
        ],
        given.repeats,
    )
    print(
        f"{name} ({note})\n"
        f"  equal spectra and alpha (to {worst:.0e}): {ours:.2f} s, WW's way"
        f" {theirs:.2f} s: {theirs / ours:.1f} times\n"
        f"  norms and stable ranks alone: {top:.3f} s: {theirs / top:.0f} times\n"
        f"  filter matrices, whole spectra: {full:.2f} s: {limit_of(weights, full):.2f}"
        " times syrk and eigensolver alone",
        flush=True,
    )
    if given.weightwatcher:
        itself, printed = their_own(weights, given)
        apart = max(abs(printed[f"w{i}"] / a - 1) for i, (a, _) in enumerate(alphas))
        print(
            f"  WeightWatcher itself: {itself:.2f} s: {itself / ours:.1f} and"
            f" {itself / top:.0f} times; its alpha differs by {apart:.0e}",
            flush=True,
        )


def limit_of(weights: list[np.ndarray], ours: float) -> float:
    """Return our time over that of one syrk and one eigensolver per filter matrix."""
    wide = [w.reshape(w.shape[0], -1).astype(np.float64) for w in weights]
    wide = [w if w.shape[0] <= w.shape[1] else np.ascontiguousarray(w.T) for w in wide]
    least = math.inf
    for _ in range(2):
        begun = process_time()
        for w in wide:
            gram = w @ w.T
            if len(gram) < 1100:
                np.linalg.eigvalsh(gram)
            else:
                import torch

                torch.linalg.eigvalsh(torch.from_numpy(gram))
        least = min(least, process_time() - begun)
    return ours / least


def their_own(weights: list[np.ndarray], given) -> tuple[float, dict[str, float]]:
    """Return the CPU seconds of the package itself, and its alphas."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "weights.npz"
        np.savez(path, **{f"w{i}": w for i, w in enumerate(weights)})
        done = subprocess.run(
            [given.weightwatcher, "-c", _WEIGHTWATCHER, path, str(given.repeats)],
            capture_output=True,
            text=True,
            check=True,
        )
    seconds, alphas = json.loads(done.stdout.splitlines()[-1])
    return seconds, alphas


def operators(repeats: int) -> None:
    """Print the ratios for convolutions on a torus."""
    import torch

    from boundkit.numerics.circular import circular_singular_values

    for channels, size in ((128, 28), (256, 14)):
        kernel = trained_like((channels, channels, 3, 3), 0)

        def sedghi(kernel=kernel, size=size):
            hat = np.fft.fft2(kernel, (size, size), axes=(2, 3))
            return np.linalg.svd(hat.transpose(2, 3, 0, 1), compute_uv=False)

        def ours(kernel=kernel, size=size):
            return circular_singular_values(torch.from_numpy(kernel), (size, size))

        exact = np.sort(sedghi().reshape(-1))[::-1]
        apart = float(np.abs(ours().numpy() - exact).max() / exact[0])
        (quick, _), (slow, _) = cpu_seconds([ours, sedghi], repeats)
        print(
            f"conv {channels}x{channels}x3x3 on {size}x{size}, all singular values:"
            f" {quick:.2f} s, Sedghi et al. {slow:.2f} s: {slow / quick:.1f} times,"
            f" apart by {apart:.0e} s_1",
            flush=True,
        )


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


def main() -> None:
    """Measure what is asked for, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--only", nargs="*", default=[*MODELS, "conv", "memory"])
    parser.add_argument("--weightwatcher", help="a Python that has weightwatcher 0.7.7")
    parser.add_argument("--checkpoint", nargs="*", default=[])
    given = parser.parse_args()
    print(description())
    for name, (note, shapes) in MODELS.items():
        if name in given.only:
            weights = [trained_like(shape, i) for i, shape in enumerate(shapes)]
            whole_model(name, note, weights, given)
    for path in given.checkpoint:
        weights = trained(path)
        whole_model(Path(path).name, f"trained, {len(weights)} layers", weights, given)
    if "conv" in given.only:
        operators(given.repeats)
    if "memory" in given.only:
        memory()


if __name__ == "__main__":
    settle()
    main()
