"""Sharpness measures of Jiang et al. (2020), in the constants of Dziugaite et al. (2020).

``sigma`` is the largest standard deviation of Gaussian noise on all weights and biases
that costs at most 0.1 of the training accuracy on average. Absolute noise has one
``sigma`` for all entries; relative noise has ``sqrt(sigma^2 w_i^2 + epsilon^2)`` for
entry ``w_i``. A measure ``v`` is reported as ``sqrt(v / n)``, ``n`` being the sample
size.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from boundkit.data.tensors import from_stored
from boundkit.errors import NotApplicable
from boundkit.layers.replay import replay
from boundkit.measure.evidence import raw_margins
from boundkit.measure.forward import resolved
from boundkit.numerics.blocks import array
from boundkit.readers.storage import ArrayStorage
from boundkit.types import Measurement, Notice, Sharpness, StoredTensor

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch
    from numpy.typing import NDArray

    from boundkit.data import Samples
    from boundkit.types import Network

    Drop = Callable[[float, int], float]
    Progress = Callable[[int, int | None, str], None] | None
    Both = tuple[Sharpness | None, Sharpness | None]

__all__ = [
    "EPSILON",
    "changes",
    "largest_noise",
    "noisy_accuracy",
    "sharpness",
    "sharpness_measures",
]

#: Noise that relative perturbations have at least, as in Dziugaite et al. (2020).
EPSILON = 1e-3
_SOURCE = "Jiang et al. (2020)"
_TARGET = 0.1
_DRAWS = 8
#: Powers of two that sigma is looked for between, and halvings of that range.
_LOWEST, _HIGHEST, _STEPS = -20.0, 10.0, 12
#: How much further the slope of the accuracy is taken.
_FURTHER = 1.25
#: Samples that are kept, and numbers in them.
_MOST_SAMPLES, _MOST_NUMBERS = 2000, 2**25
#: Seconds that a forward pass over the kept samples may take.
_PATIENCE = 1.0


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
    right = 0
    for part, own in zip(x.split(batch_size), labels.split(batch_size), strict=True):
        outputs = replay(network, part).reshape(len(part), -1).cpu()
        right += int((raw_margins(outputs, own) > 0).sum())
    return right / len(labels)


def noisy_accuracy(
    network: Network,
    x: torch.Tensor,
    labels: torch.Tensor,
    sigma: float,
    *,
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

    Bisection of log sigma between 2^-20 and 2^10 to half a percent, with the same eight
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


def _kept(samples: Samples, batch_size: int) -> tuple[torch.Tensor, torch.Tensor]:
    import torch

    most = max(1, min(_MOST_SAMPLES, _MOST_NUMBERS // max(1, math.prod(samples.shape))))
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
    start = time.perf_counter()
    accuracy = _accuracy(held, x, labels, batch_size)
    seconds = time.perf_counter() - start
    if seconds > _PATIENCE:
        return (None, None), seconds
    done = 0

    def drop(sigma: float, k: int, epsilon: float | None) -> float:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, None, "sharpness")
        left = noisy_accuracy(
            held,
            x,
            labels,
            sigma,
            epsilon=epsilon,
            seed=seeds[k],
            batch_size=batch_size,
        )
        return accuracy - left

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

    The accuracy is that on the first 2,000 samples, fewer where samples are large.

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
    x, labels = _kept(samples, batch_size)
    if len(labels.unique()) < 2:
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
    why = (
        f"a pass over {len(labels)} samples takes {seconds:.1f} s, and many are needed"
    )
    return found, (_notice(why),)


def _notice(why: str) -> Notice:
    return Notice(
        "no-sharpness", f"no sharpness measures of Jiang et al. (2020): {why}"
    )


def _pac_bayes(square: float, n: int, sigma: float) -> float:
    return square / (4 * sigma**2) + math.log(n / sigma) + 10


def _magnitude(
    square: float, moved: Sequence[NDArray[np.float64]], n: int, sigma: float
) -> float:
    size = sum(d.size for d in moved)
    above = EPSILON**2 + (sigma**2 + 1) * square / size
    below = math.fsum(
        float(np.log(EPSILON**2 + sigma**2 * np.square(d)).sum()) for d in moved
    )
    return (size * math.log(above) - below) / 4 + math.log(n / sigma) + 10


def _flatness(sigma: float) -> float:
    return 1 / sigma**2


def _measurement(
    name: str, measure: Callable[[float], float], found: Sharpness, n: int
) -> Measurement:
    def final(sigma: float) -> float:
        value = measure(sigma)
        return math.sqrt(value / n) if value >= 0 else math.nan

    value, stderr = final(found.sigma), None
    if found.spread is not None:
        factor = math.exp(min(found.spread, 1.0))
        change = abs(final(found.sigma * factor) - final(found.sigma / factor)) / 2
        stderr = change if math.isfinite(change) else None
    return Measurement(
        f"jiang2020.{name}",
        value if math.isfinite(value) else None,
        "1",
        _SOURCE,
        stderr=stderr,
    )


def sharpness_measures(
    absolute: Sharpness | None,
    relative: Sharpness | None,
    square: float,
    moved: Sequence[NDArray[np.float64]] | None,
    n: int,
) -> tuple[Measurement, ...]:
    """Return every PAC-Bayes and flatness measure whose inputs are known.

    Measures 48, 49, 53, 56, 57 and 61 of Jiang et al. (2020). Both magnitude-aware
    bounds have the change since initialization in their denominator.

    Args:
        absolute: The largest noise of one size for all weights, or None.
        relative: The largest noise relative to each weight, or None.
        square: Squared Euclidean norm of all weights, biases left out.
        moved: Change of each weight since initialization, or None.
        n: Sample size.

    Returns:
        Each with the standard error that few draws of the noise leave.
    """
    away = (
        None if moved is None else math.fsum(float(np.square(d).sum()) for d in moved)
    )
    found: list[Measurement] = []
    if absolute is not None:
        one = {"orig": square} | ({} if away is None else {"init": away})
        found += [
            _measurement(f"pacbayes_{k}", partial(_pac_bayes, v, n), absolute, n)
            for k, v in one.items()
        ]
        found.append(_measurement("pacbayes_flatness", _flatness, absolute, n))
    if relative is not None:
        if moved is not None and away is not None:
            found += [
                _measurement(
                    f"pacbayes_mag_{k}", partial(_magnitude, v, moved, n), relative, n
                )
                for k, v in (("orig", square), ("init", away))
            ]
        found.append(_measurement("pacbayes_mag_flatness", _flatness, relative, n))
    return tuple(found)


def changes(
    network: Network, start: dict[str, StoredTensor]
) -> list[NDArray[np.float64]]:
    """Return how each counted weight has changed, entry by entry.

    Args:
        network: As stored, nothing folded.
        start: Layer -> its weight before training, of the same shape.

    Raises:
        Unreadable: The bytes of a weight are not there.
    """
    return [
        np.subtract(array(x.weight), array(start[x.name]), dtype=np.float64).ravel()
        for x in network.layers
        if x.counted
    ]
