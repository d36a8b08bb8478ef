"""From a certified network back to the original one, by fresh inputs without labels.

``R(f) <= R(h) + Pr(f != h)``: where f errs, h errs or differs from it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from boundkit.data import open_data
from boundkit.layers.probe import copied
from boundkit.numerics.tails import clopper_pearson
from boundkit.posthoc.counting import disagreements

if TYPE_CHECKING:
    import torch
    from torch import nn

    from boundkit.data import Samples

__all__ = ["bridged", "unlabelled_inputs"]


def unlabelled_inputs(spec: Any) -> Samples:
    """Open inputs whose labels, if there are any, nobody looks at.

    Args:
        spec: As for training data; an .npz may hold x alone, an array has no labels.

    Raises:
        DataError: It is not there, or not a data set.
    """
    import numpy as np

    if isinstance(spec, str | Path) and Path(spec).suffix == ".npz":
        path = Path(spec)
        if path.is_file():
            with np.load(path, allow_pickle=False) as stored:
                if "x" in stored and "y" not in stored:
                    return _without_labels(stored["x"])
    elif hasattr(spec, "shape"):
        return _without_labels(spec)
    return open_data(spec, "test")


def _without_labels(x: Any) -> Samples:
    import torch

    return open_data((x, torch.zeros(len(x), dtype=torch.int64)))


def bridged(
    original: nn.Module,
    certified: nn.Module,
    fresh: Samples,
    bound: float,
    delta: float,
    device: torch.device,
    batch_size: int,
) -> dict[str, Any]:
    """Return the bound on the original network, and what it is made of.

    Args:
        original: In eval mode.
        certified: In eval mode.
        fresh: Inputs that neither network was chosen with.
        bound: On the certified network.
        delta: Probability that the count of disagreements misleads.
        device: Where to run.
        batch_size: Samples at a time.

    Raises:
        DataError: The inputs are not usable.
        ModelError: A network does not run.
    """
    first, second = (copied(net).to(device).eval() for net in (original, certified))
    differ, total = disagreements(first, second, fresh.batches(batch_size), device)
    share = clopper_pearson(differ, total, delta)
    return {
        "samples": total,
        "disagreements": differ,
        "delta": delta,
        "disagreement_bound": share,
        "bound_original": min(1.0, bound + share),
    }
