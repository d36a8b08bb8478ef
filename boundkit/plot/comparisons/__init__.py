"""Figures of several nets of one architecture."""

from __future__ import annotations

from boundkit.plot.comparisons.side_by_side import Compared, side_by_side

__all__ = ["Compared", "side_by_side"]
