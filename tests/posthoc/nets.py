"""Small networks and samples that the tests of certificates share."""

import torch
from torch import nn

__all__ = ["cnn", "mlp", "sample", "trained"]


def mlp():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))


def cnn():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(64, 2),
    )


def sample(n=600, seed=0):
    """Return three Gaussian clouds in six dimensions."""
    source = torch.Generator().manual_seed(seed)
    y = torch.randint(3, (n,), generator=source)
    x = torch.randn(n, 6, generator=source)
    x[torch.arange(n), y] += 3
    return x, y


def trained(make, x, y, steps=150):
    net = make().train()
    adam = torch.optim.Adam(net.parameters(), lr=0.02)
    for _ in range(steps):
        adam.zero_grad()
        nn.functional.cross_entropy(net(x), y).backward()
        adam.step()
    return net.eval()
