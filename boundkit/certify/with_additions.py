"""The path-count bound of a network with additions, from its complexity to its value."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from boundkit.certify.bound import Missing, Outcome
from boundkit.certify.premises import about_network, about_numbers
from boundkit.certify.rademacher import conclude
from boundkit.certify.residual import Residual, residual
from boundkit.errors import NotApplicable
from boundkit.layers.structure import structure
from boundkit.types import Assumption

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from boundkit.types import Evidence, Network, Norms

__all__ = ["has_additions", "with_additions"]

_WIRING = "additions of chains of linear layers and ReLU-like activations"


def has_additions(network: Network) -> bool:
    """Say whether a traced network has additions, or normalizations left in it.

    Args:
        network: Traced or not.
    """
    # Attention and recurrence rule out more than additions do, and are said first.
    if structure(network).keys() & {"attention", "recurrence"}:
        return False
    return any(node.op in {"add", "norm"} for node in network.nodes or ())


def _assumptions(
    network: Network, norms: Norms, forms: Sequence[Residual]
) -> tuple[Assumption, ...]:
    """Judge what a bound of a network that the theorem covers rests on."""
    _, known = about_network(network)
    of = forms[0]
    layers = of.complexity.layers
    detail = f"traced: {layers} layers, {of.ratios} branches beside the main ones"
    wiring = Assumption(_WIRING, holds=True, detail=detail)
    if network.doubts:
        doubted = "; ".join(network.doubts)
        wiring = Assumption(_WIRING, holds=None, detail=doubted)
    ways = f"counted along {of.routes} kinds of routes"
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
    """
    if not _finite(norms):
        return Outcome(None, {}, (about_numbers(norms),))
    try:
        forms = residual(network, norms, evidence, input_norm)
    except NotApplicable as reason:
        broken = Assumption(_WIRING, holds=False, detail=str(reason))
        return Outcome(None, {}, (broken, about_numbers(norms)))
    assumptions = _assumptions(network, norms, forms)
    if any(a.holds is False for a in assumptions):
        return Outcome(None, {}, assumptions)
    found = [
        _on_one_grid(form, assumptions, evidence, delta, gamma, input_norm)
        for form in forms
    ]
    least = min((each.terms for each in found), key=_log10_needed)
    needed = {name: least[name] for name in ("n_needed", "log10_n_needed")}
    best = min(found, key=_log10)
    terms = dict(best.terms) | needed
    if isinstance(best, Missing):
        raise Missing(str(best), terms, best.assumptions)
    return Outcome(best.log10, terms, best.assumptions)


def _on_one_grid(
    form: Residual,
    assumptions: tuple[Assumption, ...],
    evidence: Evidence | None,
    delta: float,
    gamma: float | None,
    input_norm: float,
) -> Outcome | Missing:
    """Return the bound for one grid of ratios, or that there is no sample size."""
    share = delta * math.exp(-form.log_cost)
    extra = {
        "branches": form.ratios,
        "routes": form.routes,
        "ratios_per_octave": form.per_octave,
        "log_ratio_cost": form.log_cost,
    }
    try:
        outcome = conclude(
            form.complexity, assumptions, evidence, share, gamma, input_norm
        )
    except Missing as missing:
        terms = dict(missing.terms) | extra
        return Missing(str(missing), terms, missing.assumptions)
    return Outcome(outcome.log10, dict(outcome.terms) | extra, outcome.assumptions)


def _log10(found: Outcome | Missing) -> float:
    if isinstance(found, Missing) or found.log10 is None:
        return math.inf
    return found.log10


def _log10_needed(terms: Mapping[str, float | str | None]) -> float:
    needed = terms["log10_n_needed"]
    return needed if isinstance(needed, float) else math.inf
