"""The Frobenius-norm bound for dense ReLU networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.certify.bound import Bound, Outcome
from boundkit.certify.premises import PREMISES, about_network, about_numbers
from boundkit.certify.residual_steps import has_additions
from boundkit.certify.sparse_cnn import sparse_cnn
from boundkit.types import Assumption

if TYPE_CHECKING:
    from boundkit.types import Evidence, Network, Norms

__all__ = ["DENSE", "dense"]


def _one_position(network: Network) -> Assumption:
    name = "every layer is dense"
    found, _ = about_network(network)
    if found is not None and found.one_position:
        return Assumption(name, holds=True, detail="one position per layer")
    spatial = [x.name for x in network.layers if x.counted and x.kind != "linear"]
    if spatial:
        why = f"{spatial[0]} is applied at many positions with one weight"
        return Assumption(name, holds=False, detail=why)
    return Assumption(name, holds=True, detail="every weight is a matrix")


def dense(
    network: Network,
    norms: Norms,
    evidence: Evidence | None,
    held_out: Evidence | None,
    delta: float,
    gamma: float | None,
    input_norm: float,
) -> Outcome:
    """Evaluate Theorem B of docs/theory.md, the corrected Theorem 3 of Xu et al. (2023).

    Args:
        network: A chain of dense layers, traced or taken for one.
        norms: Frobenius norms.
        evidence: The training sample.
        held_out: Not used.
        delta: Probability that the statement fails.
        gamma: A margin fixed in advance, or None for the best.
        input_norm: The norm that inputs are taken to stay below, without data.

    Raises:
        Missing: There is no sample size.
    """
    fits = _one_position(network)
    if fits.holds is False or has_additions(network):
        _, assumptions = about_network(network)
        assumptions += (about_numbers(norms),)
        alone = all(a.holds is not False for a in assumptions)
        note = (
            "sparse_cnn covers convolutions; toeplitz is this theorem on their unrolled "
            "matrices"
        )
        return Outcome(None, {}, (*assumptions, fits), note if alone else "")
    found = sparse_cnn(network, norms, evidence, held_out, delta, gamma, input_norm)
    return Outcome(found.log10, found.terms, (*found.assumptions, fits), found.note)


DENSE = Bound(
    id="dense",
    title="Frobenius-norm bound for dense networks",
    statement=(
        "As sparse_cnn, for networks whose layers are all dense: then S_N^2 is the sum of "
        "the squared input norms, and K_L = E_j CVaR_j(Y) / sqrt(E Y^2), at most 1.119, "
        "1.300, 1.512 and 1.687 for 2 to 5 ReLU layers."
    ),
    assumptions=(
        "every layer is dense",
        "between layers stand ReLU or LeakyReLU",
        "no normalization layer, attention, recurrence or residual addition",
        "every weight is read, finite and not zero",
        "the margins and norms of the training inputs are known",
    ),
    premises=PREMISES,
    citation="docs/theory.md, Theorem B; corrects Xu et al. (2023), Theorem 3",
    corrections=(
        "Equation (12) of Xu et al. counts the complexity twice, the union bound of (13) "
        "divides by zero at t = 0, (16) replaces rho by log rho without a proof, and a "
        "perfect fit is not needed: the margin may be chosen after the fact. The constant "
        "1 + sqrt(2 log 2 L) of Golowich et al. (2018), Theorem 1, is replaced by a "
        "smaller one."
    ),
    rule=dense,
)
