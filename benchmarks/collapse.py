"""Class moments, NC1 and nearest-class-mean decisions beside a common public tool's way.

The peer is the operations of the accumulators of rhubarbwu/neural-collapse, typed again:
class sums by one-hot products, covariance by full products of centered batches, the
pseudo-inverse of the p x p scatter between classes, and distances to the class means from
raw features, all in float32. The limit is what no way around two readings and one product
with the directions that tell classes apart can save, in the precision that ours has: it
leaves out centering, the scatter itself, finding the directions, and all decisions.

    python benchmarks/collapse.py            # CPU seconds, ratios, errors of NC1
    python benchmarks/collapse.py --noise 2  # classes that overlap more
    python benchmarks/collapse.py --large    # N = 1.28 million from a file, and its memory
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import zipfile
from functools import partial
from pathlib import Path
from time import process_time

import machine

machine.settle()

import numpy as np  # noqa: E402 - threads are settled first
import torch  # noqa: E402 - as above
from scipy.linalg.blas import dsyr, dsyrk  # noqa: E402 - as above

from boundkit.data.features import features_of, open_features  # noqa: E402 - as above
from boundkit.measure.stored_features import feature_statistics  # noqa: E402 - as above

#: C, p, N; targets are in README.md.
CASES = ((10, 512, 50_000), (10, 2048, 30_000), (1000, 2048, 20_000))
BATCH = 512


def sample(classes, width, n, noise=0.5):
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, classes, (n,), generator=generator)
    features = torch.randn(classes, width, generator=generator)[labels]
    return features + noise * torch.randn(n, width, generator=generator), labels


def peer(h, y, classes):
    """Return NC1 and the number of wrong nearest means the way the peer gets them."""
    n, width = h.shape
    sums, counts = torch.zeros(classes, width), torch.zeros(classes)
    for i in range(0, n, BATCH):
        one_hot = (y[i : i + BATCH, None] == torch.arange(classes)).mT.float()
        sums += one_hot @ h[i : i + BATCH]
        counts += one_hot.sum(1)
    means = sums / counts[:, None]
    covariance = torch.zeros(width, width)
    for i in range(0, n, BATCH):
        off = h[i : i + BATCH] - means[y[i : i + BATCH]]
        covariance += off.mT @ off
    centered = means - means.mean(0)
    between = centered.mT @ centered / classes
    nc1 = torch.trace(
        torch.linalg.pinv(between, rtol=1e-5, hermitian=True) @ covariance / n
    )
    wrong = 0
    squares = torch.linalg.vector_norm(means, dim=1) ** 2
    for i in range(0, n, BATCH):
        x = h[i : i + BATCH]
        products = torch.inner(x, means)
        sizes = torch.linalg.vector_norm(x, dim=1) ** 2
        distances = sizes[:, None] + squares - 2 * products
        wrong += int((distances.argmin(1) != y[i : i + BATCH]).sum())
    return float(nc1), wrong


def ours(h, y, scatter, precision):
    """Return NC1 and the number of wrong nearest means."""
    stored = features_of(h, y)
    found = feature_statistics(stored, scatter=scatter, precision=precision)
    return nc1_of(found.moments), int(found.agreement.nearest_errors.sum())


def nc1_of(moments):
    """Return NC1 of moments by one factorization of the products of means.

    With D all centered means but one, which is minus the sum of the others, ``C Sigma_B =
    D^T (I + 1 1^T) D``; the inverse of the inner matrix is ``I - 1 1^T / C``.
    """
    classes = len(moments.mean)
    rows = (moments.mean - moments.mean.mean(0))[:-1]
    if moments.basis is not None:
        rows = rows @ moments.basis
    # BLAS counts by columns, in which rows are a transpose: half of the products do.
    upper = dsyrk(1.0, rows.numpy().T, trans=1)
    factor = torch.linalg.cholesky(torch.from_numpy(upper.T))
    solved = torch.cholesky_solve(rows, factor).numpy()
    total = solved.sum(0)
    inverse = dsyrk(1.0, solved.T)
    inverse = dsyr(-1 / classes, total, a=inverse, overwrite_a=True)
    # The other half of both is the same.
    own = np.einsum("ii,ii->", inverse, moments.within.numpy())
    half = inverse.T.ravel() @ moments.within.numpy().ravel()
    return float((2 * half - own) * classes / moments.count.sum())


def limit(h, classes, dtype):
    """Read the features twice and multiply them once with C - 1 directions."""
    basis = torch.randn(h.shape[1], classes - 1, dtype=dtype)
    wide = torch.empty(BATCH, h.shape[1], dtype=dtype)
    for i in range(0, len(h), BATCH):
        h[i : i + BATCH].sum()
    for i in range(0, len(h) - BATCH + 1, BATCH):
        block = h[i : i + BATCH]
        (block if dtype == h.dtype else wide.copy_(block)) @ basis


def exact(h, y, classes):
    """Return NC1 with everything in float64, class by class."""
    wide = h.double()
    means = torch.stack([wide[y == c].mean(0) for c in range(classes)])
    q = torch.linalg.svd((means - means.mean(0)).mT, full_matrices=False)
    kept = (q.S / q.S[0]) > 1e-9
    inside = (wide - means[y]) @ q.U[:, kept] / q.S[kept]
    return float(inside.square().sum() / len(h) * classes)


WAYS = [(s, p) for s in ("span", "whole") for p in ("double", "single")]


def compare(repeats, noise, chosen):
    print("| C, p, N | way | CPU s | peer / it | it / limit of its precision |")
    print("|---|---|---|---|---|")
    for classes, width, n in (CASES[i] for i in chosen):
        h, y = sample(classes, width, n, noise)
        ways = [partial(peer, h, y, classes), *(partial(ours, h, y, *w) for w in WAYS)]
        types = {"double": torch.float64, "single": torch.float32}
        bare = [partial(limit, h, classes, t) for t in types.values()]
        seconds = machine.cpu_seconds([*ways, *bare], repeats)
        theirs, *mine = (median for median, _ in seconds)
        limits = dict(zip(types, mine[len(WAYS) :], strict=True))
        case = f"{classes}, {width}, {n}"
        print(f"| {case} | peer | {theirs:.3f} | | |")
        for (scatter, precision), taken in zip(WAYS, mine, strict=False):
            print(
                f"| {case} | {scatter}, {precision} | {taken:.3f} |"
                f" {theirs / taken:.1f} | {taken / limits[precision]:.1f} |"
            )
        for precision, taken in limits.items():
            print(f"| {case} | limit, {precision} | {taken:.3f} | | |", flush=True)
        right, found = exact(h, y, classes), [way() for way in ways]
        errors = ", ".join(f"{abs(nc1 / right - 1):.0e}" for nc1, _ in found)
        print(
            f"  relative errors of NC1 (peer, {WAYS}): {errors}; wrong nearest"
            f" means: {[wrong for _, wrong in found]}",
            file=sys.stderr,
        )


def anonymous():
    """Return the megabytes of memory of this process that are no mapped files."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) / 1024
    return float("nan")


