"""No class of tiny networks fits noise better than its bounds say."""

import functools
import math

import numpy as np
import pytest
import torch

from benchmarks.rademacher_enumeration import (
    filter_norms,
    measure,
    suprema,
    unit_squares,
)
from benchmarks.tiny_nets import CASES, QUICK, samples
from boundkit.certify.bartlett2017 import spectral_complexity
from boundkit.certify.chain import chain, path_counts
from boundkit.certify.margin import dudley
from tests.certify.examples import certificate, looked_at, wired

#: Those with the most weights: fewer starts by default, more with -m slow.
LARGE = ("tree, 3 layers", "overlap, 3 layers", "depthwise")
#: Padding and max pooling keep matrix norms from following filter norms.
_UNEVEN = ("k3 p1", "overlap, 3 layers", "padded", "max pooling")
_SPATIAL = tuple(name for name in CASES if not name.startswith(("dense", "linear")))
#: Bound by Frobenius norms -> parts of the names of the cases it leaves out.
FROBENIUS = {
    "sparse_cnn": (),
    "sparse_cnn_log": (),
    "dense": _SPATIAL,
    "toeplitz": _UNEVEN,
    "galanti2023": ("biases", "pooling"),
    "neyshabur2015": _UNEVEN,
}
PAIRS = [
    (bound, name)
    for bound, outside in FROBENIUS.items()
    for name in QUICK
    if not any(part in name for part in outside)
]
SCALAR = ("dense, 2 layers", "dense, 3 layers", "dense, slope -0.3", "dense, slope 2")
CONVOLUTIONS = ("tree, 3 layers", "overlap, k3 s2", "overlap, k3 p1", "max pooling")


@functools.cache
def enumerated(name, bias_energy=None):
    fewer = name in LARGE
    starts, steps = (2, 60) if fewer else (4, 100)
    return measure(name, QUICK.index(name), starts, steps, bias_energy)


def told_of(bound, name):
    """The module of a case, its sample, and what a bound says of both."""
    make, shape, n = CASES[name]
    seed = QUICK.index(name)
    torch.manual_seed(seed)
    module, x = make().double(), samples(shape, n, seed)
    network = wired(module, shape)
    classes = network.outputs
    y = np.arange(n) % classes if classes > 1 else np.resize([-1, 1], n)
    evidence = looked_at(module, network, x.numpy(), y)
    return module, x, certificate(bound, network, evidence).terms


def size_of(module, size, squares=None):
    """The size of the weights of one module, as the search counts it."""
    weights = {k: v.detach()[None] for k, v in module.named_parameters()}
    return float(size(weights, unit_squares(weights) if squares is None else squares))


def squares_of(module, shape, bias_energy):
    """The squared scale of the constant of each layer with a bias."""
    if bias_energy is None:
        return None
    links = chain(wired(module, shape))
    counts = path_counts(links).biases
    each = bias_energy / len(counts)
    return {n: each / count for n, count in zip(links.layers, counts, strict=True)}


def largest_rows(weights, squares):
    """Products of the largest l1 norms of a row, (starts,)."""
    assert not squares
    return math.prod(w.flatten(2).abs().sum(2).amax(1) for w in weights.values())


def spectral(weights, squares):
    """Spectral complexities of the paper, (starts,)."""
    assert not squares
    matrices = list(weights.values())
    norms = [torch.linalg.matrix_norm(w, ord=2) for w in matrices]
    rows = [w.norm(dim=2).sum(1) for w in matrices]
    mixed = sum((b / s) ** (2 / 3) for b, s in zip(rows, norms, strict=True)) ** 1.5
    return math.prod(norms) * mixed


@pytest.mark.parametrize("name", QUICK)
def test_exact_complexity_stays_below_the_bound(name):
    found = enumerated(name)

    assert 0 < found.exact <= found.second
    assert found.exact <= found.of_data <= found.bound


@pytest.mark.parametrize("energy", [1 / 16, 4.0])
def test_biases_at_other_scales_stay_below_too(energy):
    found = measure("padded, biases", 3, 4, 80, energy)

    assert 0 < found.exact <= found.bound


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGE)
def test_nor_does_a_longer_search_exceed_it(name):
    found = measure(name, QUICK.index(name), starts=16, steps=300)

    assert found.exact <= found.of_data
    assert found.exact >= enumerated(name).exact * (1 - 1e-3)


def test_the_search_finds_what_a_linear_map_alone_would_give():
    found = measure("dense, 2 layers", 0, starts=8, steps=150)

    # Measured: 0.95 of S_N, near the mean of ||sum e_i x_i||.
    assert found.exact > 0.8 * found.scale


@pytest.mark.parametrize(("bound", "name"), PAIRS)
def test_bounds_by_frobenius_norms_stay_above(bound, name):
    module, _, terms = told_of(bound, name)
    energy = terms.get("bias_energy")
    squares = squares_of(module, CASES[name][1], energy)
    norm = terms["rho"] / size_of(module, filter_norms, squares)

    assert (
        enumerated(name, energy).exact
        <= terms["A_C"] * terms["K_L"] * terms["S_N"] * norm
    )


@pytest.mark.parametrize("name", [*SCALAR, *CONVOLUTIONS])
def test_the_bound_by_rows_stays_above(name):
    module, x, terms = told_of("golowich2018_l1", name)
    torch.manual_seed(0)
    exact = suprema(CASES[name][0], x, 4, 80, largest_rows).mean()
    norm = terms["rho"] / size_of(module, largest_rows)

    assert 0 < exact <= terms["K_L"] * terms["S_N"] * norm


@pytest.mark.parametrize("name", SCALAR)
def test_the_bound_by_spectral_norms_stays_above(name):
    module, x, terms = told_of("bartlett2017", name)
    torch.manual_seed(0)
    exact = suprema(CASES[name][0], x, 4, 80, spectral).mean()
    # The entropy integral is not linear in the norm: compared at that of this net.
    radius = size_of(module, spectral)
    log_scale = np.array(math.log(terms["K_L"] * terms["S_N"] * terms["rho"]))

    assert 0 < exact * radius <= math.exp(dudley(log_scale, math.log(len(x))))


def test_the_search_measures_nets_as_the_paper_does():
    module, _, terms = told_of("bartlett2017", "dense, 3 layers")
    weights = [p.detach().numpy() for p in module.parameters()]
    expected = spectral_complexity(
        [np.linalg.norm(w, 2) for w in weights],
        [np.linalg.norm(w, axis=1).sum() for w in weights],
    )

    np.testing.assert_allclose(size_of(module, spectral), expected, rtol=1e-10)
    np.testing.assert_allclose(terms["rho"] * terms["mixed_ratio"], expected, rtol=1e-6)
