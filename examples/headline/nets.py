"""The architectures of the headline, as ``--model examples/headline/nets.py:NAME``."""

from __future__ import annotations

from boundkit.lab.headline.nets import (
    batch_norm,
    biased,
    dense,
    leaky,
    leaky_ten,
    linear,
    linear_ten,
    max_pool,
    overlap_four,
    overlap_three,
    relu,
    relu_ten,
    relu_wide,
    residual,
    route_one,
    route_two,
)

__all__ = [
    "batch_norm",
    "biased",
    "dense",
    "leaky",
    "leaky_ten",
    "linear",
    "linear_ten",
    "max_pool",
    "overlap_four",
    "overlap_three",
    "relu",
    "relu_ten",
    "relu_wide",
    "residual",
    "route_one",
    "route_two",
]
