"""What every bound of chains of layers asks first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.certify.bound import Violated
from boundkit.certify.premises import (
    NO_NORMALIZATION,
    WIRING,
    about_head,
    about_network,
    about_numbers,
)
from boundkit.certify.residual_steps import has_additions, steps
from boundkit.errors import NotApplicable
from boundkit.types import Assumption

if TYPE_CHECKING:
    from collections.abc import Callable

    from boundkit.certify.chain import Chain
    from boundkit.types import Evidence, Network, Norms

__all__ = ["opening", "without_max_pooling"]


def opening(
    network: Network,
    norms: Norms,
    evidence: Evidence | None,
    *needs: Callable[[Chain | None, Network], Assumption | None],
    mend: Callable[[Assumption], str] = lambda _: "",
) -> tuple[Chain | None, tuple[Assumption, ...]]:
    """Return the network as a chain, None without an architecture, and what that rests on.

    Args:
        network: Traced or not.
        norms: Of its weights.
        evidence: The training sample, or None.
        needs: What a bound asks beside that; None where there is nothing to say.
        mend: What to do about the first assumption that is violated, where this bound
            knows more than all do; or "".

    Raises:
        Violated: An assumption does not hold.
    """
    found, assumptions = about_network(network)
    further = (need(found, network) for need in needs)
    assumptions += (about_numbers(norms), *about_head(network, evidence))
    assumptions += tuple(a for a in further if a is not None)
    for assumption in assumptions:
        if assumption.holds is False:
            note = mend(assumption) or _mend(assumption, network)
            raise Violated(assumptions, note)
    return found, assumptions


def _mend(broken: Assumption, network: Network) -> str:
    """Say what would mend an assumption that several bounds make, or "" if nothing."""
    if network.nodes is not None:
        return _other_bound(broken, network)
    if broken.name != NO_NORMALIZATION:
        return ""
    names = network.obstacles.get("normalization", ())
    if any(name.endswith("running_mean") for name in names):
        return (
            "eval-mode BatchNorm is an affine map that can be folded into the layer "
            "before it, which needs the architecture: give --model, with --data or "
            "--input-shape"
        )
    return (
        "what these tensors do, the architecture would tell: give --model, with --data "
        "or --input-shape"
    )


def _other_bound(broken: Assumption, network: Network) -> str:
    if broken.name != WIRING or not has_additions(network):
        return ""
    try:
        steps(network)
    except NotApplicable:
        return ""
    return "sparse_cnn covers additions and the BatchNorms that stay"


def without_max_pooling(of: Chain | None, network: Network) -> Assumption | None:
    """Judge whether the network unrolls into matrices.

    Args:
        of: The network as a chain, or None.
        network: The same.
    """
    del network
    if of is None or not any(s.layer is None and s.maximum for s in of.stages):
        return None
    why = "max pooling is not a matrix; sparse_cnn covers it"
    return Assumption("the network unrolls", holds=False, detail=why)
