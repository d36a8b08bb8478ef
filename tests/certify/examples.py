"""Small networks and samples for tests of bounds."""

from __future__ import annotations

import itertools

import numpy as np
import torch
from torch import nn

from boundkit import readers
from boundkit.certify import BOUNDS, evaluate
from boundkit.layers import from_tensors
from boundkit.measure.completion import completed
from boundkit.measure.following import traced
from boundkit.measure.norms import norms
from boundkit.measure.observation import watched
from boundkit.types import Evidence

BY_ID = {bound.id: bound for bound in BOUNDS}


def mlp(*widths, bias=False, act=nn.ReLU):
    """A dense network with weights of a fixed seed."""
    torch.manual_seed(0)
    steps = []
    for before, after in itertools.pairwise(widths):
        steps += [nn.Linear(before, after, bias=bias), act()]
    return nn.Sequential(*steps[:-1]).double()


def cnn(outputs=1, *between, bias=False, **window):
    """A convolution of 3 filters on maps of 1 x 6, then ``between``, then a head."""
    torch.manual_seed(0)
    conv = nn.Conv1d(1, 3, 3, bias=bias, **window)
    body = nn.Sequential(conv, *(between or (nn.ReLU(),)), nn.Flatten()).double()
    features = body(torch.zeros(1, 1, 6, dtype=torch.float64)).shape[1]
    return nn.Sequential(*body, nn.Linear(features, outputs, bias=bias)).double()


def stored(module):
    """The network as its tensors alone tell it."""
    return from_tensors(readers.read(module))[0]


def wired(module, shape):
    """The network as its module tells it."""
    checkpoint = readers.read(module)
    network, _ = from_tensors(checkpoint)
    found = traced(network, checkpoint, module, shape)

    assert not found.notices
    return found.network


def told(n, input_norm=1.0):
    """What the user says without data."""
    return Evidence(n, None, 0, input_norm**2, input_norm, measured=False)


def seen(n, margins=1.0, energy=1.0, positions=None, outputs=1):
    """A sample of n equal margins, or of the given ones."""
    values = np.full(n, margins) if np.isscalar(margins) else np.asarray(margins, float)
    spread = np.full(1, energy) if positions is None else np.asarray(positions, float)
    total = float(spread.sum())
    return Evidence(
        values.size,
        values,
        int((values <= 0).sum()),
        total,
        total**0.5,
        position_energy=spread,
        outputs=outputs,
    )


def looked_at(module, network, x, y):
    """What a real pass over arrays tells."""
    from boundkit.data import open_data

    samples = open_data((x, y), "train")
    return watched(network, module, samples, device="cpu", batch_size=64, progress=None)


def certificate(
    bound,
    network,
    evidence=None,
    *,
    held_out=None,
    delta=0.05,
    gamma=None,
    input_norm=1.0,
    sizes=None,
):
    """One certificate, with norms as the analysis computes them."""
    sizes = completed(network, norms(network)) if sizes is None else sizes
    return evaluate(
        BY_ID[bound], network, sizes, evidence, held_out, delta, gamma, input_norm
    )
