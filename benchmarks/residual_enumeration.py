"""Exact Rademacher complexities of tiny networks with additions beside Theorem R.

For every vector of signs the supremum over all layers of norm 1 and over the given ratios
of branches is searched with Adam from many starts, so what is printed is at most the true
supremum, mostly equal to it. No ratio may exceed 1.

    python benchmarks/residual_enumeration.py            # the full table, minutes
    python benchmarks/residual_enumeration.py --quick    # what the tests run
"""

from __future__ import annotations

import argparse
import itertools
import math

import numpy as np
import torch
from torch import nn
from torch.func import functional_call, stack_module_state, vmap

from benchmarks.rademacher_enumeration import Result
from benchmarks.tiny_nets import samples
from boundkit import readers
from boundkit.certify.rademacher import class_factor
from boundkit.certify.residual import combined
from boundkit.certify.residual_steps import steps
from boundkit.layers import from_tensors
from boundkit.layers.graph import trace
from boundkit.layers.wiring import wire
from boundkit.types import Evidence


class Scaling(nn.Module):
    """What a BatchNorm in eval mode does: one factor and one summand per channel."""

    def __init__(self, channels):
        super().__init__()
        self.factor = nn.Parameter(torch.ones(channels))
        self.shift = nn.Parameter(torch.zeros(channels))

    def forward(self, x):
        shape = (-1, *(1,) * (x.ndim - 2))
        return x * self.factor.reshape(shape) + self.shift.reshape(shape)


class Block(nn.Module):
    """``before(skip(x) + ratio * branch(x))``, whatever these are."""

    def __init__(self, branch, ratio, skip=None, after=None):
        super().__init__()
        self.branch, self.skip, self.after = branch, skip, after
        self.ratio = ratio

    def forward(self, x):
        y = self.branch(x)
        # A factor of 1 is left out, so that the graph can be followed.
        y = y if self.ratio == 1 else self.ratio * y
        z = (x if self.skip is None else self.skip(x)) + y
        return z if self.after is None else self.after(z)


def line(a, b, bias=False):
    return nn.Linear(a, b, bias=bias)


def conv(a, b, k=3, bias=False, **options):
    return nn.Conv1d(a, b, k, bias=bias, **options)


def branch(width, bias=False, pre=False):
    first = (nn.ReLU(),) if pre else ()
    return nn.Sequential(*first, line(width, 2, bias), nn.ReLU(), line(2, width, bias))


def dense(ratio, blocks=1, stem=True, outputs=1, bias=False, pre=False, **block):
    """A stem, blocks and a head on vectors of 2 features."""
    parts = [line(2, 2, bias)] if stem else []
    parts += [nn.ReLU()] if stem and not pre else []
    for _ in range(blocks):
        more = {name: make() for name, make in block.items()}
        parts.append(Block(branch(2, bias, pre), ratio, **more))
    parts += [nn.ReLU()] if pre else []
    return nn.Sequential(*parts, line(2, outputs, bias))


def local(ratio, *between, bias=False, after=nn.ReLU):
    """The same on maps of 1 x 4."""
    inner = nn.Sequential(
        conv(2, 2, bias=bias, padding=1), nn.ReLU(), conv(2, 2, bias=bias, padding=1)
    )
    block = Block(inner, ratio, after=after and after())
    stem = (conv(1, 2, bias=bias, padding=1), nn.ReLU(), *between)
    body = nn.Sequential(*stem, block, nn.Flatten())
    size = body(torch.zeros(1, 1, 4)).shape[1]
    return nn.Sequential(*body, line(size, 1, bias))


def pooled(ratio):
    """A sum of layers, then an activation and max pooling together."""
    inner = nn.Sequential(nn.ReLU(), conv(2, 2, 1), nn.ReLU(), conv(2, 2, 1))
    return nn.Sequential(
        conv(1, 2, 1), Block(inner, ratio), nn.ReLU(), nn.MaxPool1d(2),
        nn.Flatten(), line(4, 1),
    )  # fmt: skip


