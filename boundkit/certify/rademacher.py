"""Rademacher bounds of chains of linear maps and ReLUs, from a norm to an error bound.

The bounds of this family differ in the norm, the constant and the data term that they
multiply; what they do with the product is the same and stands here once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from boundkit.certify.bound import Missing, Outcome
from boundkit.certify.margin import margin_bound, samples_needed
from boundkit.certify.premises import about_evidence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from boundkit.types import Assumption, Evidence

__all__ = ["Complexity", "class_factor", "conclude", "log_product", "needed"]


@dataclass(frozen=True, slots=True)
class Complexity:
    """The pieces of ``n Rh <= A_C K rho S_N``.

    Attributes:
        log_rho: Natural logarithm of the norm.
        constant: K.
        constant_kind: Where K comes from, in words.
        classes: Outputs of the net, or None.
        energy: ``S_N^2 / n``.
        mean_paths: Mean number of paths per input position; anchors the grid.
        layers: Number of layers, each use counted.
        factor: What several outputs cost, in place of A_C; None for A_C.
        chaining: Whether ``K rho S_N`` is the scale E of an entropy ``(E / eps)^2``
            rather than ``n Rh`` itself.
    """

    log_rho: float
    constant: float
    constant_kind: str
    classes: int | None
    energy: float
    mean_paths: float
    layers: int
    factor: float | None = None
    chaining: bool = False

    @property
    def outputs_factor(self) -> float:
        """What several outputs multiply the complexity by."""
        return class_factor(self.classes or 1) if self.factor is None else self.factor


def class_factor(classes: int) -> float:
    """Return ``A_C = min(sqrt(2 (C - 1)), 1 + sqrt(ceil(C / 2)))``; 1 for up to two.

    For two classes the head counts by the difference of its rows, which is exact; for
    more by its rows minus their mean (docs/theory.md, multiclass).

    Args:
        classes: Number of outputs.
    """
    if classes <= 2:
        return 1.0
    return min(math.sqrt(2 * (classes - 1)), 1 + math.sqrt(math.ceil(classes / 2)))


def log_product(weights: Sequence[float], biases: Sequence[float]) -> float:
    """Return log of ``P_L``, with ``P_l = P_{l-1} sqrt(w_l^2 + (b_l / P_{l-1})^2)``.

    Without biases that is the sum of the logarithms of the norms. A bias is an edge from
    a constant to every position, counted relative to the norm of the layers before it
    (docs/theory.md, biases, with scale 1).

    Args:
        weights: (L,) positive norms in forward order.
        biases: (L,) norms, 0 where there is none.
    """
    total = 0.0
    for weight, bias in zip(weights, biases, strict=True):
        log_weight = math.log(weight)
        if bias > 0:
            relative = math.log(bias) - total
            high, low = max(log_weight, relative), min(log_weight, relative)
            log_weight = high + 0.5 * math.log1p(math.exp(2 * (low - high)))
        total += log_weight
    return total


def _terms(of: Complexity) -> dict[str, float | str | None]:
    return {
        "layers": of.layers,
        "rho": math.exp(of.log_rho) if abs(of.log_rho) < 700 else None,
        "rho_log10": of.log_rho / math.log(10),
        "K_L": of.constant,
        "K_L_kind": of.constant_kind,
        "outputs": of.classes,
        "A_C": of.outputs_factor,
        "energy_per_sample": of.energy,
        "mean_paths": of.mean_paths,
        "form": "d: empirical complexity, self-bounding",
    }


def needed(log10_n: float | None) -> dict[str, float | str | None]:
    """Return the sample size from which a bound is below 1, as terms.

    Args:
        log10_n: Its decimal logarithm; None if no size is enough.
    """
    if log10_n is None:
        return {"n_needed": None, "log10_n_needed": None}
    n = math.ceil(10**log10_n) if log10_n < 300 else None
    return {"n_needed": n, "log10_n_needed": log10_n}


def conclude(
    of: Complexity,
    assumptions: tuple[Assumption, ...],
    evidence: Evidence | None,
    delta: float,
    gamma: float | None,
    input_norm: float,
) -> Outcome:
    """Turn a complexity into a bound on the error probability.

    Args:
        of: The pieces.
        assumptions: About the network; those about the sample are added here.
        evidence: The training sample, or None.
        delta: Probability that the statement fails.
        gamma: A margin fixed in advance, or None for the best.
        input_norm: The norm that inputs are taken to stay below, without data.

    Raises:
        Missing: There is no sample size, or the energy is not finite.
    """
    assumptions += about_evidence(evidence, input_norm)
    if not math.isfinite(of.energy):
        why = "the paths from input to output are too many for a float; far above 1"
        raise Missing(why, {"layers": of.layers}, assumptions)
    margins = evidence.margins if evidence is not None else None
    log_unit = math.log(of.constant * of.outputs_factor)
    log_unit += 0.5 * math.log(of.energy) if of.energy > 0 else -700.0
    log_anchor = -0.5 * math.log(of.mean_paths) - math.log(16)
    terms = _terms(of) | needed(
        samples_needed(
            of.log_rho,
            log_unit,
            margins,
            log_anchor_per_root_n=log_anchor,
            delta=delta,
            gamma=gamma,
            chaining=of.chaining,
        )
    )
    if evidence is None:
        raise Missing(
            "the number of training samples is missing: give --n, or --model and --data",
            terms,
            assumptions,
        )
    root_n = 0.5 * math.log(evidence.n)
    found = margin_bound(
        of.log_rho,
        log_unit + root_n,
        margins,
        log_n=2 * root_n,
        log_anchor=log_anchor + root_n,
        delta=delta,
        gamma=gamma,
        chaining=of.chaining,
    )
    terms |= {
        "n": evidence.n,
        "S_N": math.sqrt(of.energy * evidence.n),
        "gamma": found.margin,
        "margin_loss": found.margin_loss,
        "complexity": found.complexity if math.isfinite(found.complexity) else None,
        "confidence": found.confidence if math.isfinite(found.confidence) else None,
        "delta_j": found.delta_j,
    }
    return Outcome(found.log10, terms, assumptions)
