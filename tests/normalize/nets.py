"""Random networks, and what a checkpoint of them tells."""

from __future__ import annotations

import torch
from torch import nn

from boundkit import readers
from boundkit.layers import from_tensors
from boundkit.measure.following import traced

CONVS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
MAX_POOLS = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)
AVERAGE_POOLS = (nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d)
SIZE = 7


def trained(module):
    """The module in eval mode, its running statistics far from those it starts with."""
    with torch.no_grad():
        for part in module.modules():
            if isinstance(part, NORMS) and part.running_mean is not None:
                part.running_mean.normal_()
                part.running_var.uniform_(0.25, 4)
                if part.affine:
                    part.weight.normal_()
                    part.bias.normal_()
    return module.eval()


def convolution(choose, dims, channels, following, padding_modes):
    """Any convolution of ``dims`` dimensions that keeps a few positions."""
    groups = choose(1, 2)
    window = {"kernel_size": choose(1, 3), "padding": choose(0, 1), "groups": groups}
    window["bias"] = choose(True, False)
    if choose(True, False, False):
        return TRANSPOSED[dims - 1](channels, following, **window, stride=choose(1, 2))
    window["dilation"] = choose(1, 2)
    window["padding_mode"] = choose(*padding_modes)
    return CONVS[dims - 1](channels, following, **window)


def random_net(seed, padding_modes=("zeros", "zeros", "replicate", "circular")):
    """A convolutional chain with a dense head, and the shape of its inputs."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)

    def choose(*values):
        return values[int(torch.randint(len(values), (), generator=generator))]

    dims, channels = choose(1, 2, 3), choose(2, 4)
    shape = (channels, *(SIZE,) * dims)
    steps = []
    for _ in range(2):
        following = choose(2, 4, 6)
        steps += [
            convolution(choose, dims, channels, following, padding_modes),
            choose(nn.Dropout(0.3), nn.Identity()),
            NORMS[dims - 1](following, affine=choose(True, False), eps=1e-3),
            choose(nn.ReLU(), nn.LeakyReLU(0.2)),
        ]
        channels = following
    pool = choose(MAX_POOLS, AVERAGE_POOLS)[dims - 1]
    steps += [pool(2, stride=1, padding=choose(0, 1)), nn.Flatten()]
    features = nn.Sequential(*steps).eval()(torch.zeros(1, *shape)).shape[1]
    head = [nn.Linear(features, 5, bias=choose(True, False)), nn.BatchNorm1d(5)]
    return trained(nn.Sequential(*steps, *head, nn.ReLU(), nn.Linear(5, 3))), shape


def wired(module, shape):
    """The network as its checkpoint and its module tell it, weights as stored."""
    checkpoint = readers.read(module)
    network, _ = from_tensors(checkpoint)
    found = traced(network, checkpoint, module, shape)

    assert not found.notices
    return found.network
