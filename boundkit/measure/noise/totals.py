"""What is said of all layers together, and of the margins."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from boundkit.layers.probe import copied
from boundkit.measure.evidence import raw_margins
from boundkit.measure.forward import logits
from boundkit.measure.noise.estimates import Sampled, mean_square, noise_scale, trace
from boundkit.measure.noise.jitter import margin_jitter, rank_correlation
from boundkit.measure.noise.plans import runnable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import nn

    from boundkit.measure.noise.drawn import Drawn
    from boundkit.measure.noise.findings import LayerNoise
    from boundkit.measure.noise.found import Found
    from boundkit.measure.noise.passes import Plan

__all__ = ["correlation", "margins", "total"]


def total(found: Found, batch: int) -> dict[str, float | None]:
    """Return noise and signal of all layers' gradients as one vector.

    Args:
        found: What the passes saw.
        batch: B.
    """
    parts = list(found.gradient.values())
    whole = Sampled(
        np.sum([one.squares for one in parts], axis=0),
        np.sum([one.along for one in parts], axis=0),
        math.fsum(one.square for one in parts),
        parts[0].population,
    )
    estimates = {
        "gradient_noise": trace(whole, batch),
        "signal": mean_square(whole, whole.population),
        "noise_scale": noise_scale(whole),
    }
    found_values: dict[str, float | None] = {}
    for name, one in estimates.items():
        found_values[name] = one.value
        found_values[f"{name}_stderr"] = one.stderr
    return found_values


def correlation(layers: Sequence[LayerNoise], reason: str) -> dict[str, Any]:
    """Return Spearman's correlation over layers of noise with rank.

    Args:
        layers: Their columns.
        reason: Why the norm of the update is not defined, or "".
    """
    column = "normalized_noise" if reason else "update_norm"

    def numbers(name: str) -> list[float]:
        return [
            math.nan if (value := layer.values.get(name)) is None else value
            for layer in layers
        ]

    noisy = numbers(column)
    return {
        "noise": column,
        "stable_rank": rank_correlation(noisy, numbers("stable_rank")),
        "s3_over_s1": rank_correlation(noisy, numbers("s3_over_s1")),
        "layers": sum(not math.isnan(value) for value in noisy),
    }


def margins(
    plan: Plan,
    drawn: Drawn,
    earlier: nn.Module | None,
    batch_size: int,
    device: str,
) -> dict[str, float | None] | None:
    """Return how much margins differ from those of an earlier checkpoint.

    Args:
        plan: Holds the net.
        drawn: The samples.
        earlier: The net at an earlier checkpoint, or None.
        batch_size: Samples at a time.
        device: Where to run.

    Raises:
        ModelError: The earlier net does not run.
    """
    if earlier is None:
        return None
    before = runnable(copied(earlier).eval(), drawn.x[:1], device)
    both = [
        _margins_of(net, drawn, min(batch_size, len(drawn.x)))
        for net in (before, plan.module)
    ]
    spread, relative = margin_jitter(both)
    return {"std": spread, "relative": relative}


def _margins_of(module: nn.Module, drawn: Drawn, size: int) -> NDArray[np.float64]:
    import torch

    first = next(module.parameters())
    with torch.inference_mode():
        pieces = [
            raw_margins(
                logits(module, x.to(first.device, first.dtype, copy=True)).cpu(), labels
            )
            for x, labels in zip(
                torch.split(drawn.x, size), torch.split(drawn.labels, size), strict=True
            )
        ]
    return np.concatenate([piece.numpy() for piece in pieces])
