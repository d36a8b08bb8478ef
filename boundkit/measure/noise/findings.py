"""What was found about noise and low rank, ready for a report."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["COLUMNS", "LayerNoise", "Noise"]

#: What is said of each layer, in the order of the report.
COLUMNS = (
    "update_norm",
    "update_norm_stderr",
    "update_norm_bound",
    "update_noise",
    "gradient_noise",
    "gradient_noise_stderr",
    "normalized_noise",
    "signal",
    "signal_stderr",
    "signal_with_decay",
    "signal_with_decay_stderr",
    "noise_scale",
    "noise_scale_stderr",
    "identity_residual",
    "lemma8_residual",
    "lemma8_norm",
    "patches",
    "distance_to_rank_p",
    "distance_to_rank_2p",
    "s3_over_s1",
    "stable_rank",
    "rank_bound",
    "weight_jitter",
    "update_rank",
    "update_rank_limit",
    "update_rank_distance",
)


@dataclass(frozen=True, slots=True)
class LayerNoise:
    """Noise and rank of one layer.

    Attributes:
        name: Of the layer.
        values: Column -> number; None where it is not defined or not known.
        reasons: Column -> why it is None, or what to know about the number.
    """

    name: str
    values: Mapping[str, float | None]
    reasons: Mapping[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class Noise:
    """Noise of minibatch gradients, layer by layer.

    Attributes:
        conventions: How it was measured.
        layers: In the order of the network.
        total: Of all layers together.
        correlation: Of noise with rank over layers.
        margins: Jitter of the margins, or None without an earlier model.
    """

    conventions: Mapping[str, Any]
    layers: tuple[LayerNoise, ...]
    total: Mapping[str, float | None]
    correlation: Mapping[str, Any]
    margins: Mapping[str, float | None] | None

    def summary(self) -> dict[str, Any]:
        """Return everything in JSON's types; each null of a layer has its reason."""
        return {
            "layers": {
                layer.name: {name: _number(layer.values.get(name)) for name in COLUMNS}
                | {"reasons": dict(layer.reasons)}
                for layer in self.layers
            },
            "total": {name: _number(value) for name, value in self.total.items()},
            "correlation": {
                name: _number(value) if isinstance(value, float) else value
                for name, value in self.correlation.items()
            },
            "margin_jitter": None
            if self.margins is None
            else {name: _number(value) for name, value in self.margins.items()},
            "conventions": dict(self.conventions),
        }


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
