"""Complexity measures of Jiang et al. (2020), in the constants of Dziugaite et al. (2020).

``n`` is the sample size, ``d`` the number of layers, ``F`` and ``S`` squared Frobenius
and spectral norms of the filter matrices, ``g`` the tenth percentile of the training
margins. A measure ``v`` is reported as ``sqrt(v / n)``, or as ``(v - log n) / 2`` where
it is itself a logarithm; only its order among networks means something.
"""

from __future__ import annotations

import math
from itertools import starmap
from typing import TYPE_CHECKING

from boundkit.types import Measurement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["jiang2020"]

_SOURCE = "Jiang et al. (2020)"


def _products(
    kind: str, squares: Sequence[float], log_margin: float | None
) -> dict[str, float]:
    """Return the logarithmic measures of one norm, without and with margin."""
    d = len(squares)
    total = math.fsum(map(math.log, squares))
    found = {
        f"log_prod_of_{kind}": total,
        f"log_sum_of_{kind}": math.log(d) + total / d,
    }
    if log_margin is not None:
        over = total - 2 * log_margin
        found[f"log_prod_of_{kind}_over_margin"] = over
        found[f"log_sum_of_{kind}_over_margin"] = math.log(d) + over / d
    return found


def _main(
    name: str, squares: Sequence[float], spectral: Sequence[float], log_margin: float
) -> dict[str, float]:
    """Return the spectral complexity with its ratio term."""
    ratio = math.fsum(f / s for f, s in zip(squares, spectral, strict=True))
    if ratio <= 0:
        return {}
    product = math.fsum(map(math.log, spectral)) - 2 * log_margin
    return {name: product + math.log(ratio)}


def _logs(
    frobenius: Sequence[float],
    spectral: Sequence[float] | None,
    moved: Sequence[float] | None,
    log_margin: float | None,
) -> dict[str, float]:
    found = _products("fro", frobenius, log_margin)
    if spectral is not None:
        found |= _products("spec", spectral, log_margin)
        if log_margin is not None:
            found |= _main("log_spec_orig_main", frobenius, spectral, log_margin)
            if moved is not None:
                found |= _main("log_spec_init_main", moved, spectral, log_margin)
    return found


def _plain(
    frobenius: Sequence[float],
    spectral: Sequence[float] | None,
    moved: Sequence[float] | None,
    moved_spectral: Sequence[float] | None,
    log_margin: float | None,
    path: float | None,
) -> dict[str, float]:
    found = {"param_norm": math.fsum(frobenius)}
    if spectral is not None:
        ratios = (f / s for f, s in zip(frobenius, spectral, strict=True))
        found["fro_over_spec"] = math.fsum(ratios)
    if moved is not None:
        found["fro_dist"] = math.fsum(moved)
    if moved_spectral is not None:
        found["dist_spec_init"] = math.fsum(moved_spectral)
    if log_margin is not None:
        found["inverse_margin"] = math.exp(min(-2 * log_margin, 700.0))
    if path is not None:
        found["path_norm"] = path
        if log_margin is not None:
            scale = math.exp(min(-2 * log_margin, 700.0))
            found["path_norm_over_margin"] = path * scale
    return found


def _measurement(name: str, value: float) -> Measurement:
    finite = value if math.isfinite(value) else None
    return Measurement(f"jiang2020.{name}", finite, "1", _SOURCE)


def _squares(values: Mapping[str, float] | None) -> list[float] | None:
    if values is None:
        return None
    return [math.pow(v, 2) if v < 1e150 else math.inf for v in values.values()]


def jiang2020(
    frobenius: Mapping[str, float],
    spectral: Mapping[str, float] | None,
    moved: Mapping[str, float] | None,
    moved_spectral: Mapping[str, float] | None,
    margin: float | None,
    path: float | None,
    n: int,
) -> tuple[Measurement, ...]:
    """Return every measure of the list whose inputs are known.

    Args:
        frobenius: Layer -> norm, positive.
        spectral: Layer -> spectral norm, positive; None if it is not known of all.
        moved: Layer -> Frobenius norm of the change since initialization, or None.
        moved_spectral: Layer -> spectral norm of that change, or None.
        margin: g; None without data, and where it is not positive.
        path: Sum of the outputs of the network with squared weights on ones, or None.
        n: Sample size.
    """
    log_margin = math.log(margin) if margin is not None and margin > 0 else None
    f, s, m = _squares(frobenius) or [], _squares(spectral), _squares(moved)
    ms = _squares(moved_spectral)
    found = {k: (v - math.log(n)) / 2 for k, v in _logs(f, s, m, log_margin).items()}
    plain = _plain(f, s, m, ms, log_margin, path)
    found |= {k: math.sqrt(v / n) for k, v in plain.items()}
    return tuple(starmap(_measurement, found.items()))
