"""The columns of one layer, from what the passes saw."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from boundkit.measure.noise.estimates import (
    Estimate,
    Sampled,
    mean_square,
    noise_scale,
    root,
    trace,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


__all__ = [
    "Columns",
    "Training",
    "absent",
    "estimated",
    "gradient_columns",
    "update_columns",
]

_BELOW = "the sample cannot tell it from 0; look at more samples"
_NOT_FINITE = "a gradient is not finite"


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Numbers by the name of their column, and why some are None.

    Attributes:
        values: Column -> number, or None.
        reasons: Column -> why it is None, or what to know about the number.
    """

    values: Mapping[str, float | None]
    reasons: Mapping[str, str]

    def __or__(self, other: Columns) -> Columns:
        """Put the columns of both beside each other."""
        return Columns(
            {**self.values, **other.values}, {**self.reasons, **other.reasons}
        )


@dataclass(frozen=True, slots=True)
class Training:
    """How SGD was run, as far as the user says; None where not.

    Attributes:
        batch: B, samples per step.
        learning_rate: mu.
        weight_decay: lam of ``lam ||W||^2``, half of torch's weight_decay.
        steps: Steps between the earlier checkpoint and this one.
    """

    batch: int
    learning_rate: float | None = None
    weight_decay: float | None = None
    steps: int | None = None


def estimated(found: Mapping[str, Estimate | float], why: str) -> Columns:
    """Return columns, with a column ``_stderr`` beside each estimate.

    Args:
        found: Column -> number.
        why: The reason where one is not finite.
    """
    values: dict[str, float | None] = {}
    for name, one in found.items():
        if isinstance(one, Estimate):
            values[name] = one.value
            values[f"{name}_stderr"] = one.stderr
        else:
            values[name] = one
    values = {
        n: v if v is not None and math.isfinite(v) else None for n, v in values.items()
    }
    return Columns(values, {n: why for n, v in values.items() if v is None})


def gradient_columns(
    sampled: Sampled, pulled: Sampled | None, weight_norm: float, batch: int
) -> Columns:
    """Return noise, signal and their ratio, of gradients of the loss.

    Args:
        sampled: Gradients of the loss of single samples by the weight.
        pulled: The same plus ``2 lam W``, or None without weight decay.
        weight_norm: ``||W||``.
        batch: B.
    """
    noise = trace(sampled, batch)
    whole = sampled.population
    zero = not bool(sampled.squares.any()) and sampled.square == 0
    broken = not math.isfinite(sampled.square)
    why = _NOT_FINITE if broken else "no gradient reaches it" if zero else _BELOW
    known = estimated(
        {
            "gradient_noise": noise,
            "normalized_noise": weight_norm**2 * noise.value,
            "signal": mean_square(sampled, whole),
            "noise_scale": noise_scale(sampled),
        },
        why,
    )
    if pulled is not None:
        return known | estimated({"signal_with_decay": mean_square(pulled, whole)}, why)
    missing = ("signal_with_decay", "signal_with_decay_stderr")
    return known | absent(missing, "needs the weight decay")


def absent(names: Sequence[str], why: str) -> Columns:
    """Return columns that have no value.

    Args:
        names: Theirs.
        why: The reason.
    """
    return Columns(dict.fromkeys(names), dict.fromkeys(names, why))


def update_columns(
    sampled: Sampled | None,
    widest: float,
    identity: float | None,
    log_rho: float,
    batch: int,
    obstacle: str,
) -> Columns:
    """Return the norm of SGD's updates and the residual of Lemma 8.

    Xu et al. (2023), (53): root mean squares over minibatches, of the norm of the
    update over the learning rate, and of the sum of norms that bounds it. Lemma 8: the
    largest ``||h_i - h_j||`` and ``||h_n||`` for ``h_n = l_n (d fb_n/dV_k - fb_n V_k)``.

    Args:
        sampled: Pulls of single samples on the normalized layer; None with an obstacle.
        widest: Largest squared distance between two of them.
        identity: Largest ``|<V_k, d f/dV_k> - f|`` over the largest ``|f|``, or None.
        log_rho: Logarithm of the product of norms.
        batch: B.
        obstacle: Why the paper's quantities are not defined here, or "".
    """
    names = (
        "update_norm",
        "update_norm_stderr",
        "update_norm_bound",
        "update_noise",
        "lemma8_residual",
        "lemma8_norm",
    )
    seen = estimated(
        {} if identity is None else {"identity_residual": identity}, _BELOW
    )
    if identity is None:
        seen |= absent(("identity_residual",), obstacle)
    if obstacle or sampled is None:
        return seen | absent(names, obstacle)
    lengths = np.sqrt(
        (sampled.squares + 2 * sampled.along + sampled.square).clip(min=0.0)
    )
    # Of the norms, so of vectors with one entry.
    mean = float(lengths.mean())
    norms = Sampled(
        np.square(lengths - mean), (lengths - mean) * mean, mean**2, sampled.population
    )
    found: dict[str, Estimate | float] = {
        "update_norm": root(mean_square(sampled, batch)),
        "update_norm_bound": root(mean_square(norms, batch)).value,
        "update_noise": trace(sampled, batch).value,
    }
    scale = math.exp(-log_rho) / 2 if abs(log_rho) < 700 else math.nan
    lemma = {
        "lemma8_residual": scale * math.sqrt(widest),
        "lemma8_norm": scale * float(lengths.max()),
    }
    beyond = "the product of norms is beyond the range of float64"
    return seen | estimated(found, _BELOW) | estimated(lemma, beyond)
