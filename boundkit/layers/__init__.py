"""Checkpoint -> Network: which tensors are layers, and how they are wired."""

from __future__ import annotations

from boundkit.layers.state_dict import from_tensors

__all__ = ["from_tensors"]
