"""SGD noise and the low-rank residual of Xu et al. (2023), section 6.

For one output, the square loss and normalized layers ``V_k = W_k / rho_k``, the update of
layer k by the samples of a minibatch is the mean of vectors ``t_n``::

    t_n = 2 rho l_n (d fb_n/dV_k - fb_n V_k),    l_n = 1 - rho fb_n

with ``f_W = rho f_V`` and ``fb_n = y_n f_V(x_n)``. Since ``rho d f_V/dV_k`` is
``rho_k d f_W/dW_k``, no product of norms enters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

    Rows = Mapping[str, torch.Tensor]

__all__ = ["Euler", "tangents", "widest"]


def tangents(
    rows: Rows,
    outputs: torch.Tensor,
    slopes: torch.Tensor,
    weights: Mapping[str, torch.Tensor],
) -> dict[str, torch.Tensor]:
    """Return ``-t_n`` of each sample: how the loss pulls on the normalized layers.

    Xu et al. (2023), (10) and (53), with ``fb_n V_k`` where (53) prints ``f_n V_k``.

    Args:
        rows: Layer -> (c, numel) gradients of the output.
        outputs: (c,) f_W.
        slopes: (c,) derivative of the loss by the output, ``2 (f - y) = -2 y l``.
        weights: Layer -> (numel,) W_k, not zero.

    Returns:
        Layer -> (c, numel).
    """
    found = {}
    for name, part in rows.items():
        length = weights[name].norm()
        direction = weights[name] / length
        pull = length * part - outputs.unsqueeze(1) * direction
        found[name] = slopes.unsqueeze(1) * pull
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Euler:
    """How well ``<W_k, d f/dW_k> = f`` holds, as it does where f is linear in W_k.

    Attributes:
        worst: Layer -> () largest difference of the two.
        largest: () largest ``|f|``.
    """

    worst: Mapping[str, torch.Tensor]
    largest: torch.Tensor

    @classmethod
    def of(
        cls, rows: Rows, outputs: torch.Tensor, weights: Mapping[str, torch.Tensor]
    ) -> Euler:
        """Look at some samples, on the device of their rows.

        Args:
            rows: Layer -> (c, numel) gradients of the output.
            outputs: (c,) f.
            weights: Layer -> (numel,).

        Returns:
            The worst of these samples.
        """
        worst = {
            name: (part @ weights[name] - outputs).abs().amax()
            for name, part in rows.items()
        }
        return cls(worst, outputs.abs().amax())

    def __add__(self, other: Euler) -> Euler:
        """Merge two samples."""
        import torch

        worst = {
            name: torch.maximum(mine, other.worst[name])
            for name, mine in self.worst.items()
        }
        return Euler(worst, torch.maximum(self.largest, other.largest))


def widest(
    first: Rows, second: Rows, mean: Mapping[str, torch.Tensor]
) -> dict[str, torch.Tensor]:
    """Return the largest squared distance between a row of one and a row of the other.

    From Gram matrices about the mean, so that what all rows share does not cancel.

    Args:
        first: Layer -> (c, numel) float64.
        second: Layer -> (d, numel) float64.
        mean: Layer -> (numel,).

    Returns:
        Layer -> ().
    """
    found = {}
    for name, part in first.items():
        one, two = part - mean[name], second[name] - mean[name]
        squares = one.square().sum(1).unsqueeze(1) + two.square().sum(1)
        found[name] = (squares - 2 * (one @ two.mT)).amax().clamp(min=0)
    return found
