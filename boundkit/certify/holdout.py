"""The test-set bound: an error count on samples that training has not seen."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from boundkit.certify.bound import Bound, Missing, Outcome
from boundkit.certify.premises import PREMISES
from boundkit.numerics.tails import clopper_pearson
from boundkit.types import Assumption

if TYPE_CHECKING:
    from boundkit.types import Evidence, Network, Norms

__all__ = ["HOLDOUT", "holdout"]


def holdout(
    network: Network,
    norms: Norms,
    evidence: Evidence | None,
    held_out: Evidence | None,
    delta: float,
    gamma: float | None,
    input_norm: float,
) -> Outcome:
    """Evaluate the one-sided Clopper-Pearson limit on held-out errors.

    Args:
        network: Not used: the bound sees errors only.
        norms: Not used.
        evidence: Not used.
        held_out: A sample that training has not seen.
        delta: Probability that the statement fails.
        gamma: Not used.
        input_norm: Not used.

    Raises:
        Missing: There is no held-out sample.
    """
    del network, norms, evidence, gamma, input_norm
    if held_out is None:
        raise Missing("held-out samples are missing: give --model and --test-data")
    value = clopper_pearson(held_out.errors, held_out.n, delta)
    terms: dict[str, float | str | None] = {
        "errors": held_out.errors,
        "n": held_out.n,
        "test_error": held_out.errors / held_out.n,
    }
    seen = f"{held_out.errors} errors on {held_out.n} samples"
    assumptions = (Assumption("errors are counted", holds=True, detail=seen),)
    return Outcome(math.log10(value), terms, assumptions)


HOLDOUT = Bound(
    id="holdout",
    title="Clopper-Pearson limit on held-out samples",
    statement=(
        "With probability at least 1 - delta over m i.i.d. samples that the network was "
        "chosen without, its error probability is at most the value p for which a "
        "binomial(m, p) variable is as small as the observed number of errors with "
        "probability delta."
    ),
    assumptions=("the errors on the held-out samples are counted",),
    premises=(
        PREMISES[0],
        "nothing about the network was chosen with the help of the held-out samples",
    ),
    citation="Langford (2005), JMLR 6, Theorem 3.3; Clopper and Pearson (1934)",
    corrections="",
    rule=holdout,
)
