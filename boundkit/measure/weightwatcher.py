"""The numbers that WeightWatcher 0.7.7 reports of a layer, under its conventions.

Its matrices are the weight of a dense layer, and of a convolution the slices of each
kernel position, all times sqrt(1/2), their eigenvalues pooled. What differs from the
layer table, and where it is not right, is in docs/spectra.md.
"""

from __future__ import annotations

import math
from itertools import starmap
from typing import TYPE_CHECKING

import numpy as np

from boundkit.errors import NotApplicable
from boundkit.measure.power_law import scan
from boundkit.numerics.gram import gram_singular_values
from boundkit.numerics.matrix_pieces import column_pieces, stored_array
from boundkit.types import Measurement, Notice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from numpy.typing import NDArray

    from boundkit.types import Layer

__all__ = ["weightwatcher", "weightwatcher_measurements"]

#: Eigenvalues that enter the fit; an absolute size.
_THRESHOLD = 1e-5
#: Fewer eigenvalues are fitted by another rule.
_SMALL = 20
#: Elements of a convolution whose kernels are taken apart together.
_APART = 2**17
#: Added to shares and ranks against zeros.
_EPSILON = 1e-10
#: Fewest and most eigenvalues, and the longest side, of layers that it takes.
_FEWEST, _MOST, _LONGEST = 8, 15_000, 50_000
#: Columns whose means over layers it prints first.
_MEANS = ("alpha", "alpha_weighted", "log_alpha_norm")
_SOURCE = "WeightWatcher 0.7.7, under its conventions"


