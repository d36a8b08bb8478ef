"""Modules with a forward of their own, and their TorchScript archives."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from boundkit import readers
from boundkit.layers import from_tensors
from boundkit.layers.script_graph import from_script
from boundkit.readers.script_program import script_program


class Residual(nn.Module):
    """Additions in two spellings, a shortcut, functional calls, submodules in a list."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(1, 4, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.inner = nn.Conv2d(4, 4, 3, padding="same", bias=False)
        self.blocks = nn.ModuleList(nn.Conv2d(4, 4, 1) for _ in range(2))
        self.tail = nn.Sequential(nn.Conv2d(4, 6, 2, groups=2), nn.LeakyReLU(0.1))
        self.drop = nn.Dropout(0.2)
        self.head = nn.Linear(6, 3)

    def forward(self, x):
        y = functional.relu(self.norm(self.stem(x)))
        y = y + self.inner(y)
        for block in self.blocks:
            y = torch.relu(block(y))
        y = functional.max_pool2d(self.tail(y), 2, 1)
        y = self.drop(functional.avg_pool2d(y, 2))
        return self.head(y.flatten(1))


class Means(nn.Module):
    """Global means, an in-place activation, a reshape that asks for the batch size."""

    def __init__(self):
        super().__init__()
        self.a = nn.Conv2d(1, 4, 3, bias=False)
        self.b = nn.ConvTranspose2d(4, 4, 2, stride=2, bias=False)
        self.c = nn.Linear(4, 4, bias=False)
        self.d = nn.Linear(4, 1, bias=False)

    def forward(self, x):
        y = functional.relu(self.b(functional.relu(self.a(x), inplace=True)))
        y = y.mean([2, 3])
        y = functional.leaky_relu(self.c(y.view(y.size(0), -1)), 0.3)
        return self.d(y)


class Pooled(nn.Module):
    """Adaptive pooling, transposed axes before a flatten, the same layer twice."""

    def __init__(self):
        super().__init__()
        self.a = nn.Conv1d(1, 3, 3, padding=1, dilation=1)
        self.b = nn.Conv1d(3, 3, 1)
        self.pool = nn.AdaptiveAvgPool1d(4)
        self.head = nn.Linear(12, 2)

    def forward(self, x):
        y = torch.relu(self.a(x.flatten(2)))
        y = torch.relu(self.b(torch.relu(self.b(y))))
        return self.head(self.pool(y).permute(0, 2, 1).flatten(1))


def scripted(module, path):
    """The archive of a scripted module."""
    torch.jit.save(torch.jit.script(module), path)
    return path


def jit_traced(module, path, shape=(1, 8, 8)):
    """The archive of a module that was traced on three samples."""
    x = torch.randn(3, *shape)
    torch.jit.save(torch.jit.trace(module, x, check_trace=False), path)
    return path


def told(path, shape=(1, 8, 8)):
    """What the archive's code tells of the network."""
    checkpoint = readers.read(path)
    layers = {layer.name for layer in from_tensors(checkpoint)[0].layers}
    return from_script(script_program(path), checkpoint, layers, shape)


def essence(nodes):
    """What bounds need to know of each node, without names and copies."""
    return [
        (n.op, n.layer, n.bias, n.slope, n.geometry, n.shape, n.statistics)
        for n in nodes
        if n.op != "identity"
    ]
