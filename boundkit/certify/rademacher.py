"""Rademacher bounds of chains of linear maps and ReLUs, from a norm to an error bound.

The bounds of this family differ in the norm, the constant and the data term that they
multiply; what they do with the product is the same and stands here once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from boundkit.certify.bound import Missing, Outcome
from boundkit.certify.margin import margin_bound, ramp_loss, smallest
from boundkit.certify.premises import about_evidence

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from boundkit.certify.margin import MarginBound, RampLoss
    from boundkit.types import Assumption, Evidence, Norms

__all__ = [
    "Complexity",
    "at_size",
    "class_factor",
    "conclude",
    "log_product",
    "needed",
    "norms_in_order",
]


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
        log_cost: Logarithm, negated, of the share of delta that this one of several
            forms of a bound may use.
        bias_energy: What constants of biases have in the energy.
        extra: More terms for the report.
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
    log_cost: float = 0.0
    bias_energy: float = 0.0
    extra: Mapping[str, float | str | None] = field(
        default_factory=lambda: MappingProxyType({})
    )

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
    (docs/theory.md, biases), after division by its scale.

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


def norms_in_order(
    layers: Sequence[str], norms: Norms, classes: int | None
) -> tuple[list[float], list[float]]:
    """Return the norms of weights and biases, of the head as margins see it.

    Args:
        layers: In forward order.
        norms: A convolution counts by its filter tensor.
        classes: Number of outputs.
    """
    weights = [norms.weight[name] for name in layers]
    biases = [norms.bias.get(name, 0.0) for name in layers]
    if norms.head is not None:
        weights[-1], biases[-1] = norms.head, norms.head_bias
    elif classes == 2:
        # The difference of two rows is at most sqrt(2) times the norm of both.
        weights[-1] *= math.sqrt(2)
        biases[-1] *= math.sqrt(2)
    return weights, biases


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
    } | dict(of.extra)


def needed(log10_n: float | None) -> dict[str, float | str | None]:
    """Return the sample size from which a bound is below 1, as terms.

    Args:
        log10_n: Its decimal logarithm; None if no size is enough.
    """
    if log10_n is None:
        return {"n_needed": None, "log10_n_needed": None}
    n = math.ceil(10**log10_n) if log10_n < 300 else None
    return {"n_needed": n, "log10_n_needed": log10_n}


def _at(
    of: Complexity,
    loss: RampLoss | None,
    log_n: float,
    delta: float,
    gamma: float | None,
) -> MarginBound:
    log_unit = math.log(of.constant * of.outputs_factor)
    log_unit += 0.5 * math.log(of.energy) if of.energy > 0 else -700.0
    return margin_bound(
        of.log_rho,
        log_unit + log_n / 2,
        loss,
        log_n=log_n,
        log_anchor=log_n / 2 - 0.5 * math.log(of.mean_paths) - math.log(16),
        delta=delta,
        gamma=gamma,
        log_cost=of.log_cost,
        chaining=of.chaining,
    )


def at_size(found: MarginBound, n: int) -> dict[str, float | str | None]:
    """Return the summands of a bound at its sample size, as terms.

    Args:
        found: The bound.
        n: The sample size.
    """
    return {
        "n": n,
        "gamma": found.margin,
        "margin_loss": found.margin_loss,
        "complexity": found.complexity if math.isfinite(found.complexity) else None,
        "confidence": found.confidence if math.isfinite(found.confidence) else None,
        "delta_j": found.delta_j,
    }


def conclude(
    of: Complexity | Sequence[Complexity],
    assumptions: tuple[Assumption, ...],
    evidence: Evidence | None,
    delta: float,
    gamma: float | None,
    input_norm: float,
) -> Outcome:
    """Turn a complexity into a bound on the error probability.

    Args:
        of: The pieces; or those of several bounds whose shares of delta sum to at most
            1, of which the best is taken.
        assumptions: About the network; those about the sample are added here.
        evidence: The training sample, or None.
        delta: Probability that the statement fails.
        gamma: A margin fixed in advance, or None for the best.
        input_norm: The norm that inputs are taken to stay below, without data.

    Raises:
        Missing: There is no sample size, or the energy is not finite.
    """
    forms = (of,) if isinstance(of, Complexity) else tuple(of)
    assumptions += about_evidence(evidence, input_norm)
    finite = [form for form in forms if math.isfinite(form.energy)]
    if not finite:
        why = "the paths from input to output are too many for a float; far above 1"
        raise Missing(why, {"layers": forms[0].layers}, assumptions)
    seen = None if evidence is None else evidence.margins
    loss = None if seen is None else ramp_loss(seen)

    def best(log_n: float) -> tuple[MarginBound, Complexity]:
        found = [(_at(form, loss, log_n, delta, gamma), form) for form in finite]
        return min(found, key=lambda each: each[0].log10)

    log10_n = smallest(lambda log_n: best(log_n)[0].log10 < 0)
    if evidence is None:
        # At the size that would do; where none does, any form says so.
        _, form = best((log10_n or 0.0) * math.log(10))
        raise Missing(
            "the number of training samples is missing: give --n, or --model and --data",
            _terms(form) | needed(log10_n),
            assumptions,
        )
    found, form = best(math.log(evidence.n))
    terms = _terms(form) | needed(log10_n) | at_size(found, evidence.n)
    terms["S_N"] = math.sqrt(form.energy * evidence.n)
    return Outcome(found.log10, terms, assumptions)