def _slices(layer: Layer) -> tuple[list[NDArray[Any]], int]:
    """Return its matrices and the size that its rank tolerances take for the larger.

    Raises:
        NotApplicable: It does not analyze such a layer, or not as matrices of weights.
    """
    shape = layer.weight.shape
    if layer.kind in {"linear", "embedding"} and len(shape) == 2:
        weight = stored_array(layer.weight).astype(np.float32, copy=False)
        return [weight], max(shape)
    if layer.kind != "conv2d":
        raise NotApplicable(f"WeightWatcher reports no {layer.kind} layers")
    out, inner, high, wide = shape
    if out + inner < high + wide:
        raise NotApplicable(
            "WeightWatcher takes the kernel for the channels where it is larger"
        )
    weight = stored_array(layer.weight).astype(np.float32, copy=False)
    # It swaps the sizes once for each slice that lies on its side.
    size = inner if out < inner and high * wide % 2 else out
    if high * wide == 1:
        return [weight.reshape(out, inner)], size
    places = weight.reshape(out, inner, -1)
    apart = np.empty((high * wide, out, inner))
    step = max(1, _APART // (inner * high * wide))
    # Some outputs at a time, for every position reads all lines of the cache.
    for first in range(0, out, step):
        some = places[first : first + step]
        apart[:, first : first + step] = some.transpose(2, 0, 1)
    return list(apart), size


def _values(matrix: NDArray[Any]) -> NDArray[np.float64]:
    found = gram_singular_values(column_pieces(matrix, 0), min(matrix.shape))
    # Ranks are counted at 1e-13 s_1, so what is not known is computed.
    if found.values[-1] < max(found.floor, 2e-9) * found.values[0]:
        return np.asarray(np.linalg.svd(matrix.astype(float), compute_uv=False))
    return found.values


def _rank(values: NDArray[np.float64], size: int) -> int:
    tolerance = float(np.max(values)) * size * float(np.finfo(np.float64).eps)
    return int(np.count_nonzero(values > tolerance))


def weightwatcher(layer: Layer) -> Mapping[str, float | None]:
    """Return the columns of WeightWatcher's ``analyze()`` that are numbers.

    Equal to those of version 0.7.7 on a CPU to 1e-6; None where it prints -1 for a fit
    that failed.

    Args:
        layer: Dense, an embedding, or a two-dimensional convolution without groups.

    Raises:
        NotApplicable: It reports no such layer, or not what the layer computes.
        Unreadable: The bytes of the weight are not there.
    """
    matrices, size = _slices(layer)
    factor = math.sqrt(0.5) if layer.kind == "conv2d" else 1.0
    spectra = [factor * _values(matrix) for matrix in matrices]
    evals = np.sort(np.concatenate(spectra) ** 2)
    if not (np.isfinite(evals).all() and evals[-1] > 0):
        raise NotApplicable("zero, or not finite")
    top, total = float(evals[-1]), float(np.sum(evals))
    fit = _fit(evals[evals > _THRESHOLD])
    alpha = fit["alpha"]
    start = fit["xmin"]
    rank = _rank(np.sqrt(evals), size)
    shares = evals / total + _EPSILON
    return {
        "num_evals": float(len(evals)),
        "sv_max": max(float(s[0]) for s in spectra),
        "sv_min": max(float(s[-1]) for s in spectra),
        "rank_loss": float(sum(len(s) - _rank(s, size) for s in spectra)),
        "weak_rank_loss": float(np.count_nonzero(evals < 1e-6)),
        "lambda_max": top,
        **fit,
        "num_pl_spikes": None
        if start is None
        else float(np.count_nonzero(evals >= start * (1 - 1e-12))),
        "norm": total,
        "log_norm": math.log10(total),
        "spectral_norm": top,
        "log_spectral_norm": math.log10(top),
        "alpha_weighted": None if alpha is None else alpha * math.log10(top),
        "log_alpha_norm": None if alpha is None else _log_alpha_norm(evals, alpha),
        "stable_rank": total / top,
        "matrix_rank": float(rank),
        "entropy": -float(np.sum(shares * np.log(shares))) / math.log(rank + _EPSILON),
    }


def _takes(layer: Layer) -> bool:
    """Say whether its sizes are among those that it analyzes by default."""
    rows, rest, *kernel = layer.weight.shape
    many = min(rows, rest) * math.prod(kernel)
    return _FEWEST <= many <= _MOST and max(rows, rest) <= _LONGEST


def weightwatcher_measurements(
    layers: Iterable[Layer],
    progress: Callable[[int, int | None, str], None] | None = None,
) -> tuple[tuple[Measurement, ...], tuple[Notice, ...]]:
    """Return ``weightwatcher.*`` of each layer, their means, and what is left out.

    The means are over the layers whose sizes it takes, as in its summary; of the others
    the numbers are given all the same, and a notice names them.

    Args:
        layers: Counted or not.
        progress: Called with layers done, their total, and a label.

    Raises:
        Unreadable: The bytes of a weight are not there.
    """
    every = list(layers)
    found: list[Measurement] = []
    means: dict[str, list[float]] = {name: [] for name in _MEANS}
    refused: dict[str, list[str]] = {}
    for done, layer in enumerate(every):
        if progress is not None:
            progress(done + 1, len(every), "weightwatcher")
        try:
            row = weightwatcher(layer)
        except (NotApplicable, np.linalg.LinAlgError, MemoryError) as reason:
            refused.setdefault(str(reason) or "no memory", []).append(layer.name)
            continue
        found += [
            Measurement(f"weightwatcher.{name}", value, "1", _SOURCE, layer.name)
            for name, value in row.items()
        ]
        if not _takes(layer):
            why = "WeightWatcher leaves out layers of this size; not in the means"
            refused.setdefault(why, []).append(layer.name)
            continue
        for name, values in means.items():
            if (value := row[name]) is not None:
                values.append(value)
    over = [
        Measurement(f"weightwatcher.{name}.mean", math.fsum(v) / len(v), "1", _SOURCE)
        for name, v in means.items()
        if v
    ]
    return (*over, *found), tuple(starmap(_told, refused.items()))


def _told(reason: str, names: list[str]) -> Notice:
    shown = ", ".join(names[:3])
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return Notice(
        "weightwatcher",
        f"weightwatcher.* of {shown}{more}: {reason}",
        names[0] if len(names) == 1 else None,
    )


def _log_alpha_norm(evals: NDArray[np.float64], alpha: float) -> float:
    top = float(evals[-1])
    return alpha * math.log10(top) + math.log10(float(np.sum((evals / top) ** alpha)))


def _fit(evals: NDArray[np.float64]) -> dict[str, float | None]:
    """Return alpha, xmin, xmax, D and sigma of the eigenvalues, smallest first."""
    logs = np.log(evals)
    found = _small_scan(logs) if len(logs) < _SMALL else scan(logs)
    if found is None:
        return dict.fromkeys(("alpha", "xmin", "xmax", "D", "sigma"))
    start, alpha, distance = found
    return {
        "alpha": alpha,
        "xmin": float(evals[start]),
        "xmax": float(evals[-1]),
        "D": distance,
        "sigma": (alpha - 1) / math.sqrt(len(logs) - start),
    }


def _small_scan(logs: NDArray[np.float64]) -> tuple[int, float, float] | None:
    """Return start, exponent and distance by its rule for fewer than 20 eigenvalues."""
    n = len(logs)
    best: tuple[float, int, float, float] | None = None
    # Without a tail of eight it takes all.
    starts = range(n - 7) if n >= 9 else range(min(n, 1))
    for i in starts:
        tail = logs[i:] - logs[i]
        excess = float(np.sum(tail))
        if excess <= 1e-12:
            continue
        count = n - i
        slope = (count - 1) / excess
        fitted = 1 - np.exp(-slope * tail)
        distance = float(np.max(np.abs(fitted - np.arange(count) / count)))
        judged = distance - 0.868 / math.sqrt(count)
        if best is None or judged < best[0]:
            best = (judged, i, 1 + slope, distance)
    return None if best is None else best[1:]
