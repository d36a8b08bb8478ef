"""Few distinct numbers in place of many: what they cost, and what is lost by them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from boundkit.numerics.code_lengths import kt_bits

if TYPE_CHECKING:
    import torch

__all__ = ["MOST_LEVELS", "level_bits", "quantize", "reassigned"]

#: Symbols that the code of one tensor may have, that of zero included.
MOST_LEVELS = 32
#: Numbers of levels that are tried for each tensor, zero included.
_TRIED = (2, 3, 5, 9, 17)
_ROUNDS = 6
#: Numbers whose distances to all levels are held at a time, so that they stay in cache.
_ROWS = 2**14
#: Patterns of 16 bits, one of which each level is.
_PATTERNS = 2**16
#: The largest float16.
_LARGEST = 65504.0


def level_bits(levels: int) -> float:
    """Return the bits of so many different float16 numbers in increasing order.

    ``log2 C(2^16, levels)``, a little below 16 for each.

    Args:
        levels: How many, that of zero left out.
    """
    logs = math.lgamma(_PATTERNS + 1) - math.lgamma(levels + 1)
    return (logs - math.lgamma(_PATTERNS - levels + 1)) / math.log(2)


def quantize(
    values: torch.Tensor, weights: torch.Tensor, price: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Replace numbers by few, where ``1/2 sum w (v - q)^2 + price * nats`` is small.

    Entropy-constrained Lloyd iterations (Chou, Lookabaugh and Gray, 1989,
    "Entropy-constrained vector quantization") from several numbers of levels; the least
    of their costs is taken, with the code lengths that are charged.

    Args:
        values: (N,) float.
        weights: (N,) what the square of an error costs, at least 0.
        price: Of a nat, above 0.

    Returns:
        (A,) levels, zero first, the others float16 numbers in increasing order, each in
        use; (N,) int64 index of the level of each number.
    """
    import torch

    v, w = values.float(), weights.float()
    found = [_level_set(v, w, price, count) for count in _TRIED]
    costs = torch.stack([_cost(v, w, price, *each) for each in found])
    levels, symbols = found[int(costs.argmin())]
    return levels.double(), symbols


def _level_set(
    v: torch.Tensor, w: torch.Tensor, price: float, count: int
) -> tuple[torch.Tensor, torch.Tensor]:
    import torch

    levels = _start(v, w, count)
    nats = v.new_full((len(levels),), math.log(len(levels)))
    for _ in range(_ROUNDS):
        symbols = _assigned(v, w, price, levels, nats)
        levels, nats = _centers(v, w, levels, symbols)
    levels = torch.cat([levels[:1], _half(levels[1:][torch.isfinite(nats[1:])])])
    # Rounding may join two levels; a last assignment may leave one without a number.
    levels = torch.cat([levels[:1], torch.unique(levels[1:][levels[1:] != 0])])
    free = v.new_zeros(len(levels))
    symbols = _assigned(v, w, price, levels, free)
    return _compact(levels, reassigned(v, w, price, levels, symbols))


def reassigned(
    values: torch.Tensor,
    weights: torch.Tensor,
    price: float,
    levels: torch.Tensor,
    symbols: torch.Tensor,
) -> torch.Tensor:
    """Return new symbols for numbers that have moved; levels stay as they are.

    Args:
        values: (N,) float.
        weights: (N,) what the square of an error costs.
        price: Of a nat.
        levels: (A,) levels, zero first.
        symbols: (N,) former symbols, whose frequencies are the code lengths.

    Returns:
        (N,) int64.
    """
    counts = _counts(symbols, len(levels))
    nats = -(counts.clamp(min=0.5) / len(symbols)).log()
    return _assigned(values, weights, price, levels, nats.to(values.dtype))


def _compact(
    levels: torch.Tensor, symbols: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Leave out levels that are not in use, but never that of zero."""
    used = _counts(symbols, len(levels)) > 0
    used[0] = True
    return levels[used], (used.cumsum(0) - 1)[symbols]


def _start(v: torch.Tensor, w: torch.Tensor, count: int) -> torch.Tensor:
    """Return zero, quantiles by what leaving a number out would cost, and a grid."""
    import torch

    order = v.argsort()
    mass = (w * v.square())[order].cumsum(0)
    many = count // 2
    shares = (torch.arange(many, device=v.device, dtype=v.dtype) + 0.5) / many
    places = torch.searchsorted(mass, shares * mass[-1])
    chosen = v[order][places.clamp(max=len(v) - 1)]
    low, high = v.min(), v.max()
    grid = low + (high - low) * torch.linspace(
        0, 1, count - 1 - many, device=v.device, dtype=v.dtype
    )
    return torch.cat([v.new_zeros(1), torch.unique(torch.cat([chosen, grid]))])


def _assigned(
    v: torch.Tensor,
    w: torch.Tensor,
    price: float,
    levels: torch.Tensor,
    nats: torch.Tensor,
) -> torch.Tensor:
    """Return the level of each number by error and code length together."""
    import torch

    return torch.cat([
        (
            (a.unsqueeze(1) - levels).square() * (b.unsqueeze(1) / 2) + price * nats
        ).argmin(1)
        for a, b in zip(torch.split(v, _ROWS), torch.split(w, _ROWS), strict=True)
    ])


def _centers(
    v: torch.Tensor, w: torch.Tensor, levels: torch.Tensor, symbols: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return weighted means, zero kept, and the nats of each symbol."""
    import torch

    size = len(levels)
    # Numbers whose errors cost nothing still have a mean.
    w = w + w.mean() * 1e-6 + 1e-30
    total = v.new_zeros(size).index_add_(0, symbols, w)
    means = v.new_zeros(size).index_add_(0, symbols, w * v) / total
    counts = _counts(symbols, size)
    levels = torch.where(counts > 0, means, levels)
    levels[0] = 0.0
    return levels, -(counts / len(v)).log().to(v.dtype)


def _counts(symbols: torch.Tensor, size: int) -> torch.Tensor:
    import torch

    # Unlike bincount, this does not wait for the device.
    ones = torch.ones(len(symbols), dtype=torch.float64, device=symbols.device)
    return ones.new_zeros(size).index_add_(0, symbols, ones)


def _half(levels: torch.Tensor) -> torch.Tensor:
    """Round to float16 numbers, never to infinity."""
    return levels.clamp(-_LARGEST, _LARGEST).half().to(levels.dtype)


def _cost(
    v: torch.Tensor,
    w: torch.Tensor,
    price: float,
    levels: torch.Tensor,
    symbols: torch.Tensor,
) -> torch.Tensor:
    lost = ((v - levels[symbols]).square() * w).double().sum() / 2
    counts = _counts(symbols, len(levels)).long().tolist()
    bits = level_bits(len(levels) - 1) + kt_bits(counts)
    return lost + price * math.log(2) * bits
