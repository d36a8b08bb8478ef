"""What every bound of chains of layers asks first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.certify.bound import Violated
from boundkit.certify.premises import about_head, about_network, about_numbers
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
        mend: What to do about the first assumption that is violated, or "".

    Raises:
        Violated: An assumption does not hold.
    """
    found, assumptions = about_network(network)
    further = (need(found, network) for need in needs)
    assumptions += (about_numbers(norms), *about_head(network, evidence))
    assumptions += tuple(a for a in further if a is not None)
    for assumption in assumptions:
        if assumption.holds is False:
            raise Violated(assumptions, mend(assumption))
    return found, assumptions


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
