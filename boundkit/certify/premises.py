"""What no program can check, and how the checkable assumptions are judged."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from boundkit.certify.chain import Chain, chain
from boundkit.errors import NotApplicable
from boundkit.layers.state_dict import GUESSED_ORDER
from boundkit.layers.structure import structure
from boundkit.types import Assumption

if TYPE_CHECKING:
    from boundkit.types import Evidence, Network, Norms

__all__ = [
    "NO_NORMALIZATION",
    "PREMISES",
    "WIRING",
    "about_evidence",
    "about_head",
    "about_network",
    "about_numbers",
]

PREMISES = (
    "the sample is i.i.d.",
    "preprocessing was fixed without it",
    "the architecture was not chosen on it",
)

#: What is assumed of the graph, and of tensors without one.
WIRING = "chain of linear layers and ReLU-like activations"
NO_NORMALIZATION = "no normalization layer"


def _names(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown


def _foremost(network: Network) -> str:
    """Name what rules a network out altogether, "" if nothing does."""
    found = structure(network)
    for sort in ("attention", "recurrence"):
        if names := found.get(sort):
            return f"{_names(names)}: {sort} is not a chain of linear layers and ReLUs"
    return ""


def _wiring(network: Network) -> tuple[Chain | None, Assumption]:
    name = WIRING
    if network.nodes is not None:
        try:
            found = chain(network)
        except NotApplicable as reason:
            detail = _foremost(network) or str(reason)
            return None, Assumption(name, holds=False, detail=detail)
        if network.doubts:
            doubted = "; ".join(network.doubts)
            return found, Assumption(name, holds=None, detail=doubted)
        detail = f"traced: {len(found.layers)} layers, {len(found.coins)} activations"
        return found, Assumption(name, holds=True, detail=detail)
    for sort, what in (
        ("attention", "attention is not a chain of linear layers and ReLUs"),
        (
            "recurrent",
            "a recurrent network applies its matrices a varying number of times",
        ),
        (
            "embedding",
            "an embedding is a table, its input is not a vector of bounded norm",
        ),
    ):
        if names := network.obstacles.get(sort):
            return None, Assumption(
                name, holds=False, detail=f"{_names(names)}: {what}"
            )
    if names := network.obstacles.get("branching"):
        why = (
            f"{names[1]} cannot take what {names[0]} gives, nor does another order fit"
        )
        return None, Assumption(name, holds=False, detail=why)
    order = "an order in which their shapes fit"
    if GUESSED_ORDER not in network.rewrites:
        order = "stored order"
    why = f"no architecture: layers are taken in {order} with a ReLU between them"
    return None, Assumption(name, holds=None, detail=f"{why}; --model would tell")


def _stray_biases(network: Network) -> tuple[Assumption, ...]:
    """Judge whether every bias is known to belong to a layer."""
    owned = {
        f"{layer.name.removesuffix('weight')}bias"
        for layer in network.layers
        if layer.bias is not None
    }
    stray = tuple(b for b in network.obstacles.get("bias", ()) if b not in owned)
    if not stray:
        return ()
    why = f"{_names(stray)}: not stored beside a weight; --model would tell"
    return (Assumption("every bias belongs to a layer", holds=False, detail=why),)


def about_network(network: Network) -> tuple[Chain | None, tuple[Assumption, ...]]:
    """Return the network as a chain, if it is one, and what that rests on.

    Args:
        network: Traced or not; without an architecture the chain is None and the
            assumption is left open unless the tensors speak against it.
    """
    found, wiring = _wiring(network)
    assumptions = [wiring]
    if network.nodes is None:
        norm = network.obstacles.get("normalization", ())
        detail = f"found {_names(norm)}" if norm else "no tensor of one"
        assumptions.append(Assumption(NO_NORMALIZATION, holds=not norm, detail=detail))
        assumptions += _stray_biases(network)
    missing = network.obstacles.get("unread", ()) + network.obstacles.get("adapter", ())
    if missing:
        detail = f"{_names(missing)}: not read, so not in rho"
        assumptions.append(
            Assumption("every weight is counted", holds=False, detail=detail)
        )
    return found, tuple(assumptions)


def about_numbers(norms: Norms) -> Assumption:
    """Judge whether every norm that the bounds multiply is finite and positive.

    Args:
        norms: Of the network's weights.
    """
    name = "weights are finite and not all zero"
    if not norms.weight:
        return Assumption(name, holds=False, detail="there is no layer")
    for layer, norm in norms.bias.items():
        if not math.isfinite(norm):
            what = f"the bias of layer {layer} is not finite"
            return Assumption(name, holds=False, detail=what)
    for layer, norm in norms.weight.items():
        if not 0 < norm < math.inf:
            what = (
                "is zero, so the network is constant" if norm == 0 else "is not finite"
            )
            return Assumption(name, holds=False, detail=f"layer {layer} {what}")
    if norms.head == 0:
        what = "the outputs are all alike, so the margins are 0"
        return Assumption(name, holds=False, detail=what)
    return Assumption(name, holds=True, detail=f"{len(norms.weight)} norms")


def about_evidence(
    evidence: Evidence | None, input_norm: float
) -> tuple[Assumption, ...]:
    """Judge what is known about the training sample.

    Args:
        evidence: Measured, taken on the user's word, or None.
        input_norm: The norm that inputs are taken to stay below, without data.
    """
    if evidence is not None and evidence.measured:
        seen = f"{evidence.n} samples, {evidence.errors} errors"
        norm = f"root mean square {evidence.mean_square_norm**0.5:.4g}"
        return (
            Assumption("training margins are known", holds=True, detail=seen),
            Assumption("input norms are known", holds=True, detail=norm),
        )
    fit = "taken to fit all its training samples with margin 1; --data would tell"
    norm = f"inputs are taken to have norm at most {input_norm:g}; --data would tell"
    return (
        Assumption("training margins are known", holds=None, detail=fit),
        Assumption("input norms are known", holds=None, detail=norm),
    )


def about_head(network: Network, evidence: Evidence | None) -> tuple[Assumption, ...]:
    """Judge whether the last stored layer can be the one whose outputs were seen.

    Args:
        network: Traced, then there is nothing to judge; or not.
        evidence: The training sample, or None.
    """
    seen = evidence.outputs if evidence is not None else None
    if network.nodes is not None or seen is None or seen == network.outputs:
        return ()
    why = f"the last stored layer has {network.outputs} outputs, the network {seen}"
    return (Assumption("the last stored layer is the head", holds=False, detail=why),)
