"""The path-count bound for networks with local connectivity: the one boundkit leads with."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from boundkit.certify.bias_scales import with_biases
from boundkit.certify.bound import Bound, Outcome
from boundkit.certify.chain import Chain, PathCounts, path_counts
from boundkit.certify.energies import energy_per_sample, energy_through
from boundkit.certify.normalized import RouteSum, conclude_normalized, energy_of
from boundkit.certify.opening import opening
from boundkit.certify.premises import PREMISES
from boundkit.certify.rademacher import Complexity, conclude, norms_in_order
from boundkit.certify.residual_steps import has_additions
from boundkit.certify.unrolled import biased_layers
from boundkit.certify.with_additions import with_additions
from boundkit.numerics.coins import (
    chain_constant,
    chain_constant_of_data,
    dense_constant,
    dense_constant_of_data,
)
from boundkit.types import Assumption

if TYPE_CHECKING:
    from boundkit.types import Evidence, Layer, Network, Norms

__all__ = ["SPARSE_CNN", "sparse_cnn"]


def _data_constant(
    of: Chain, counts: PathCounts, evidence: Evidence | None
) -> float | None:
    """Return K from the sample's patch covariances, where they are known and fit."""
    if evidence is None or evidence.patch_spectrum is None:
        return None
    if evidence.patch_energy is None or of.stages[0].layer is None:
        return None
    if of.one_position:
        return dense_constant_of_data(of.coins, evidence.patch_spectrum[0])
    paths = np.atleast_1d(counts.first_outputs).ravel()
    if paths.size != evidence.patch_energy.size:
        return None
    weight = paths * evidence.patch_energy
    return chain_constant_of_data(of.coins, weight, evidence.patch_spectrum)


def _constant(
    of: Chain,
    counts: PathCounts,
    evidence: Evidence | None,
    *,
    classes: int | None,
    biased: bool,
) -> tuple[float, str]:
    # Theorem B is about one source and one output; biases and classes have several.
    if biased or (classes or 1) > 2:
        return chain_constant(of.coins), "free of data"
    free = (dense_constant if of.one_position else chain_constant)(of.coins)
    from_data = _data_constant(of, counts, evidence)
    if from_data is None:
        return free, "free of data"
    return min(free, from_data), "from the patch covariances of the sample"


def _bias_paths(of: Chain, network: Network, counts: PathCounts) -> list[float]:
    """Return the paths from the bias of each layer, 0 where there is none."""
    having = biased_layers(network)
    paired = zip(of.layers, counts.biases, strict=True)
    return [paths if name in having else 0.0 for name, paths in paired]


def _traced(
    of: Chain,
    network: Network,
    norms: Norms,
    evidence: Evidence | None,
    input_norm: float,
) -> tuple[tuple[Complexity, ...], PathCounts, Assumption]:
    counts = path_counts(of)
    weights, biases = norms_in_order(of.layers, norms, network.outputs)
    paths = _bias_paths(of, network, counts)
    constant, kind = _constant(
        of, counts, evidence, classes=network.outputs, biased=any(paths)
    )
    mean_paths = float(counts.inputs.mean())
    pieces = Complexity(
        0.0,
        constant,
        kind,
        network.outputs,
        energy_through(counts.inputs, evidence, input_norm),
        mean_paths,
        len(of.layers),
    )
    norms_of_layers = [w * f for w, f in zip(weights, of.factors, strict=True)]
    forms = with_biases(pieces, norms_of_layers, biases, paths, mean_paths)
    most = float(counts.inputs.max())
    detail = f"counted: at most {most:g} from one input position to the output"
    fits = Assumption(
        "paths from input to output are counted", holds=True, detail=detail
    )
    return forms, counts, fits


def _normalized(
    of: Chain,
    network: Network,
    norms: Norms,
    evidence: Evidence,
    assumptions: tuple[Assumption, ...],
    delta: float,
    gamma: float | None,
) -> Outcome:
    """Evaluate confidence form (c'), which takes the constant that is free of data."""
    blind = replace(evidence, patch_spectrum=None)
    forms, counts, fits = _traced(of, network, norms, blind, 1.0)
    energy = energy_of(evidence, counts.inputs)
    sums = [
        RouteSum(form, np.array([form.constant]), np.array([form.bias_energy]))
        for form in forms
    ]
    return conclude_normalized(
        sums, [energy], (*assumptions, fits), evidence, delta, gamma
    )


