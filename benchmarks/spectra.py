"""Spectra of whole models: ours against WeightWatcher's way, and against the limits.

    python benchmarks/spectra.py [--repeats 5] [--only resnet18 ... conv memory wall]
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
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

import numpy as np
from machine import REPEATS, cpu_seconds, description, settle
from model_weights import BILLION, MODELS, layer_of, trained, trained_like
from spectra_processes import memory, wall

PARTS = [*MODELS, "llama-1b", "conv", "memory", "wall"]

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


def matrices_of(values: np.ndarray) -> list[np.ndarray]:
    """Return the matrices that WeightWatcher decomposes, wide, in float64."""
    if values.ndim == 2:
        found = [values.astype(np.float64)]
    else:
        apart = values.transpose(2, 3, 0, 1).astype(np.float64)
        found = list(apart.reshape(-1, *values.shape[:2]))
    return [np.ascontiguousarray(m if len(m) <= len(m[0]) else m.T) for m in found]


def eigensolver_alone(matrices: list[np.ndarray]) -> None:
    """Do one symmetric product and one values-only eigensolver for each."""
    import torch
    from scipy.linalg.blas import dsyrk

    for matrix in matrices:
        gram = dsyrk(1.0, matrix.T, trans=1)
        torch.linalg.eigvalsh(torch.from_numpy(gram), UPLO="U")


def apart(weights: list[np.ndarray]) -> float:
    """Return how far alpha and norm differ; these first calls warm the caches, too."""
    from boundkit.measure.weightwatcher import weightwatcher

    found = []
    for i, w in enumerate(weights):
        our, evals = weightwatcher(layer_of(f"w{i}", w)), their_spectrum(w)
        found += [our["alpha"] / their_fit(evals) - 1, our["norm"] / evals.sum() - 1]
    worst = max(map(abs, found))
    assert worst < 1e-6, worst
    return worst


def both_ways(weights: list[np.ndarray]) -> list:
    """Return what is measured: ours, WW's way, its limit, the top, the whole."""
    # Both need them; neither's seconds contain an import.
    import torch  # noqa: F401 - it changes which eigensolver is taken

    from boundkit.measure.spectra import layer_spectrum
    from boundkit.measure.weightwatcher import weightwatcher

    layers = [layer_of(f"w{i}", w) for i, w in enumerate(weights)]
    matrices = [matrix for w in weights for matrix in matrices_of(w)]
    return [
        lambda: [weightwatcher(x) for x in layers],
        lambda: [their_fit(their_spectrum(w)) for w in weights],
        lambda: eigensolver_alone(matrices),
        lambda: [layer_spectrum(x, "top") for x in layers],
        lambda: [layer_spectrum(x, "full") for x in layers],
    ]


def told(title: str, worst: float, seconds: list[float]) -> None:
    """Print the ratios."""
    ours, theirs, limit, top, full = seconds
    print(
        f"{title}\n"
        f"  equal spectra and alpha (to {worst:.0e}): {ours:.2f} s, WW's way"
        f" {theirs:.2f} s: {theirs / ours:.1f} times; dsyrk and eigensolver alone"
        f" {limit:.2f} s: {theirs / limit:.1f} times, ours {ours / limit:.2f} of that\n"
        f"  norms and stable ranks alone: {top:.3f} s: {theirs / top:.0f} times\n"
        f"  filter matrices, whole spectra: {full:.2f} s",
        flush=True,
    )


def whole_model(name: str, note: str, weights: list[np.ndarray], given) -> None:
    """Print the ratios of one model."""
    from boundkit.measure.spectra import layer_spectrum
    from boundkit.measure.weightwatcher import weightwatcher

    cases = both_ways(weights)
    worst = apart(weights)
    seconds = [median for median, _ in cpu_seconds(cases, given.repeats)]
    told(f"{name} ({note})", worst, seconds)
    if given.weightwatcher:
        itself, printed = their_own(weights, given)
        alphas = {
            f"w{i}": weightwatcher(layer_of("w", w))["alpha"]
            for i, w in enumerate(weights)
        }
        apart_by = max(abs(alpha / alphas[name] - 1) for name, alpha in printed.items())
        taken = [
            layer_of(n, w) for i, w in enumerate(weights) if (n := f"w{i}") in printed
        ]
        ours, top = (
            median
            for median, _ in cpu_seconds(
                [
                    lambda: [weightwatcher(x) for x in taken],
                    lambda: [layer_spectrum(x, "top") for x in taken],
                ],
                given.repeats,
            )
        )
        print(
            f"  WeightWatcher itself: {itself:.2f} s: {itself / ours:.1f} and"
            f" {itself / top:.0f} times; its alpha differs by {apart_by:.0e};"
            f" it takes {len(taken)} of {len(weights)} layers",
            flush=True,
        )


def large_model(name: str, counts: dict[tuple[int, ...], int]) -> None:
    """Print the ratios of a model of many equal layers: each shape once, times."""
    total, worst = np.zeros(5), 0.0
    for i, (shape, count) in enumerate(counts.items()):
        weights = [trained_like(shape, i)]
        cases = both_ways(weights)
        off = apart(weights)
        seconds = []
        for case in cases:
            begun = process_time()
            case()
            seconds.append(process_time() - begun)
        told(f"{name}: {shape[0]} x {shape[1]}, of which it has {count}", off, seconds)
        total, worst = total + count * np.array(seconds), max(worst, off)
    many = sum(count * math.prod(shape) for shape, count in counts.items())
    told(f"{name}, {many / 1e9:.2f}e9 weights, seconds times counts", worst, total)


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

    for channels, size in ((64, 56), (128, 28), (256, 14)):
        kernel = trained_like((channels, channels, 3, 3), 0)
        # Their code has the channels last.
        last = np.ascontiguousarray(kernel.transpose(2, 3, 1, 0))

        def sedghi(last=last, size=size):
            hat = np.fft.fft2(last, (size, size), axes=(0, 1))
            return np.linalg.svd(hat, compute_uv=False)

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


def main() -> None:
    """Measure what is asked for, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--only", nargs="*", default=PARTS)
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
    if "llama-1b" in given.only:
        large_model("llama-1b", BILLION)
    if "conv" in given.only:
        operators(given.repeats)
    if "memory" in given.only:
        memory()
    if "wall" in given.only:
        wall(given.repeats)


if __name__ == "__main__":
    settle()
    main()