def normalized(ratio, norm):
    """Blocks with a normalization of the stream before the activation."""
    inner = nn.Sequential(norm(2), nn.ReLU(), line(2, 2), nn.ReLU(), line(2, 2))
    block = Block(inner, ratio)
    return nn.Sequential(line(2, 2), block, norm(2), nn.ReLU(), line(2, 1))


def padded(ratio, norm):
    """A normalization before a padded convolution, which cannot be folded."""
    del ratio
    return nn.Sequential(
        conv(1, 2, padding=1), nn.ReLU(), norm(2), conv(2, 2, padding=1), nn.ReLU(),
        nn.Flatten(), line(8, 1),
    )  # fmt: skip


#: Name -> (net of a ratio and a normalization, ratio, shape of a sample, samples).
CASES = {
    "linear skip, r .5": (lambda r, _: dense(r), 0.5, (2,), 4),
    "linear skip, r 2": (lambda r, _: dense(r), 2.0, (2,), 4),
    "linear skip, two blocks": (lambda r, _: dense(r, 2), 1.0, (2,), 3),
    "skip from the input": (lambda r, _: dense(r, stem=False), 1.0, (2,), 4),
    "linear skip, biases": (lambda r, _: dense(r, bias=True), 1.0, (2,), 3),
    "linear skip, 3 classes": (lambda r, _: dense(r, outputs=3), 1.0, (2,), 3),
    "ReLU after the addition": (lambda r, _: dense(r, after=nn.ReLU), 1.0, (2,), 4),
    "the same, r .3": (lambda r, _: dense(r, after=nn.ReLU), 0.3, (2,), 4),
    "the same, r 3": (lambda r, _: dense(r, after=nn.ReLU), 3.0, (2,), 4),
    "the same, two blocks": (lambda r, _: dense(r, 2, after=nn.ReLU), 1.0, (2,), 3),
    "the same, biases": (
        lambda r, _: dense(r, bias=True, after=nn.ReLU),
        1.0,
        (2,),
        3,
    ),
    "projection": (lambda r, _: dense(r, skip=lambda: line(2, 2)), 1.0, (2,), 4),
    "projection, ReLU after": (
        lambda r, _: dense(r, skip=lambda: line(2, 2), after=nn.ReLU),
        1.0,
        (2,),
        4,
    ),
    "pre-activation": (lambda r, _: dense(r, pre=True), 1.0, (2,), 4),
    "pre-activation, two blocks": (lambda r, _: dense(r, 2, pre=True), 1.0, (2,), 3),
    "pre-activation, biases": (
        lambda r, _: dense(r, pre=True, bias=True),
        1.0,
        (2,),
        3,
    ),
    "pre-activation, BatchNorm": (normalized, 1.0, (2,), 3),
    "BatchNorm before padding": (padded, 1.0, (1, 4), 3),
    "convolutions": (lambda r, _: local(r), 1.0, (1, 4), 3),
    "convolutions, linear skip": (lambda r, _: local(r, after=None), 1.0, (1, 4), 3),
    "convolutions, biases": (lambda r, _: local(r, bias=True), 1.0, (1, 4), 3),
    "convolutions, max pooling": (
        lambda r, _: local(r, nn.MaxPool1d(2)),
        1.0,
        (1, 4),
        3,
    ),
    "convolutions, pooled after": (
        lambda r, _: local(r, after=lambda: nn.Sequential(nn.ReLU(), nn.MaxPool1d(2))),
        1.0,
        (1, 4),
        3,
    ),
    "convolutions, sum pooled": (lambda r, _: pooled(r), 1.0, (1, 4), 3),
}
#: Those that take a few seconds.
QUICK = tuple(name for name in CASES if "two blocks" not in name)


