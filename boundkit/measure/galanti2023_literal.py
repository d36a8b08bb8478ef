"""The bound of Galanti et al. (2023) as its public code has it, which is no bound."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from boundkit.types import Measurement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from boundkit.types import Evidence, Network

__all__ = ["galanti2023_literal", "galanti_terms"]


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
