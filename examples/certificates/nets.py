"""The networks of the certificate tables; each function makes one, untrained."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = [
    "Residual",
    "cnn",
    "cnn_binary",
    "cnn_small",
    "mlp",
    "mlp_binary",
    "plain_cnn",
    "residual",
]


def _seeded() -> None:
    # The start is part of the model: `--init` asks for the same numbers again.
    torch.manual_seed(0)


def _perceptron(hidden: int, classes: int) -> nn.Sequential:
    _seeded()
    return nn.Sequential(
        nn.Flatten(), nn.Linear(784, hidden), nn.ReLU(), nn.Linear(hidden, classes)
    )


def _convolutional(channels: tuple[int, ...], classes: int) -> nn.Sequential:
    _seeded()
    layers: list[nn.Module] = []
    before = 1
    for width in channels:
        layers += [
            nn.Conv2d(before, width, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
        ]
        before = width
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(16 * before, classes))


def mlp() -> nn.Sequential:
    """784-100-10 with biases: 79,510 parameters."""
    return _perceptron(100, 10)


def mlp_binary() -> nn.Sequential:
    """784-100-2 with biases: 78,702 parameters."""
    return _perceptron(100, 2)


def cnn_small() -> nn.Sequential:
    """Three convolutions with BatchNorm, 8, 16 and 16 channels: 6,138 parameters."""
    return _convolutional((8, 16, 16), 10)


def cnn() -> nn.Sequential:
    """Three convolutions with BatchNorm, 16, 32 and 32 channels: 19,178 parameters."""
    return _convolutional((16, 32, 32), 10)


def cnn_binary() -> nn.Sequential:
    """As cnn_small, with two outputs: 4,082 parameters."""
    return _convolutional((8, 16, 16), 2)


def plain_cnn() -> nn.Sequential:
    """Two convolutions and a head, no biases, one output: 3,424 parameters."""
    _seeded()
    return nn.Sequential(
        nn.Conv2d(1, 16, 4, stride=4, bias=False),
        nn.ReLU(),
        nn.Conv2d(16, 32, 2, stride=2, bias=False),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(288, 1, bias=False),
    )


class _Block(nn.Module):
    def __init__(self, before: int, width: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(before, width, 3, stride, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(width)
        self.second = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(width)
        self.around: nn.Module = nn.Identity()
        if stride != 1:
            self.around = nn.Sequential(
                nn.Conv2d(before, width, 1, stride, bias=False), nn.BatchNorm2d(width)
            )

    def forward(self, x: Tensor) -> Tensor:
        inner = torch.relu(self.first_norm(self.first(x)))
        return torch.relu(self.second_norm(self.second(inner)) + self.around(x))


class Residual(nn.Module):
    """A stem, three residual blocks, a global mean, and a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 16, 3, 2, 1, bias=False)
        self.stem_norm = nn.BatchNorm2d(16)
        self.blocks = nn.Sequential(
            _Block(16, 16, 1), _Block(16, 32, 2), _Block(32, 64, 2)
        )
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.blocks(torch.relu(self.stem_norm(self.stem(x))))
        return self.head(self.pool(x).flatten(1))


def residual() -> Residual:
    """Seven convolutions with BatchNorm in residual blocks: 77,418 parameters."""
    _seeded()
    return Residual()
