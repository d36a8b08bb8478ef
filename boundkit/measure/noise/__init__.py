"""Noise of SGD, and the low rank that it implies: Xu et al. (2023), section 6.

``placement`` and ``drawn`` prepare a module and a sample, ``plans``, ``per_sample`` and
``passes`` take gradients, ``moments`` and ``xu2023`` sum them up, ``estimates``,
``low_rank`` and ``jitter`` say what follows, ``columns`` and ``measured`` report it.
"""

from __future__ import annotations

from boundkit.measure.noise.findings import LayerNoise, Noise
from boundkit.measure.noise.jitter import margin_jitter, weight_jitter
from boundkit.measure.noise.low_rank import RankBound, rank_bound
from boundkit.measure.noise.measured import noise

__all__ = [
    "LayerNoise",
    "Noise",
    "RankBound",
    "margin_jitter",
    "noise",
    "rank_bound",
    "weight_jitter",
]
