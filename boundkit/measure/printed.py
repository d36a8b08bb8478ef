"""Formulas as they stand in print where no proof stands behind them.

They are heuristics: the numbers people compare, never certificates.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from boundkit.types import Measurement

if TYPE_CHECKING:
    from collections.abc import Callable

    from boundkit.types import Geometry, Network

__all__ = ["PRINTED", "printed"]

_SOURCE = "Xu et al. (2023)"


def _depth(network: Network) -> int:
    return sum(x.uses for x in network.layers if x.counted)


def _log_dense(log_rho: float, layers: int, n: int, delta: float) -> float | None:
    """Return log of (16): 2 (rho + 1)(sqrt(2 log 2 L) + 1) / sqrt N + 3 sqrt(...)."""
    inner = 2 * (log_rho + 1) ** 2 / delta
    if inner <= 1:
        return None
    first = math.log(2) + log_rho + math.log1p(math.exp(min(-log_rho, 700.0)))
    first += math.log(math.sqrt(2 * math.log(2) * layers) + 1) - math.log(n) / 2
    second = math.log(3) + 0.5 * math.log(math.log(inner) / (2 * n))
    high, low = max(first, second), min(first, second)
    return high + math.log1p(math.exp(low - high))


def _overlap(geometry: Geometry) -> float | None:
    """Return ``prod sqrt(K / (K - O))`` over the axes, with O = K - stride."""
    factor = 1.0
    for kernel, stride in zip(geometry.kernel, geometry.stride, strict=True):
        overlap = max(kernel - stride, 0)
        if overlap >= kernel:
            return None
        factor *= math.sqrt(kernel / (kernel - overlap))
    return factor


def _log_conjecture(network: Network, log_rho: float, log_data: float) -> float | None:
    """Return log of (24) with the missing 1/m: 2^(L-1) rho prod sqrt(K/(K-O)) S / m."""
    layers = [x for x in network.layers if x.counted]
    total = (_depth(network) - 1) * math.log(2) + log_rho + log_data
    for layer in layers:
        if layer.kind == "linear":
            continue
        factor = None if layer.geometry is None else _overlap(layer.geometry)
        if factor is None:
            return None
        total += layer.uses * math.log(factor)
    return total


def _measurement(name: str, log: float | None, where: str) -> Measurement:
    value = None if log is None or log > 709 else math.exp(log)
    log10 = None if log is None else log / math.log(10)
    return Measurement(
        name, value, "1", f"{_SOURCE}, {where}", kind="heuristic", log10=log10
    )


#: Name -> log of its value from (network, log rho, log(S / m), n, delta), and its source.
PRINTED: tuple[
    tuple[str, str, Callable[[Network, float, float, int, float], float | None]], ...
] = (
    (
        "dense_printed",
        "(16)",
        lambda net, log_rho, _data, n, delta: _log_dense(
            log_rho, _depth(net), n, delta
        ),
    ),
    (
        "sparse_cnn_printed",
        "(19)",
        lambda net, log_rho, data, _n, _delta: (
            _depth(net) * math.log(2) + log_rho + data
        ),
    ),
    (
        "conjecture1",
        "(24) with 1/m, product over layers",
        lambda net, log_rho, data, _n, _delta: _log_conjecture(net, log_rho, data),
    ),
    (
        "rho_over_sqrt_n",
        "figures 6 and 7",
        lambda _net, log_rho, _data, n, _delta: log_rho - math.log(n) / 2,
    ),
)


def printed(
    network: Network, log_rho: float, root_mean_square: float, n: int, delta: float
) -> tuple[Measurement, ...]:
    """Return every printed formula; its value is None where the formula has none.

    Args:
        network: Its counted layers are L.
        log_rho: Natural logarithm of rho.
        root_mean_square: Of the input norms, so that S / m = this / sqrt(n).
        n: Sample size.
        delta: The probability of failure that the formulas speak of.
    """
    log_data = math.log(root_mean_square or 1e-300) - math.log(n) / 2
    return tuple(
        _measurement(name, rule(network, log_rho, log_data, n, delta), where)
        for name, where, rule in PRINTED
    )
