"""Train the networks of the certificate tables on Fashion-MNIST.

    python examples/certificates/train.py --out nets            # all of them
    python examples/certificates/train.py --out nets --only mlp

Writes, for each: ``NAME.pt`` (trained), ``NAME.init.pt`` (before training), and the
samples ``TASK.npz`` and ``TASK.test.npz`` with pixels in [-1, 1].
"""

from __future__ import annotations

import argparse
import gzip
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import nets
import numpy as np
import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

SOURCE = Path("/usr/share/datasets/fashion-mnist")


@dataclass(frozen=True)
class Recipe:
    """One net: what makes it, on which labels, and for how long it is trained."""

    make: Callable[[], nn.Module]
    task: str
    epochs: int
    rate: float
    loss: str = "cross-entropy"


RECIPES = {
    "cnn_small": Recipe(nets.cnn_small, "all", 5, 0.05),
    "mlp": Recipe(nets.mlp, "all", 8, 0.02),
    "mlp_binary": Recipe(nets.mlp_binary, "halves", 8, 0.02),
    "cnn_binary": Recipe(nets.cnn_binary, "3v8", 5, 0.05),
    "plain_cnn": Recipe(nets.plain_cnn, "3v8-1000", 60, 0.02, "square"),
    "cnn": Recipe(nets.cnn, "all", 5, 0.05),
    "residual": Recipe(nets.residual, "all", 4, 0.05),
}


def read(
    part: str, source: Path = SOURCE
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return images (n, 1, 28, 28) and labels (n,) of ``"train"`` or ``"t10k"``."""
    images = gzip.decompress((source / f"{part}-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((source / f"{part}-labels-idx1-ubyte.gz").read_bytes())
    x = np.frombuffer(images, np.uint8, offset=16).reshape(-1, 1, 28, 28)
    return x, np.frombuffer(labels, np.uint8, offset=8).astype(np.int64)


def select(
    x: NDArray[np.uint8], y: NDArray[np.int64], task: str
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return the pixels in [-1, 1] and the labels of a task.

    Args:
        x: (n, 1, 28, 28) images.
        y: (n,) classes 0..9.
        task: ``"all"``, ``"halves"`` (0-4 against 5-9), ``"3v8"``, or ``"3v8-1000"``,
            the first 1,000 of those with labels -1/+1.
    """
    if task == "halves":
        y = (y >= 5).astype(np.int64)
    if task.startswith("3v8"):
        chosen = (y == 3) | (y == 8)
        x, y = x[chosen], (y[chosen] == 8).astype(np.int64)
    if task == "3v8-1000":
        x, y = x[:1000], 2 * y[:1000] - 1
    return x.astype(np.float32) / np.float32(127.5) - np.float32(1), y


def train(recipe: Recipe, x: torch.Tensor, y: torch.Tensor) -> nn.Module:
    """Train with SGD, momentum .9, a cosine schedule and batches of 128."""
    net = recipe.make()
    torch.manual_seed(1)
    steps = recipe.epochs * math.ceil(len(x) / 128)
    sgd = torch.optim.SGD(net.parameters(), lr=recipe.rate, momentum=0.9)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(sgd, steps)
    for _ in range(recipe.epochs):
        for rows in torch.randperm(len(x)).split(128):
            outputs = net(x[rows])
            if recipe.loss == "square":
                loss = (outputs[:, 0] - y[rows]).square().mean()
            else:
                loss = nn.functional.cross_entropy(outputs, y[rows])
            sgd.zero_grad(set_to_none=True)
            loss.backward()
            sgd.step()
            schedule.step()
    return net.eval()


def main() -> None:
    """Train what was asked for and say how good it is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("nets"))
    parser.add_argument(
        "--only", nargs="*", choices=list(RECIPES), default=list(RECIPES)
    )
    wanted = parser.parse_args()
    wanted.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    for name in wanted.only:
        recipe = RECIPES[name]
        for part, ending in (("train", ""), ("t10k", ".test")):
            x, y = select(*read(part), recipe.task)
            np.savez(wanted.out / f"{recipe.task}{ending}.npz", x=x, y=y)
        start = time.perf_counter()
        x, y = select(*read("train"), recipe.task)
        torch.save(recipe.make().state_dict(), wanted.out / f"{name}.init.pt")
        net = train(recipe, torch.from_numpy(x), torch.from_numpy(y))
        torch.save(net.state_dict(), wanted.out / f"{name}.pt")
        print(f"{name}: {time.perf_counter() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
