"""Small networks for tests of noise, and an independent reference by autograd."""

from __future__ import annotations

import itertools

import torch
from torch import nn

from boundkit import readers
from boundkit.data import open_data
from boundkit.layers import from_tensors
from boundkit.measure.following import traced
from boundkit.measure.noise import noise


def mlp(*widths, bias=False, act=nn.ReLU):
    """A dense network with weights of a fixed seed."""
    torch.manual_seed(0)
    steps = []
    for before, after in itertools.pairwise(widths):
        steps += [nn.Linear(before, after, bias=bias), act()]
    return nn.Sequential(*steps[:-1]).double()


def cnn(outputs=1, *between, bias=False):
    """A convolution of 3 filters on maps of 1 x 6, then ``between``, then a head."""
    torch.manual_seed(0)
    conv = nn.Conv1d(1, 3, 3, bias=bias)
    body = nn.Sequential(conv, *(between or (nn.ReLU(),)), nn.Flatten()).double()
    features = body(torch.zeros(1, 1, 6, dtype=torch.float64)).shape[1]
    return nn.Sequential(*body, nn.Linear(features, outputs, bias=bias)).double()


def normalizing():
    """BatchNorm with statistics of its own, in eval mode."""
    net = cnn(3, nn.BatchNorm1d(3), nn.ReLU(), bias=True)
    with torch.no_grad():
        net[1].running_mean.normal_()
        net[1].running_var.uniform_(0.5, 2)
    return net.eval()


def stored(module):
    """The network as its tensors alone tell it."""
    return from_tensors(readers.read(module))[0]


def wired(module, shape):
    """The network as its module tells it."""
    checkpoint = readers.read(module)
    network, _ = from_tensors(checkpoint)
    return traced(network, checkpoint, module, shape).network


def sample(n, *shape, classes=1, seed=0):
    """Inputs and labels; -1/+1 for one output."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, *shape, generator=generator, dtype=torch.float64)
    y = torch.randint(0, max(classes, 2), (n,), generator=generator)
    return x, y * 2 - 1 if classes == 1 else y


def measured(module, x, y, **settings):
    """What is found of a module and a sample, on the CPU."""
    settings = {"device": "cpu"} | settings
    network = settings.pop("network", None) or wired(module, tuple(x.shape[1:]))
    return noise(network, module, open_data((x, y), "train"), **settings)


def loss_of(module, x, y, loss):
    """The loss of one sample, by torch's own functions."""
    f = module(x[None])[0]
    if len(f) == 1:
        label = 2 * (y > 0).double() - 1
        squared = (f[0] - label).square()
        return squared if loss == "square" else nn.functional.softplus(-label * f[0])
    if loss == "square":
        return (f - nn.functional.one_hot(y, len(f))).square().sum()
    return nn.functional.cross_entropy(f, y)


def reference(module, x, y, loss, name="weight"):
    """Each sample's gradients by each matrix, one backward pass a sample: (n, numel)."""
    weights = {k: p for k, p in module.named_parameters() if p.ndim > 1 and name in k}
    rows = {k: [] for k in weights}
    for sample_, label in zip(x, y, strict=True):
        value = loss_of(module, sample_, label, loss)
        parts = torch.autograd.grad(value, list(weights.values()))
        for k, part in zip(weights, parts, strict=True):
            rows[k].append(part.flatten())
    return {k: torch.stack(own).numpy() for k, own in rows.items()}