def large(n=1_280_000, width=512, classes=200):
    """Write features to a file, then read their moments; print seconds and memory."""
    rng = np.random.default_rng(0)
    means = rng.standard_normal((classes, width), dtype=np.float32)
    labels = rng.integers(0, classes, n)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "features.npz")
        raw = np.lib.format.open_memmap(
            Path(folder, "h.npy"), "w+", np.float32, (n, width)
        )
        for i in range(0, n, 2**15):
            block = means[labels[i : i + 2**15]]
            raw[i : i + 2**15] = block + rng.standard_normal(block.shape, np.float32)
        raw.flush()
        del raw
        archive(path, Path(folder, "h.npy"), labels)
        for scatter in ("span", "whole"):
            seen = [anonymous()]
            begun = process_time()
            found = feature_statistics(
                open_features(path),
                scatter=scatter,
                progress=lambda *_, seen=seen: seen.append(anonymous()),
            )
            print(
                f"N = {n}, p = {width}, C = {classes}, {scatter}:"
                f" {process_time() - begun:.1f} CPU s, at most"
                f" {max(seen) - seen[0]:.0f} MB above {seen[0]:.0f} MB;"
                f" {int(found.agreement.nearest_errors.sum())} wrong nearest means",
                flush=True,
            )


def archive(path, features, labels):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED, allowZip64=True) as out:
        out.write(features, "h.npy")
        with out.open("y.npy", "w") as member:
            np.lib.format.write_array(member, labels)
    features.unlink()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--noise", type=float, default=0.5)
    parser.add_argument("--case", type=int, action="append", choices=range(len(CASES)))
    parser.add_argument("--repeats", type=int, default=machine.REPEATS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(machine.description())
    if options.large:
        large()
    else:
        chosen = options.case or range(len(CASES))
        compare(options.repeats, options.noise, chosen)


if __name__ == "__main__":
    main()
