"""How much noise on its weights a network stands, as Jiang et al. (2020) ask.

``sigma`` is the largest standard deviation of Gaussian noise on all weights and biases
that costs at most 0.1 of the training accuracy on average. Absolute noise has one
``sigma`` for all entries; relative noise has ``sqrt(sigma^2 w_i^2 + epsilon^2)`` for
entry ``w_i``. The constants are those of Dziugaite et al. (2020).
"""

from __future__ import annotations

import itertools
import math
import time
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np

from boundkit.data.tensors import from_stored
from boundkit.errors import NotApplicable
from boundkit.layers.replay import replay
from boundkit.measure.evidence import raw_margins
from boundkit.measure.forward import resolved
from boundkit.readers.storage import ArrayStorage
from boundkit.types import Notice, Sharpness, StoredTensor

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch

    from boundkit.data import Samples
    from boundkit.types import Network

    Drop = Callable[[float, int], float]
    Progress = Callable[[int, int | None, str], None] | None
    Both = tuple[Sharpness | None, Sharpness | None]

__all__ = ["EPSILON", "largest_noise", "noisy_accuracy", "sharpness"]

#: Noise that relative perturbations have at least, as in Dziugaite et al. (2020).
EPSILON = 1e-3
_TARGET = 0.1
_DRAWS = 8
#: Powers of two that sigma is looked for between, and halvings of that range.
_LOWEST, _HIGHEST, _STEPS = -20.0, 10.0, 10
#: How much further the slope of the accuracy is taken.
_FURTHER = 1.25
#: Samples that are kept: at most, at least, and numbers that they become on the way.
_MOST_SAMPLES, _FEWEST_SAMPLES, _MOST_NUMBERS = 2000, 200, 2**23
#: More samples at a time do not stay in the cache.
_MOST_AT_A_TIME = 64
#: Seconds that a pass over the kept samples may take; over a hundred are needed.
_PATIENCE = 0.25


def _in_memory(values: torch.Tensor) -> StoredTensor:
    found = values.numpy()
    return StoredTensor(found.shape, "float32", ArrayStorage(found))


def _each_tensor(
    network: Network, change: Callable[[torch.Tensor], torch.Tensor]
) -> Network:
    """Return the network with another float32 array in place of each weight and bias."""

    def changed(tensor: StoredTensor) -> StoredTensor:
        return _in_memory(change(from_stored(tensor).float().contiguous()))

    used = {node.layer for node in network.nodes or ()}
    layers = tuple(
        replace(
            layer,
            weight=changed(layer.weight),
            bias=None if layer.bias is None else changed(layer.bias),
        )
        for layer in network.layers
        if layer.name in used
    )
    return replace(network, layers=layers)


def _perturbed(
    network: Network, sigma: float, epsilon: float | None, seed: int
) -> Network:
    import torch

    # On the CPU on any device: there the same seed gives the same noise.
    source = torch.Generator().manual_seed(seed)

    def noisy(weight: torch.Tensor) -> torch.Tensor:
        noise = torch.randn(weight.shape, generator=source)
        if epsilon is None:
            return weight + sigma * noise
        return weight + torch.hypot(sigma * weight, torch.tensor(epsilon)) * noise

    return _each_tensor(network, noisy)


def _accuracy(
    network: Network, x: torch.Tensor, labels: torch.Tensor, batch_size: int
) -> float:
    import torch

    right, size = 0, min(batch_size, _MOST_AT_A_TIME)
    for part, own in zip(torch.split(x, size), torch.split(labels, size), strict=True):
        outputs = replay(network, part).reshape(len(part), -1).cpu()
        right += int((raw_margins(outputs, own) > 0).sum())
    return right / len(labels)


def noisy_accuracy(
    network: Network,
    x: torch.Tensor,
    labels: torch.Tensor,
    sigma: float,
    epsilon: float | None,
    seed: int,
    batch_size: int,
) -> float:
    """Return the accuracy that one draw of noise on weights and biases leaves.

    Args:
        network: Wired and described completely.
        x: (b, *shape) float32 inputs, on any device.
        labels: (b,) class indices, or -1/+1, on the CPU.
        sigma: Standard deviation, of the entry or relative to it.
        epsilon: Least noise of relative perturbations; None for absolute ones.
        seed: Of the noise.
        batch_size: Samples at a time.

    Raises:
        NotApplicable: An operation is not described completely.
        Unreadable: The bytes of a weight are not there.
    """
    noisy = _perturbed(network, sigma, epsilon, seed)
    return _accuracy(noisy, x, labels, batch_size)


def _exceeds(drop: Drop, sigma: float, accuracy: float) -> bool:
    """Say whether the mean drop is above the target, without draws that cannot matter."""
    total, wanted = 0.0, _TARGET * _DRAWS
    for k in range(_DRAWS):
        left = _DRAWS - 1 - k
        total += drop(sigma, k)
        if total - left * (1 - accuracy) > wanted:
            return True
        if total + left * accuracy <= wanted:
            break
    return False


