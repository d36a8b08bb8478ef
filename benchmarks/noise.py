"""Noise of SGD: gradients of single samples all at once against one by one, and a whole report.

    python benchmarks/noise.py [--samples 128]

The nets are a dense one, a small CNN with one output (so that pairs are compared, too), and
the CNN of Xu et al. (2023), Figure 1b, whose dense layer has 3.3 million weights.
"""

from __future__ import annotations

import argparse
import resource

from machine import REPEATS, cpu_seconds, description, settle


def _nets():
    from torch import nn

    def conv(before, after, **window):
        return [nn.Conv2d(before, after, 3, stride=2, bias=False, **window), nn.ReLU()]

    dense = [nn.Flatten(), nn.Linear(784, 256, bias=False), nn.ReLU()]
    small = [*conv(1, 16), *conv(16, 32), nn.Flatten(), nn.Linear(1152, 1, bias=False)]
    paper = [*conv(3, 32, padding=1), *conv(32, 64, padding=1)]
    paper += [nn.Conv2d(64, 128, 3, padding=1, bias=False), nn.ReLU()]
    paper += [nn.Conv2d(128, 128, 4, bias=False), nn.ReLU(), nn.Flatten()]
    paper += [nn.Linear(3200, 1024, bias=False), nn.ReLU()]
    return {
        "dense 784-256-10": (
            nn.Sequential(*dense, nn.Linear(256, 10, bias=False)),
            (1, 28, 28),
        ),
        "small CNN, one output": (nn.Sequential(*small), (1, 28, 28)),
        "CNN of P1, two outputs": (
            nn.Sequential(*paper, nn.Linear(1024, 2, bias=False)),
            (3, 32, 32),
        ),
    }


def _measure(name, module, shape, m, repeats):
    import torch

    from boundkit.data import open_data
    from boundkit.layers import from_tensors
    from boundkit.measure.following import traced
    from boundkit.measure.noise import noise
    from boundkit.measure.noise.per_sample import gradients
    from boundkit.readers import read

    generator = torch.Generator().manual_seed(0)
    x = torch.randn(m, *shape, generator=generator)
    labels = torch.randint(0, 2, (m,), generator=generator)
    checkpoint = read(module)
    network = traced(from_tensors(checkpoint)[0], checkpoint, module, shape).network
    samples = open_data((x, labels), "train")
    wide = module.double().requires_grad_(requires_grad=False)
    weights = {k: p.detach() for k, p in wide.named_parameters() if p.ndim > 1}
    numel = sum(p.numel() for p in weights.values())
    size = max(1, min(m, 2**26 // numel))
    parts = list(
        zip(torch.split(x.double(), size), torch.split(labels, size), strict=True)
    )

    def run(way):
        for one, own in parts:
            gradients(wide, weights, one, own, "cross-entropy", way)

    (at_once, _), (by_one, _), (whole, _) = cpu_seconds(
        [
            lambda: run("vmap"),
            lambda: run("loop"),
            lambda: noise(network, wide, samples, batch=32, sample=m, device="cpu"),
        ],
        repeats,
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{name:24}{numel:>11,}{at_once:10.3f}{by_one:10.3f}{by_one / at_once:8.2f}"
        f"{whole:10.3f}{peak:9.0f}"
    )


def main() -> None:
    """Measure each net and print a line."""
    import torch

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=128)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    given = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    print(description())
    print(f"{given.samples} samples, float64, CPU s, medians of {given.repeats}")
    print(
        f"{'net':24}{'weights':>11}{'vmap':>10}{'loop':>10}{'ratio':>8}{'noise()':>10}"
        f"{'peak MB':>9}"
    )
    for name, (module, shape) in _nets().items():
        _measure(name, module, shape, given.samples, given.repeats)


if __name__ == "__main__":
    settle()
    main()