def unit(weights):
    """Give every layer the norm 1, a bias or shift counted with it."""
    found = {}
    for name, w in weights.items():
        stem, _, last = name.rpartition(".")
        size = w.flatten(1).square()
        if last == "weight":
            square = size.sum(1)
            partner = weights.get(f"{stem}.bias")
        elif last == "factor":
            square = size.amax(1)
            partner = weights[f"{stem}.shift"]
        else:
            continue
        if partner is not None:
            square = square + partner.flatten(1).square().sum(1)
        for part in ("weight", "bias", "factor", "shift"):
            if f"{stem}.{part}" in weights:
                v = weights[f"{stem}.{part}"]
                found[f"{stem}.{part}"] = v / square.sqrt().reshape(
                    -1, *(1,) * (v.ndim - 1)
                )
    return found


def suprema(make, x, starts, steps_taken):
    """Return (2^n,) the largest sum_i e_i f(x_i) found over nets with unit layers."""
    n = len(x)
    signs = torch.tensor(list(itertools.product((-1.0, 1.0), repeat=n))).double()
    every = signs.repeat_interleave(starts, 0)
    nets = [make().double() for _ in range(len(every))]
    weights, _ = stack_module_state(nets)
    weights = {k: torch.randn_like(v).requires_grad_() for k, v in weights.items()}
    outputs = vmap(lambda w: functional_call(nets[0], w, (x,)))
    labels = torch.arange(n) % nets[0](x).shape[1]
    optimizer = torch.optim.Adam(weights.values(), lr=0.1)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps_taken)
    best = torch.full((len(every),), -torch.inf, dtype=torch.float64)
    for _ in range(steps_taken):
        layers = unit(weights)
        head = list(layers)[-1]
        if layers[head].shape[1] > 1 and head.endswith("weight"):
            rows = layers[head] - layers[head].mean(1, keepdim=True)
            layers[head] = rows / rows.flatten(1).norm(dim=1)[:, None, None]
        f = outputs(layers)
        values = f[..., 0]
        if f.shape[2] > 1:
            own = labels[None, :, None].expand(len(f), -1, 1)
            rest = f.scatter(2, own, -torch.inf).amax(2)
            values = f.gather(2, own)[..., 0] - rest
        height = (every * values).sum(1)
        best = torch.maximum(best, height.detach())
        optimizer.zero_grad()
        (-height.sum()).backward()
        optimizer.step()
        schedule.step()
    return best.reshape(-1, starts).amax(1).clamp(min=0)


def measure(name, seed, starts=12, steps_taken=250):
    """Return the exact complexity of one class on one sample, and its bound."""
    make, ratio, shape, n = CASES[name]
    torch.manual_seed(seed)
    x = samples(shape, n, seed)
    found = suprema(lambda: make(ratio, Scaling), x, starts, steps_taken).numpy()
    norm = nn.BatchNorm1d
    module = make(1, norm).double().eval()
    network, _ = from_tensors(readers.read(module))
    network = wire(network, trace(module, shape).nodes)
    of = steps(network)
    ratios = {
        (step.name, number): np.array([math.log(ratio)])
        for step in of.steps
        for number in range(len(step.inputs))
        if number != step.main
    }
    energy = x.reshape(n, shape[0], -1).square().sum((0, 1)).numpy() / n
    sample = Evidence(n, None, 0, float(energy.sum()), 0.0, position_energy=energy)
    unit = {step.name: 1.0 for step in of.steps}
    constant, energy, _ = combined(of, network, ratios, unit, sample, 1.0).form(0, 1.0)
    scale = math.sqrt(energy * n) * class_factor(network.outputs)
    bound = scale * constant
    second = float(np.sqrt(np.mean(found**2)))
    return Result(float(found.mean()), second, bound, bound, scale)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    seeds, starts, taken = (range(2), 12, 250) if quick else (range(5), 32, 600)
    print("| class | exact / bound |\n|---|---|")
    worst = 0.0
    for name in QUICK if quick else CASES:
        results = [measure(name, seed, starts, taken) for seed in seeds]
        ratio = max(r.exact / r.bound for r in results)
        worst = max(worst, ratio)
        print(f"| {name} | {ratio:.3f} |", flush=True)
    print(f"\nlargest ratio to a bound: {worst:.4f}")
    raise SystemExit(worst > 1)


if __name__ == "__main__":
    main()
