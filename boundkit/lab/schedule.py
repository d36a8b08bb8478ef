"""Learning rates over a run."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from boundkit.lab.recipe import Schedule

__all__ = ["rate_at"]


def rate_at(epoch: int, epochs: int, rate: float, schedule: Schedule) -> float:
    """Return the learning rate of an epoch.

    Args:
        epoch: From 0.
        epochs: Of the run.
        rate: Of the first epoch.
        schedule: ``"constant"``; ``"cosine"``, half a period down to nearly 0;
            ``"step"``, a tenth from a third of the epochs on, a hundredth from two thirds.
    """
    if schedule == "cosine":
        return rate * (1 + math.cos(math.pi * epoch / epochs)) / 2
    if schedule == "step":
        return rate / 10.0 ** (3 * epoch // epochs)
    return rate