def _spread(drop: Drop, sigma: float) -> float | None:
    """Return the standard error of log sigma, by the slope of the mean drop."""
    here = np.array([drop(sigma, k) for k in range(_DRAWS)])
    beyond = np.array([drop(_FURTHER * sigma, k) for k in range(_DRAWS)])
    slope = float((beyond - here).mean()) / math.log(_FURTHER)
    error = float(here.std(ddof=1)) / math.sqrt(_DRAWS)
    return error / slope if slope > 0 else None


def largest_noise(drop: Drop, accuracy: float) -> Sharpness | None:
    """Return the largest noise that costs at most 0.1 of the accuracy on average.

    Bisection of log sigma between 2^-20 and 2^10 to two percent, with the same eight
    draws at each step.

    Args:
        drop: (sigma, number of the draw) -> what the accuracy falls by.
        accuracy: Without noise; no drop is larger, nor below ``accuracy - 1``.

    Returns:
        None where no sigma in that range is the largest.
    """
    low, high = _LOWEST, _HIGHEST
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if _exceeds(drop, 2**middle, accuracy):
            high = middle
        else:
            low = middle
    if low == _LOWEST or high == _HIGHEST:
        return None
    return Sharpness(2**low, _spread(drop, 2**low))


def _wanted(network: Network) -> int:
    """Return how many samples are kept, fewer where the network is wide."""
    touched = sum(math.prod(node.shape) for node in network.nodes or ())
    most = max(_FEWEST_SAMPLES, _MOST_NUMBERS // max(1, touched))
    return min(_MOST_SAMPLES, most)


def _kept(
    samples: Samples, most: int, batch_size: int
) -> tuple[torch.Tensor, torch.Tensor]:
    import torch

    xs: list[torch.Tensor] = []
    ys: list[torch.Tensor] = []
    for x, y in samples.batches(batch_size):
        left = most - sum(map(len, ys))
        xs.append(x[:left].float())
        ys.append(y[:left])
        if len(y) >= left:
            break
    return torch.cat(xs), torch.cat(ys)


def _searched(
    network: Network,
    x: torch.Tensor,
    labels: torch.Tensor,
    seeds: Sequence[int],
    batch_size: int,
    progress: Progress,
) -> tuple[Both, float]:
    """Return both kinds of noise, or neither and the seconds of a slow pass."""
    held = _each_tensor(network, lambda weight: weight)
    _accuracy(held, x[:1], labels[:1], 1)  # the first pass of a process takes long
    start = time.perf_counter()
    accuracy = _accuracy(held, x, labels, batch_size)
    seconds = time.perf_counter() - start
    if seconds > _PATIENCE:
        return (None, None), seconds
    done = itertools.count(1)

    @cache
    def drop(sigma: float, k: int, epsilon: float | None) -> float:
        if progress is not None:
            progress(next(done), None, "sharpness")
        noise = (sigma, epsilon, seeds[k])
        return accuracy - noisy_accuracy(held, x, labels, *noise, batch_size)

    absolute = largest_noise(partial(drop, epsilon=None), accuracy)
    relative = largest_noise(partial(drop, epsilon=EPSILON), accuracy)
    return (absolute, relative), seconds


def sharpness(
    network: Network,
    samples: Samples,
    generator: np.random.Generator,
    *,
    device: str = "auto",
    batch_size: int = 256,
    progress: Progress = None,
) -> tuple[Both, tuple[Notice, ...]]:
    """Return the largest absolute and the largest relative noise a network stands.

    The accuracy is that on the first 2,000 samples, on fewer where the network is
    wide.

    Args:
        network: Normalization folded; nothing is found unless its nodes tell all.
        samples: The training sample.
        generator: Seeds the noise.
        device: Where to run.
        batch_size: Samples at a time.
        progress: Called with passes done, None, and a label.

    Returns:
        Both, None where unknown, and why they were not looked for.

    Raises:
        DataError: A batch is not usable.
        Unreadable: The bytes of a weight are not there.
        UsageError: The device is not there.
    """
    import torch

    if network.nodes is None or network.doubts:
        return (None, None), ()
    x, labels = _kept(samples, _wanted(network), batch_size)
    if bool((labels == labels[0]).all()):
        why = f"the first {len(labels)} samples are of one class; shuffle the data"
        return (None, None), (_notice(why),)
    seeds = generator.integers(2**62, size=_DRAWS).tolist()
    with torch.inference_mode():
        try:
            found, seconds = _searched(
                network, x.to(resolved(device)), labels, seeds, batch_size, progress
            )
        except NotApplicable:
            return (None, None), ()
    if seconds <= _PATIENCE:
        return found, ()
    why = f"a pass over {len(labels)} samples takes {seconds:.2f} s, and over 100 are needed"
    return found, (_notice(why),)


def _notice(why: str) -> Notice:
    return Notice(
        "no-sharpness", f"no sharpness measures of Jiang et al. (2020): {why}"
    )
