"""Small networks with additions for tests."""

import torch
from torch import nn


class Sum(nn.Module):
    """``skip(x) + branch(x)``."""

    def __init__(self, branch, skip=None):
        super().__init__()
        self.branch, self.skip = branch, skip

    def forward(self, x):
        return (x if self.skip is None else self.skip(x)) + self.branch(x)


def line(a, b, bias=False):
    return nn.Linear(a, b, bias=bias)


def conv(a, b, k=3, bias=False, **options):
    return nn.Conv1d(a, b, k, bias=bias, **options)


def block(width=4, hidden=5, bias=False, pre=False):
    first = (nn.ReLU(),) if pre else ()
    return Sum(
        nn.Sequential(
            *first, line(width, hidden, bias), nn.ReLU(), line(hidden, width, bias)
        )
    )


def local_block(channels=2, bias=False, stride=1, skip=None):
    return Sum(
        nn.Sequential(
            conv(channels, channels, bias=bias, padding=1, stride=stride),
            nn.ReLU(),
            conv(channels, channels, bias=bias, padding=1),
        ),
        skip,
    )


def net(*parts):
    """A sequence in float64 with weights of a fixed seed, in eval mode."""
    torch.manual_seed(0)
    module = nn.Sequential(*parts).double().eval()
    for p in module.parameters():
        nn.init.normal_(p, std=0.5)
    return module


def dense(blocks=1, bias=False, after=None, outputs=1):
    """A stem, blocks and a head on vectors of 3 features."""
    body = []
    for _ in range(blocks):
        body += [block(bias=bias)] + ([] if after is None else [after()])
    return net(line(3, 4, bias), nn.ReLU(), *body, line(4, outputs, bias))


def local(blocks=1, bias=False, after=None):
    """The same on maps of 1 x 6."""
    body = []
    for _ in range(blocks):
        body += [local_block(bias=bias)] + ([] if after is None else [after()])
    return net(
        conv(1, 2, bias=bias, padding=1),
        nn.ReLU(),
        *body,
        nn.Flatten(),
        line(12, 1, bias),
    )


def scaled(module, **norms):
    """Give layers, by attribute path with __ for dots, these norms."""
    with torch.no_grad():
        for path, norm in norms.items():
            weight = module.get_submodule(path.strip("_").replace("__", ".")).weight
            weight *= norm / weight.norm()
    return module
