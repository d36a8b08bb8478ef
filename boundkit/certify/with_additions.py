"""The path-count bound of a network with additions, from its complexity to its value."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from boundkit.certify.bound import Violated
from boundkit.certify.normalized import RouteSum, conclude_normalized, energy_of
from boundkit.certify.premises import about_network, about_numbers
from boundkit.certify.rademacher import conclude
from boundkit.certify.residual_forms import residual
from boundkit.errors import NotApplicable
from boundkit.types import Assumption

if TYPE_CHECKING:
    from boundkit.certify.bound import Outcome
    from boundkit.certify.residual_forms import Residual
    from boundkit.types import Evidence, Network, Norms

__all__ = ["with_additions"]

_WIRING = "additions of chains of linear layers and ReLU-like activations"


def _assumptions(
    network: Network, norms: Norms, of: Residual
) -> tuple[Assumption, ...]:
    """Judge what a bound of a network that the theorem covers rests on."""
    _, known = about_network(network)
    layers = of.forms[0].layers
    detail = f"traced: {layers} layers, {of.ratios} branches beside the main ones"
    wiring = Assumption(_WIRING, holds=True, detail=detail)
    if network.doubts:
        doubted = "; ".join(network.doubts)
        wiring = Assumption(_WIRING, holds=None, detail=doubted)
    ways = f"counted along {len(of.whole.counts)} kinds of routes"
    paths = Assumption(
        "paths from input to output are counted", holds=True, detail=ways
    )
    numbers = about_numbers(norms)
    if numbers.holds is False and all(math.isfinite(x) for x in norms.weight.values()):
        # Routes were added up, so what is zero stands on a branch of its own.
        zero = "some branch is zero, the network is not"
        numbers = Assumption(numbers.name, holds=True, detail=zero)
    return (wiring, *known[1:], numbers, paths)


def _finite(norms: Norms) -> bool:
    sizes = [*norms.weight.values(), *norms.bias.values()]
    return bool(norms.weight) and norms.head != 0 and all(map(math.isfinite, sizes))


def _normalized(
    of: Residual,
    assumptions: tuple[Assumption, ...],
    evidence: Evidence,
    delta: float,
    gamma: float | None,
) -> Outcome:
    """Evaluate confidence form (c'): every route has an energy of its own."""
    energies = [energy_of(evidence, counts) for counts in of.whole.counts]
    sums = [
        RouteSum(form, weights, form.bias_energy * of.whole.constants)
        for form, weights in zip(of.forms, of.weights, strict=True)
    ]
    return conclude_normalized(sums, energies, assumptions, evidence, delta, gamma)


def with_additions(
    network: Network,
    norms: Norms,
    evidence: Evidence | None,
    delta: float,
    gamma: float | None,
    input_norm: float,
) -> Outcome:
    """Evaluate Theorem R of docs/theory_residual.md.

    Args:
        network: Traced, with additions or normalizations.
        norms: Filter norms: a convolution counts by its filter tensor.
        evidence: The training sample.
        delta: Probability that the statement fails.
        gamma: A margin fixed in advance, or None for the best.
        input_norm: The norm that inputs are taken to stay below, without data.

    Raises:
        Missing: There is no sample size.
        Violated: The theorem does not cover the network, or its numbers.
    """
    if not _finite(norms):
        raise Violated((about_numbers(norms),))
    declared = evidence is not None and evidence.declared is not None
    # Form (c') takes constants that are free of data.
    blind = (
        replace(evidence, patch_spectrum=None) if evidence and declared else evidence
    )
    try:
        found = residual(network, norms, blind, input_norm)
    except NotApplicable as reason:
        broken = Assumption(_WIRING, holds=False, detail=str(reason))
        raise Violated((broken, about_numbers(norms))) from reason
    assumptions = _assumptions(network, norms, found)
    if any(a.holds is False for a in assumptions):
        raise Violated(assumptions)
    if evidence is not None and declared:
        return _normalized(found, assumptions, evidence, delta, gamma)
    return conclude(found.forms, assumptions, evidence, delta, gamma, input_norm)
