"""A random part of a data set, kept in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from boundkit.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

    from boundkit.data import Samples

__all__ = ["Drawn", "draw"]


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Some samples of a data set, drawn without replacement, in their order.

    Attributes:
        x: (m, *shape) inputs on the CPU.
        labels: (m,) on the CPU.
        population: How many samples there are in all.
    """

    x: torch.Tensor
    labels: torch.Tensor
    population: int


def draw(
    samples: Samples,
    most: int,
    seed: int,
    batch_size: int,
    progress: Callable[[int, int | None, str], None] | None = None,
) -> Drawn:
    """Return at most so many samples, which do not depend on the batch size.

    One pass over the data, two where their number is not known.

    Args:
        samples: The data set.
        most: Samples to keep.
        seed: Of the choice.
        batch_size: Samples at a time.
        progress: Called with samples read, samples in all, and a label.

    Raises:
        DataError: A batch is not usable, or there are no samples.
    """
    import torch

    n = samples.n
    if n is None:
        n = sum(len(y) for _, y in samples.batches(batch_size))
    generator = np.random.default_rng(seed)
    wanted = np.zeros(n, np.bool_)
    wanted[generator.choice(n, min(most, n), replace=False)] = True
    xs, ys, done = [], [], 0
    for x, y in samples.batches(batch_size):
        keep = torch.from_numpy(wanted[done : done + len(y)])
        if len(keep) < len(y):
            raise DataError(
                f"{samples.name}: gives {done + len(y)} samples or more, but gave {n}"
                " before; give the same samples each time"
            )
        xs.append(x[keep])
        ys.append(y[keep])
        done += len(y)
        if progress is not None:
            progress(done, n, "samples")
    return Drawn(torch.cat(xs), torch.cat(ys), n)
