"""Errors that rounding cannot hide, and the smooth loss that stands in for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.measure.sample_sums import raw_margins

if TYPE_CHECKING:
    import torch

__all__ = ["SCALES", "TOLERANCE", "decisions", "mistakes", "smooth_loss"]

#: A margin must exceed this share of the largest output to count as right: another
#: machine, batch size or kernel changes outputs by far less.
TOLERANCE = 1e-5
#: Factors on the outputs that the smooth loss chooses from.
SCALES = (1.0, 2.0, 4.0, 8.0, 16.0)


def mistakes(
    outputs: torch.Tensor, labels: torch.Tensor, tolerance: float
) -> torch.Tensor:
    """Return which samples are not clearly classified right; NaN is a mistake.

    Args:
        outputs: (b, C); C = 1 for a net whose sign decides.
        labels: (b,) class indices, or -1/+1 or 0/1 for C <= 2, on the same device.
        tolerance: Share of the largest output that a margin must exceed.

    Returns:
        (b,) booleans.
    """
    largest = outputs.abs().amax(1).double()
    return ~(raw_margins(outputs, labels) > tolerance * largest)


def decisions(outputs: torch.Tensor) -> torch.Tensor:
    """Return the class that each output chooses, -1 where it is not finite.

    Args:
        outputs: (b, C); C = 1 for a net whose sign decides.

    Returns:
        (b,) int64.
    """
    single = outputs.shape[1] == 1
    chosen = (outputs[:, 0] > 0).long() if single else outputs.argmax(1)
    return chosen.where(outputs.isfinite().all(1), -1)


def smooth_loss(
    outputs: torch.Tensor, labels: torch.Tensor, scale: float
) -> torch.Tensor:
    """Return the mean cross-entropy of scaled outputs in nats.

    Args:
        outputs: (b, C); C = 1 for a net whose sign decides.
        labels: (b,) class indices, or -1/+1 or 0/1 for C <= 2.
        scale: Factor on the outputs.
    """
    from torch.nn.functional import cross_entropy, softplus

    if outputs.shape[1] == 1:
        value = scale * outputs[:, 0]
        return softplus(-2 * value.where(labels > 0, -value)).mean()
    return cross_entropy(scale * outputs, labels.clamp(min=0))
