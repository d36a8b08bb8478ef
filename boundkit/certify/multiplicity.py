"""The best of several certificates, at the price of having looked at all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from boundkit.certify.bound import evaluate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from boundkit.certify.bound import Bound
    from boundkit.types import Certificate, Evidence, Network, Norms

__all__ = ["Best", "best"]


@dataclass(frozen=True, slots=True, eq=False)
class Best:
    """The smallest of several valid certificates.

    Attributes:
        shared: It, evaluated at ``delta / k``: may be quoted at delta after a look at
            all k.
        alone: The same bound at delta: may be quoted only if it was chosen in advance.
        among: k.
    """

    shared: Certificate
    alone: Certificate
    among: int


def best(
    bounds: Sequence[Bound],
    network: Network,
    norms: Norms,
    evidence: Evidence | None,
    held_out: Evidence | None,
    delta: float,
    gamma: float | None,
    input_norm: float,
) -> Best | None:
    """Return the smallest valid certificate of k bounds, each at ``delta / k``.

    With probability at least ``1 - delta`` all k statements at ``delta / k`` hold at
    once, so the smallest does (union bound). A bound that does not apply, or has no
    value, is counted all the same: that was seen only after the look.

    Args:
        bounds: The k that are considered, fixed in advance.
        network: Layers, wired if the architecture is known.
        norms: Of its weights.
        evidence: What the training sample tells.
        held_out: What a sample that training has not seen tells.
        delta: Probability that the result fails.
        gamma: A margin fixed in advance, or None to choose the best.
        input_norm: Norm that every input is taken to stay below, without data.

    Returns:
        None if no certificate is valid and has a value.
    """

    def at(bound: Bound, risk: float) -> Certificate:
        return evaluate(
            bound, network, norms, evidence, held_out, risk, gamma, input_norm
        )

    found = [(at(bound, delta / len(bounds)), bound) for bound in bounds]
    usable = [
        (c.value, i, c)
        for i, (c, _) in enumerate(found)
        if c.status == "valid" and c.value is not None
    ]
    if not usable:
        return None
    # Ties go to the first; no two entries have the same index.
    _, index, shared = min(usable)
    return Best(shared, at(found[index][1], delta), len(bounds))
