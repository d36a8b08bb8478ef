"""The norm-based bound of Neyshabur, Tomioka and Srebro (2015), p = q = 2."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from boundkit.certify.bias_scales import with_biases
from boundkit.certify.bound import Bound, Missing
from boundkit.certify.energies import energy_per_sample
from boundkit.certify.opening import opening, without_max_pooling
from boundkit.certify.premises import PREMISES
from boundkit.certify.rademacher import Complexity, conclude
from boundkit.certify.sparse_cnn_log import as_dense
from boundkit.certify.toeplitz import unrolled_norms
from boundkit.certify.unrolled import biased_layers

if TYPE_CHECKING:
    from boundkit.certify.bound import Outcome
    from boundkit.certify.chain import Chain
    from boundkit.types import Evidence, Network, Norms

__all__ = ["NEYSHABUR2015", "neyshabur2015", "printed_complexity"]


#: Activations that are counted; 2^500 times anything is beyond every sample.
_MOST = 500


def printed_complexity(layers: int, psi: float, largest: float, n: int) -> float:
    """Return the Rademacher complexity as printed, ``2^(d-1) sqrt2 psi max||x|| / sqrt n``.

    Args:
        layers: d.
        psi: Product of the norms.
        largest: Largest input norm.
        n: Sample size.
    """
    return 2.0 ** (layers - 1) * math.sqrt(2) * psi * largest / math.sqrt(n)


def _forms(
    of: Chain, network: Network, norms: Norms, energy: float
) -> tuple[Complexity, ...]:
    weights, biases = unrolled_norms(of, norms, network.outputs or 1)
    having = biased_layers(network)
    paths = [float(name in having) for name in of.layers]
    # Beyond that many activations the bound says nothing, and 2^k leaves the floats.
    constant = 2.0 ** min(len(of.coins), _MOST)
    pieces = Complexity(
        0.0,
        constant,
        "2 per activation",
        network.outputs,
        energy,
        constant**2,
        len(weights),
    )
    return with_biases(pieces, weights, biases, paths, 1.0)


def neyshabur2015(
    network: Network,
    norms: Norms,
    evidence: Evidence | None,
    held_out: Evidence | None,
    delta: float,
    gamma: float | None,
    input_norm: float,
) -> Outcome:
    """Evaluate Neyshabur, Tomioka and Srebro (2015), Theorem 1, on unrolled matrices.

    Args:
        network: A traced chain; a chain of dense layers needs no trace.
        norms: With the Toeplitz norms of the convolutions.
        evidence: The training sample.
        held_out: Not used.
        delta: Probability that the statement fails.
        gamma: A margin fixed in advance, or None for the best.
        input_norm: The norm that inputs are taken to stay below, without data.

    Raises:
        Missing: There is no sample size, or no architecture to unroll.
    """
    del held_out
    found, assumptions = opening(network, norms, evidence, without_max_pooling)
    if found is not None and any(
        s.edges and s.layer not in norms.toeplitz for s in found.stages if s.layer
    ):
        raise Missing(
            "unrolling needs the size of every map: give --input-shape",
            assumptions=assumptions,
        )
    of = found or as_dense(network, assumptions)
    energy = energy_per_sample(evidence, input_norm)
    forms = _forms(of, network, norms, energy)
    return conclude(forms, assumptions, evidence, delta, gamma, input_norm)


NEYSHABUR2015 = Bound(
    id="neyshabur2015",
    title="Frobenius-norm bound of Neyshabur, Tomioka and Srebro",
    statement=(
        "As toeplitz, with the constant 2 for every activation: R = r_j A_C 2^A "
        "sqrt(sum_i ||x_i||^2), A the number of activations, rho the product of the "
        "Frobenius norms of the layers as matrices on whole maps."
    ),
    assumptions=(
        "the network is a chain of linear layers (dense, convolution, average pooling)",
        "between layers stand ReLU or LeakyReLU",
        "no normalization layer, attention, recurrence or residual addition",
        "every weight is read, finite and not zero",
        "the margins and norms of the training inputs are known",
    ),
    premises=PREMISES,
    citation=(
        "Neyshabur, Tomioka and Srebro (2015), Norm-based capacity control in neural "
        "networks, Theorem 1 with p = q = 2"
    ),
    corrections=(
        "sqrt(2) max ||x|| sqrt(n) of the printed theorem is replaced by the root of the "
        "sum of squares, which needs no logarithmic term for p = 2. The theorem of the "
        "bound dense proves 1.118 where this one pays 2."
    ),
    rule=neyshabur2015,
)
