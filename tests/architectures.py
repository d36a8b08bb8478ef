"""Small networks of the kinds that people train."""

from __future__ import annotations

import torch
from torch import nn

from tests.normalize.nets import trained


class Block(nn.Module):
    """A residual block of ResNet v1: the ReLU comes after the addition."""

    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(y)) + x)


def resnet():
    """Stem, two blocks, global average, head."""
    stem = [nn.Conv2d(1, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU()]
    tail = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)]
    return trained(nn.Sequential(*stem, Block(4), Block(4), *tail))


def vgg():
    """Padded convolutions with BatchNorm, max pooling, a dense head with dropout."""
    steps = []
    for before, after in ((1, 4), (4, 6)):
        steps += [
            nn.Conv2d(before, after, 3, padding=1),
            nn.BatchNorm2d(after),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
        ]
    head = [nn.Linear(24, 8), nn.ReLU(), nn.Dropout(), nn.Linear(8, 3)]
    return trained(nn.Sequential(*steps, nn.Flatten(), *head))


def mlp():
    """Dense layers without biases, one output."""
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(64, 6, bias=False),
        nn.ReLU(),
        nn.Linear(6, 1, bias=False),
    ).eval()


def biased_mlp():
    """Dense layers with biases, three outputs."""
    return nn.Sequential(
        nn.Flatten(), nn.Linear(64, 6), nn.ReLU(), nn.Linear(6, 3)
    ).eval()


def plain_cnn():
    """Strided convolutions without biases, one output."""
    return nn.Sequential(
        nn.Conv2d(1, 4, 2, stride=2, bias=False),
        nn.ReLU(),
        nn.Conv2d(4, 4, 2, stride=2, bias=False),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(16, 1, bias=False),
    ).eval()


def depthwise():
    """Pairs of depthwise and pointwise convolutions, as in MobileNet v1."""
    steps = [nn.Conv2d(1, 4, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(4)]
    steps += [nn.ReLU(), nn.Conv2d(4, 4, 3, padding=1, groups=4, bias=False)]
    steps += [nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 6, 1, bias=False)]
    steps += [nn.BatchNorm2d(6), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return trained(nn.Sequential(*steps, nn.Linear(6, 3)))


class Attending(nn.Module):
    """One head of attention over the rows of an image."""

    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        rows = x.flatten(1, 2)
        return self.head(self.attention(rows, rows, rows)[0].mean(1))


class Encoder(nn.Module):
    """One layer of a transformer over the rows of an image."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        return self.head(self.encoder(x.flatten(1, 2)).mean(1))


class Recurrent(nn.Module):
    """A recurrent network over the rows of an image."""

    def __init__(self, kind):
        super().__init__()
        self.rnn = kind(8, 6, batch_first=True)
        self.head = nn.Linear(6, 3)

    def forward(self, x):
        return self.head(self.rnn(x.flatten(1, 2))[0][:, -1])


def gelu_mlp():
    """An activation that is not positively homogeneous."""
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(64, 6, bias=False),
        nn.GELU(),
        nn.Linear(6, 1, bias=False),
    ).eval()


def attention():
    """Attention from torch's own module."""
    return Attending().eval()


def transformer():
    """A transformer from torch's own module."""
    return Encoder().eval()


def lstm():
    """Long short-term memory."""
    return Recurrent(nn.LSTM).eval()


def gru():
    """Gated recurrent units."""
    return Recurrent(nn.GRU).eval()


#: All take samples of shape (1, 8, 8).
NETS = (
    resnet,
    vgg,
    mlp,
    biased_mlp,
    plain_cnn,
    depthwise,
    gelu_mlp,
    attention,
    transformer,
    lstm,
    gru,
)
