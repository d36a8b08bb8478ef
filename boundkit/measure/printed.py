"""Formulas as they stand in print where no proof stands behind them.

They are heuristics: the numbers people compare, never certificates.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from boundkit.types import Measurement

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from boundkit.types import Evidence, Geometry, Network

__all__ = ["PRINTED", "galanti2023_literal", "galanti_terms", "printed"]

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


def galanti_terms(
    log_rho: float,
    depth: int,
    degrees: Sequence[float],
    classes: int,
    pixel_sum: float,
    n: int,
    delta: float,
) -> tuple[float, float]:
    """Return log of the complexity and the confidence of Galanti et al. (2023) as public.

    ``2 sqrt2 (rho + 1) / n (1 + sqrt(2 (L log 2 + sum log deg_l + log C)))
    sqrt(prod deg_l max_p sum_i ||x_ip||^2)`` and
    ``3 sqrt(log(2 (rho + 2)^2 / delta) / (2 n))``.

    Args:
        log_rho: Natural logarithm of rho.
        depth: L.
        degrees: Of layers 1 to L - 1.
        classes: C.
        pixel_sum: Largest sum over the sample of the energy of an input position.
        n: Sample size.
        delta: The probability of failure that the formula speaks of.
    """
    log_degrees = math.fsum(map(math.log, degrees))
    inner = depth * math.log(2) + log_degrees + math.log(classes)
    plus_one = max(log_rho, 0.0) + math.log1p(math.exp(-abs(log_rho)))
    complexity = 1.5 * math.log(2) + plus_one - math.log(n)
    complexity += math.log(1 + math.sqrt(2 * inner))
    complexity += 0.5 * (log_degrees + math.log(pixel_sum or 1e-300))
    plus_two = max(log_rho, math.log(2))
    plus_two += math.log1p(math.exp(-abs(log_rho - math.log(2))))
    confidence = (math.log(2 / delta) + 2 * plus_two) / (2 * n)
    return complexity, 3 * math.sqrt(confidence)


def _degrees(network: Network) -> list[float] | None:
    """Return the degrees of all layers but the last, None if not a bare chain."""
    found: list[float] = []
    flattened = 1
    shape: tuple[int, ...] = ()
    for node in network.nodes or ():
        if node.op == "flatten":
            flattened *= math.prod(shape[1:])
        elif node.op == "layer" and node.geometry is not None:
            found.append(float(math.prod(node.geometry.kernel)))
        elif node.op == "layer":
            found.append(float(flattened))
            flattened = 1
        elif node.op not in {"input", "activation", "identity", "output"}:
            return None
        shape = node.shape
    return found[:-1] if found else None


def galanti2023_literal(
    network: Network, log_rho: float, sample: Evidence, delta: float
) -> Measurement:
    """Return the bound of Galanti et al. (2023) as its public code has it: no bound.

    Without the degree of the head it is false: a linear map that fits 2500 random labels
    gets 0.205 at test error 0.4955. The value is None unless the network is traced and a
    chain of layers and activations.

    Args:
        network: Its layers.
        log_rho: Natural logarithm of the product of the norms as stored.
        sample: The training sample.
        delta: The probability of failure that the formula speaks of.
    """
    source = (
        "Galanti et al. (2023), public form; false as a bound: the head's degree is "
        "missing, see docs/bounds/galanti2023.md"
    )
    degrees = _degrees(network)
    if degrees is None:
        return Measurement("galanti2023_literal", None, "1", source, kind="heuristic")
    classes = network.outputs or 1
    if classes == 1:
        # One output is the difference of two of half its size.
        log_rho -= 0.5 * math.log(2)
    energy = sample.mean_square_norm
    if sample.position_energy is not None:
        energy = float(sample.position_energy.max())
    complexity, confidence = galanti_terms(
        log_rho,
        len(degrees) + 1,
        degrees,
        max(classes, 2),
        energy * sample.n,
        sample.n,
        delta,
    )
    loss = 0.0 if sample.margins is None else float((sample.margins < 1).mean())
    rest = math.log(loss + confidence)
    high, low = max(complexity, rest), min(complexity, rest)
    log = high + math.log1p(math.exp(low - high))
    value = math.exp(log) if log < 709 else None
    log10 = log / math.log(10)
    return Measurement(
        "galanti2023_literal", value, "1", source, kind="heuristic", log10=log10
    )
