"""Two nets of one architecture, one trained far longer than the other.

``python examples/collapse/nets.py OUT`` writes them as ``OUT/short.pt`` and
``OUT/long.pt``; it takes some five seconds on one core.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["LONG", "SHORT", "images", "net", "trained"]

DATA = Path(__file__).parents[2] / "fixtures" / "data" / "ten_test.npz"
#: Of each class, the first images to train on and the next to test on.
TRAINING, TEST = 120, 40
#: Epochs of the two nets.
SHORT, LONG = 4, 60


def net() -> nn.Sequential:
    """Return a net of three layers and a head: (b, 1, 28, 28) -> 64 features -> (b, 10).

    Without BatchNorm the collapse takes many more epochs.
    """
    return nn.Sequential(
        nn.Flatten(),
        *(nn.Linear(784, 128), nn.BatchNorm1d(128), nn.ReLU()),
        *(nn.Linear(128, 128), nn.BatchNorm1d(128), nn.ReLU()),
        *(nn.Linear(128, 64), nn.BatchNorm1d(64), nn.ReLU()),
        nn.Linear(64, 10),
    )


def images() -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Return balanced training and test images of Fashion-MNIST, (x, y) each.

    Images are divided by their norm and centered, as the file declares.
    """
    with np.load(DATA) as stored:
        raw, y = torch.tensor(stored["x"]).double(), torch.tensor(stored["y"]).long()
        center = torch.tensor(stored["center"])
    x = (raw / raw.flatten(1).norm(dim=1)[:, None, None, None]).float() - center
    of_class = [(y == label).nonzero()[:, 0] for label in range(10)]
    train = torch.cat([rows[:TRAINING] for rows in of_class])
    test = torch.cat([rows[TRAINING : TRAINING + TEST] for rows in of_class])
    return (x[train], y[train]), (x[test], y[test])


def trained(epochs: int, weight_decay: float = 1e-2) -> nn.Sequential:
    """Return the net after so many epochs of cross-entropy.

    Args:
        epochs: Of SGD with momentum 0.9, batches of 100, and a rate that falls from
            0.05 to 0 as a cosine.
        weight_decay: As torch counts it, on every weight and bias.
    """
    (x, y), _ = images()
    torch.manual_seed(0)
    order = torch.Generator().manual_seed(0)
    model = net().train()
    optimizer = torch.optim.SGD(
        model.parameters(), lr=0.05, momentum=0.9, weight_decay=weight_decay
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    for _ in range(epochs):
        for rows in torch.randperm(len(x), generator=order).split(100):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x[rows]), y[rows])
            torch.autograd.backward(loss)
            optimizer.step()
        schedule.step()
    return model.eval()


if __name__ == "__main__":
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    for name, epochs in (("short", SHORT), ("long", LONG)):
        torch.save(trained(epochs).state_dict(), out / f"{name}.pt")
        print(out / f"{name}.pt")
