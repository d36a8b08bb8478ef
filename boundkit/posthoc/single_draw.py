"""The single-draw PAC-Bayes-kl bound, from stored weights to the number.

With probability at least ``1 - delta`` over the sample S and one draw h of the posterior
``Q_S``: ``kl(errors/n || R(h)) <= (ln (dQ_S/dP)(h) + ln(xi(n)/delta)) / n``, for a prior P
that S did not choose (Rivasplata, Kuzborskij, Szepesvari, Shawe-Taylor, 2020, NeurIPS,
Theorem 1; proof in docs/certificates/draw.md).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from boundkit.numerics.kl_inverse import kl_inverse, log_kl_moment
from boundkit.posthoc.gaussians import Posterior, Prior, log_ratio

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    from boundkit.posthoc.coordinates import Coordinates

__all__ = ["Complexity", "complexity", "drawn_tensors", "rounding_nats", "single_draw"]


@dataclass(frozen=True, slots=True)
class Complexity:
    """What one draw costs, in nats.

    Attributes:
        log_ratio: ``ln (dQ/dP)`` at the stored weights; may be negative.
        rounding: At most what storing 32 bits of each weight adds to it.
        union: For the choice of the prior out of its family.
        log_moment: ``ln xi(n)``.
        log_share: ``ln(draws/delta)``.
    """

    log_ratio: float
    rounding: float
    union: float
    log_moment: float
    log_share: float

    @property
    def total(self) -> float:
        """Their sum, at least 0."""
        parts = (self.log_ratio, self.rounding, self.union)
        return max(0.0, math.fsum((*parts, self.log_moment, self.log_share)))


def single_draw(errors: int, n: int, cost: Complexity) -> float:
    """Return the bound on the error probability of one draw, rounded up.

    Args:
        errors: Of the draw on the sample.
        n: Sample size.
        cost: Of the draw.
    """
    return kl_inverse(errors / n, cost.total / n)


def complexity(
    net: Coordinates,
    h: torch.Tensor,
    posterior: Posterior,
    prior: Prior,
    union: float,
    n: int,
    draws: int,
    delta: float,
) -> Complexity:
    """Return what a draw costs, at the weights as they are stored.

    Args:
        net: Says how the vector is stored.
        h: (P,) stored weights.
        posterior: Q.
        prior: P.
        union: Nats for the choice of the prior.
        n: Sample size.
        draws: How many draws the best was chosen from.
        delta: Probability that the statement fails.
    """
    return Complexity(
        float(log_ratio(h, posterior, prior)),
        rounding_nats(net, h, posterior, prior),
        union,
        log_kl_moment(n),
        math.log(draws / delta),
    )


def drawn_tensors(
    net: Coordinates, posterior: Posterior, noise: NDArray[np.float64]
) -> dict[str, torch.Tensor]:
    """Return the weights of one draw as they are stored.

    Args:
        net: The network.
        posterior: (P,) normals.
        noise: (P,) standard normal numbers.

    Returns:
        Name -> float32 values on the CPU.
    """
    import torch

    scale = posterior.log_scale.double().cpu().exp()
    vector = posterior.mean.double().cpu() + scale * torch.from_numpy(noise)
    return {name: value.float() for name, value in net.tensors(vector).items()}


def rounding_nats(
    net: Coordinates, h: torch.Tensor, posterior: Posterior, prior: Prior
) -> float:
    """Return at most what rounding to float32 adds to the log ratio.

    What is drawn are cells of numbers that round alike. Over a cell of half width u
    around a weight, Q's density averages at most ``sinh(a)/a <= exp(a^2/6)`` times that
    at its center, ``a = u |d ln Q|``, and P's at least ``exp(-u^2/(6 lambda^2))`` times
    (Jensen). At powers of two, where cells are lopsided, a and its like count in full.

    Args:
        net: The network.
        h: (P,) stored weights.
        posterior: Q.
        prior: P.
    """
    scale = np.exp(posterior.log_scale.double().cpu().numpy())
    wide = prior.scales.double().cpu()[prior.groups.cpu()].numpy()
    vector = h.double().cpu()
    z = vector.numpy() - posterior.mean.double().cpu().numpy()
    d = vector.numpy() - prior.center.double().cpu().numpy()
    stored = np.concatenate([
        value.float().numpy().ravel() for value in net.tensors(vector).values()
    ])
    # Plus what the shear itself may round: the same half width once more.
    u = np.spacing(np.abs(stored)).astype(np.float64)
    lopsided = np.abs(np.frexp(stored)[0]) == 0.5
    a = u * np.abs(_stored_slope(net, z / scale**2))
    b = u * np.abs(_stored_slope(net, d / wide**2))
    spread = _stored_spread(net, u, wide)
    return float(
        np.where(lopsided, a + b, a * a / 6).sum() + np.square(spread).sum() / 6
    )


def _stored_slope(net: Coordinates, slope: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a gradient in the coordinates of the stored tensors."""
    found = slope.copy()
    ends = np.cumsum(net.sizes)
    for weight, bias in net.sheared.items():
        rows = slope[ends[bias] - net.sizes[bias] : ends[bias]]
        span = slice(ends[weight] - net.sizes[weight], ends[weight])
        found[span] += net.shift * np.repeat(rows, net.sizes[weight] // len(rows))
    return found


def _stored_spread(
    net: Coordinates, u: NDArray[np.float64], wide: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the half widths of cells in units of the prior's scales, sheared ones added."""
    square = u * u
    ends = np.cumsum(net.sizes)
    for weight, bias in net.sheared.items():
        rows = slice(ends[bias] - net.sizes[bias], ends[bias])
        own = square[ends[weight] - net.sizes[weight] : ends[weight]]
        square[rows] += net.shift**2 * own.reshape(net.sizes[bias], -1).sum(1)
    found: NDArray[np.float64] = np.sqrt(square) / wide
    return found
