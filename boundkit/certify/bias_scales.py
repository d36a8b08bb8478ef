"""How large the constants count that biases multiply: one scale, found on a grid.

A bias ``b`` of layer l stands beside the weights as ``b / s_l``, and the constant that it
multiplies adds ``s_l^2 N_l`` to the energy, N_l the paths from it to the output. Here
``s_l = sigma / sqrt(B N_l)`` over B layers with a bias, so that all constants together
add ``sigma^2``; the scale sigma is one of a grid that is fixed in advance, and delta is
shared out over the grid (docs/theory.md, biases).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from boundkit.certify.rademacher import log_product

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from boundkit.certify.rademacher import Complexity

__all__ = [
    "UNBIASED",
    "BiasScale",
    "bias_scale",
    "scaled",
    "with_biases",
    "worth_trying",
]

#: Points of the grid on either side that are looked at: sigma over a factor of 2^48.
_MOST = 24
#: A scale that lowers ``rho S_N`` by less than this does not pay for its share of delta.
_GAIN = 0.002


@dataclass(frozen=True, slots=True)
class BiasScale:
    """One scale of all constants.

    Attributes:
        energy: ``sigma^2``, what constants add to the energy of each sample.
        log_cost: Logarithm, negated, of the share of delta that this scale may use.
    """

    energy: float
    log_cost: float

    @property
    def terms(self) -> Mapping[str, float | str | None]:
        """What reports say of it; nothing where no layer has a bias."""
        if self.energy == 0:
            return {}
        return {"bias_energy": self.energy, "log_bias_cost": self.log_cost}


#: Of networks without biases.
UNBIASED = BiasScale(0.0, 0.0)


def bias_scale(step: int, mean_paths: float) -> BiasScale:
    """Return the scale ``sigma^2 = 4^step mean_paths / 16`` and its share of delta.

    The share is 1/2 for step 0 and ``1 / (4 |k| (|k| + 1))`` for step k, in sum 1.

    Args:
        step: Any integer.
        mean_paths: Mean number of paths per input position: what an input of norm 1
            that is spread evenly brings to the output.
    """
    distance = abs(step)
    share = 4 * distance * (distance + 1) if step else 2
    return BiasScale(4.0**step * mean_paths / 16, math.log(share))


def scaled(
    biases: Sequence[float], paths: Sequence[float], scale: BiasScale
) -> list[float]:
    """Return ``b_l / s_l = b_l sqrt(B N_l) / sigma`` per layer.

    Args:
        biases: (L,) norms of biases.
        paths: (L,) N_l of layers that have a bias, whatever its value; 0 for others.
        scale: sigma.
    """
    having = sum(count > 0 for count in paths)
    if scale.energy == 0:
        return [0.0] * len(biases)
    return [
        bias * math.sqrt(having * count / scale.energy)
        for bias, count in zip(biases, paths, strict=True)
    ]


def worth_trying(
    mean_paths: float, log_size: Callable[[BiasScale], float]
) -> tuple[BiasScale, ...]:
    """Return the scales that no cheaper one makes needless, the cheapest first.

    Which of them are looked at is free: the bound holds for all scales at once.

    Args:
        mean_paths: As for ``bias_scale``.
        log_size: Logarithm of ``rho S_N`` at a scale.
    """
    found: list[BiasScale] = []
    least = math.inf
    for distance in range(_MOST + 1):
        for step in (distance, -distance) if distance else (0,):
            scale = bias_scale(step, mean_paths)
            size = log_size(scale)
            if not found or size < least - _GAIN:
                found.append(scale)
                least = min(least, size)
    return tuple(found)


def with_biases(
    of: Complexity,
    weights: Sequence[float],
    biases: Sequence[float],
    paths: Sequence[float],
    mean_paths: float,
) -> tuple[Complexity, ...]:
    """Return a complexity with the norm of its layers, at every scale worth trying.

    Args:
        of: The pieces, with the energy of the inputs alone and any norm.
        weights: (L,) norms in forward order.
        biases: (L,) norms of biases.
        paths: (L,) from the constant of each layer that has a bias; 0 for others.
        mean_paths: Mean number of paths per input position.
    """

    def log_rho(scale: BiasScale) -> float:
        return log_product(weights, scaled(biases, paths, scale))

    def log_size(scale: BiasScale) -> float:
        return log_rho(scale) + 0.5 * math.log(of.energy + scale.energy)

    having = any(count > 0 for count in paths)
    tried = worth_trying(mean_paths, log_size) if having else (UNBIASED,)
    return tuple(
        replace(
            of,
            log_rho=log_rho(scale),
            energy=of.energy + scale.energy,
            mean_paths=of.mean_paths * (1 + scale.energy / mean_paths),
            log_cost=scale.log_cost,
            bias_energy=scale.energy,
            extra=dict(of.extra) | dict(scale.terms),
        )
        for scale in tried
    )