def _positions(layers: tuple[Layer, ...]) -> list[float]:
    """Return the number of output positions of each layer of a tree, from shapes alone.

    Without overlap every position of a map comes from as many positions of the map
    before as the kernel has; the head takes channels times positions.
    """
    counts = [1.0]
    for before, after in reversed(list(pairwise(layers))):
        if after.kind == "linear":
            gives = before.weight.shape[0]
            per_channel = max(after.weight.shape[1] // gives, 1)
            counts.append(1.0 if before.kind == "linear" else float(per_channel))
        else:
            counts.append(counts[-1] * math.prod(after.weight.shape[2:]))
    return counts[::-1]


def _untraced(
    network: Network, norms: Norms, evidence: Evidence | None, input_norm: float
) -> tuple[tuple[Complexity, ...], Assumption]:
    layers = tuple(x for x in network.layers if x.counted)
    weights, biases = norms_in_order(
        tuple(x.name for x in layers), norms, network.outputs
    )
    dense = all(x.kind == "linear" for x in layers)
    coins = [0.5] * (len(layers) - 1)
    if dense:
        fits = Assumption("every map has one position", holds=True, detail="all dense")
    else:
        why = "convolution patches are taken not to overlap (stride = kernel); "
        fits = Assumption(
            "paths from input to output are counted",
            holds=None,
            detail=f"{why}--model would tell",
        )
    having = biased_layers(network)
    paths = [
        positions if layer.name in having else 0.0
        for layer, positions in zip(layers, _positions(layers), strict=True)
    ]
    one_source = dense and not any(paths) and (network.outputs or 1) <= 2
    pieces = Complexity(
        0.0,
        (dense_constant if one_source else chain_constant)(coins),
        "free of data",
        network.outputs,
        energy_per_sample(evidence, input_norm),
        1.0,
        len(layers),
    )
    return with_biases(pieces, weights, biases, paths, 1.0), fits


def sparse_cnn(
    network: Network,
    norms: Norms,
    evidence: Evidence | None,
    held_out: Evidence | None,
    delta: float,
    gamma: float | None,
    input_norm: float,
) -> Outcome:
    """Evaluate Theorem A of docs/theory.md with its extensions to biases and pooling.

    Args:
        network: A chain, traced or taken for one.
        norms: Filter norms: a convolution counts by its filter tensor.
        evidence: The training sample.
        held_out: Not used.
        delta: Probability that the statement fails.
        gamma: A margin fixed in advance, or None for the best.
        input_norm: The norm that inputs are taken to stay below, without data.

    Raises:
        Missing: There is no sample size.
    """
    del held_out
    if has_additions(network):
        return with_additions(network, norms, evidence, delta, gamma, input_norm)
    found, assumptions = opening(network, norms, evidence)
    if found is not None and evidence is not None and evidence.declared is not None:
        return _normalized(found, network, norms, evidence, assumptions, delta, gamma)
    if found is not None:
        forms, _, fits = _traced(found, network, norms, evidence, input_norm)
    else:
        forms, fits = _untraced(network, norms, evidence, input_norm)
    return conclude(forms, (*assumptions, fits), evidence, delta, gamma, input_norm)


SPARSE_CNN = Bound(
    id="sparse_cnn",
    title="path-count bound for networks with local connectivity",
    statement=(
        "With probability at least 1 - delta over an i.i.d. sample of size n, for every "
        "network of this architecture and every j at once: err <= mean ramp loss at "
        "margin gamma_j + 2 R / n + (2 / n)(l / 2 + sqrt(l^2 / 4 + l R)) + "
        "sqrt(l / (2 n)), where R = r_j A_C K_L S_N, gamma_j = rho / r_j, "
        "l = log(2 / delta_j), r_j = r_0 1.05^j, r_0 = sqrt(n / mean N_p) / 16, "
        "delta_j = (2/3) delta / ((|j| + 1)(|j| + 2)). rho is the product of the "
        "Frobenius norms of the layers, a convolution counted by its filter tensor; "
        "S_N^2 = sum_p N_p sum_i ||x_ip||^2 with N_p the number of paths from input "
        "position p to the output; K_L = E sqrt(C_j) over one coin per activation (1.207, "
        "1.421, 1.624, 1.813 for 2 to 5 ReLU layers); A_C = 1 for one or two outputs, "
        "else min(sqrt(2(C-1)), 1 + sqrt(ceil(C/2))) with the head's rows centered. A bias "
        "b_l counts in the norm of its layer as b_l sqrt(B N_l) / sigma over the norm "
        "before it, B biases with N_l paths each, sigma^2 joins the energy of every "
        "sample and the mean of N_p in r_0, and sigma is one of 2^k sqrt(mean N_p) / 4, "
        "k = 0 with half of delta and other k with 1 / (4 |k| (|k| + 1)) of it. With "
        "additions K_L S_N is summed over the routes through them, each times the ratios "
        "of norms of its branches, rounded up on a grid that takes its share of delta. "
        "Form (c'), for declared preprocessing: see docs/theory_residual.md."
    ),
    assumptions=(
        "the network is built of linear layers (dense, convolution, average pooling)",
        "between layers stand ReLU, LeakyReLU and max pooling, in any order",
        "no attention, recurrence, or normalization by the input's own statistics",
        "where outputs are added, no activation follows a sum with the input itself",
        "every weight is read, finite and not zero",
        "the margins and norms of the training inputs are known",
    ),
    premises=PREMISES,
    citation=(
        "docs/theory.md, Theorem A, docs/theory_residual.md, Theorem R; extends Xu et al. "
        "(2023), Theorem 4 and Conjecture 1"
    ),
    corrections=(
        "Theorem 4 of Xu et al. is printed with 2^L for binary trees without overlap; the "
        "constant proved here is 1.207 at two layers and grows like sqrt(L log 2). "
        "Conjecture 1 (one factor sqrt(K/(K-O)) for overlap) is false for stacks of "
        "overlapping layers and is replaced by the exact path counts N_p."
    ),
    rule=sparse_cnn,
)
