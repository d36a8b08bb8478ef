"""Exact Rademacher complexities of tiny network classes beside their bounds.

For every vector of signs the supremum over all weights of norm at most 1 is searched with
Adam from many starts, so what is printed is at most the true supremum, mostly equal to it.
The complexity is the mean over all signs. No ratio may exceed 1.

    python -m benchmarks.rademacher_enumeration            # the full table, minutes
    python -m benchmarks.rademacher_enumeration --quick    # less of it
"""

from __future__ import annotations

import argparse
import itertools
import math
from dataclasses import dataclass

import numpy as np
import torch
from torch.func import functional_call, stack_module_state, vmap

from benchmarks.tiny_nets import CASES, QUICK, samples
from boundkit import readers
from boundkit.certify.chain import chain, path_counts
from boundkit.certify.rademacher import class_factor
from boundkit.layers import from_tensors
from boundkit.layers.graph import trace
from boundkit.layers.wiring import wire
from boundkit.numerics.coins import (
    chain_constant,
    chain_constant_of_data,
    dense_constant,
    dense_constant_of_data,
)


@dataclass(frozen=True, slots=True)
class Result:
    """Mean supremum over all signs, and the bounds on it.

    Attributes:
        exact: Mean over signs of sup sum_i e_i f(x_i), over nets of norm at most 1.
        second: Root of the mean square.
        bound: A_C K_L S_N with the constant that is free of data.
        of_data: The same with the constant of this sample.
        scale: A_C S_N.
    """

    exact: float
    second: float
    bound: float
    of_data: float
    scale: float


def filter_norms(weights, squares):
    """Return the product of norms, biases relative to what stands before, (starts,).

    ``squares`` holds the squared scale of the constant of each layer with a bias.
    """
    total = 1.0
    layers = [name for name in weights if name.endswith("weight")]
    for name in layers:
        w = weights[name]
        if name == layers[-1] and w.shape[1] > 1:
            w = w - w.mean(1, keepdim=True)
        square = w.flatten(1).square().sum(1)
        if name in squares:
            b = weights[name.removesuffix("weight") + "bias"]
            constant = total**2 * squares[name]
            square = square + b.flatten(1).square().sum(1) / constant
        total = total * square.sqrt()
    return total


def unit_squares(names):
    """Return the scale 1 of the constant of each layer with a bias."""
    return {f"{n.removesuffix('bias')}weight": 1.0 for n in names if n.endswith("bias")}


def suprema(make, x, starts, steps, size=filter_norms, squares=None):
    """Return (2^n,) the largest sum_i e_i f(x_i) found over nets of size 1."""
    n = len(x)
    signs = torch.tensor(list(itertools.product((-1.0, 1.0), repeat=n))).double()
    every = signs.repeat_interleave(starts, 0)
    nets = [make().double() for _ in range(len(every))]
    weights, _ = stack_module_state(nets)
    weights = {k: torch.randn_like(v).requires_grad_() for k, v in weights.items()}
    squares = unit_squares(weights) if squares is None else squares
    outputs = vmap(lambda w: functional_call(nets[0], w, (x,)))
    labels = torch.arange(n) % nets[0](x).shape[1]
    optimizer = torch.optim.Adam(weights.values(), lr=0.1)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    best = torch.full((len(every),), -torch.inf, dtype=torch.float64)
    for _ in range(steps):
        f = outputs(weights)
        if f.shape[2] == 1:
            values = f[..., 0]
        else:
            own = labels[None, :, None].expand(len(f), -1, 1)
            rest = f.scatter(2, own, -torch.inf).amax(2)
            values = f.gather(2, own)[..., 0] - rest
        height = (every * values).sum(1) / size(weights, squares)
        best = torch.maximum(best, height.detach())
        optimizer.zero_grad()
        (-height.sum()).backward()
        optimizer.step()
        schedule.step()
    return best.reshape(-1, starts).amax(1).clamp(min=0)


def _spectra(x, network):
    """Return energies and spectra of the first layer's patches."""
    from boundkit.measure.patches import patches, spectrum

    first = network.layers[0]
    seen = patches(x, "dense" if first.kind == "linear" else first.geometry)
    gram = torch.einsum("nqd,nqe->qde", seen, seen)
    energy = gram.diagonal(dim1=1, dim2=2).sum(1)
    return energy.numpy(), spectrum(gram).numpy()


def measure(name, seed, starts=12, steps=250, bias_energy=None):
    """Return the exact complexity of one class on one sample, and its bounds.

    Constants of biases have scale 1, or together the energy that is given.
    """
    make, shape, n = CASES[name]
    torch.manual_seed(seed)
    x = samples(shape, n, seed)
    module = make().double()
    network, _ = from_tensors(readers.read(module))
    network = wire(network, trace(module, shape).nodes)
    links = chain(network)
    paths = path_counts(links)
    energy = x.reshape(n, shape[0], -1).square().sum((0, 1)).numpy()
    square = float(energy @ paths.inputs.ravel())
    biased = network.layers[0].bias is not None
    squares = None
    if biased and bias_energy is None:
        square += n * sum(paths.biases)
    elif biased:
        square += n * bias_energy
        each = bias_energy / len(links.layers)
        counted = zip(links.layers, paths.biases, strict=True)
        squares = {layer: each / count for layer, count in counted}
    found = suprema(make, x, starts, steps, squares=squares).numpy()
    plain = not biased and network.outputs <= 2
    dense = links.one_position and plain
    free = (dense_constant if dense else chain_constant)(links.coins)
    constant = free
    if plain and network.layers[0].kind in {"linear", "conv1d"}:
        patch, spectrum = _spectra(x, network)
        constant = (
            dense_constant_of_data(links.coins, spectrum[0])
            if dense
            else chain_constant_of_data(
                links.coins, paths.first_outputs.ravel() * patch, spectrum
            )
        )
    scale = math.sqrt(square) * class_factor(network.outputs) * math.prod(links.factors)
    second = float(np.sqrt(np.mean(found**2)))
    least = min(free, constant)
    return Result(float(found.mean()), second, free * scale, least * scale, scale)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    seeds, starts, steps = (range(2), 12, 250) if quick else (range(5), 32, 600)
    print(
        "| class | exact / S_N | exact / bound of data | exact / bound |\n|---|---|---|---|"
    )
    worst = 0.0
    for name in QUICK if quick else CASES:
        found = [measure(name, seed, starts, steps) for seed in seeds]
        ratios = [
            max(r.exact / part for r, part in zip(found, parts, strict=True) if part)
            for parts in (
                [r.scale for r in found],
                [r.of_data for r in found],
                [r.bound for r in found],
            )
        ]
        worst = max(worst, *ratios[1:])
        print(
            f"| {name} | " + " | ".join(f"{r:.3f}" for r in ratios) + " |", flush=True
        )
    print(f"\nlargest ratio to a bound: {worst:.4f}")
    raise SystemExit(worst > 1)


if __name__ == "__main__":
    main()
