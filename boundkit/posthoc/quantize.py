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

    v, w = values.double(), weights.double()
    found = [_level_set(v, w, price, count) for count in _TRIED]
    costs = torch.stack([_cost(v, w, price, *each) for each in found])
    return found[int(costs.argmin())]


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
    levels = torch.cat([levels[:1], levels[1:][levels[1:] != 0].unique()])
    free = v.new_zeros(len(levels))
    return reassigned(v, w, price, levels, _assigned(v, w, price, levels, free))


def reassigned(
    values: torch.Tensor,
    weights: torch.Tensor,
    price: float,
    levels: torch.Tensor,
    symbols: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return levels without those that fell out of use, and new symbols for numbers.

    Args:
        values: (N,) float64.
        weights: (N,) what the square of an error costs.
        price: Of a nat.
        levels: (A,) levels, zero first.
        symbols: (N,) former symbols, whose frequencies are the code lengths.
    """
    counts = _counts(symbols, len(levels))
    nats = -(counts.clamp(min=0.5) / counts.sum()).log()
    found = _assigned(values, weights, price, levels, nats)
    used = _counts(found, len(levels)) > 0
    used[0] = True
    return levels[used], (used.cumsum(0) - 1)[found]


def _start(v: torch.Tensor, w: torch.Tensor, count: int) -> torch.Tensor:
    """Return zero and quantiles of the numbers by what leaving them out would cost."""
    import torch

    order = v.argsort()
    mass = (w * v.square())[order].cumsum(0)
    wanted = torch.arange(1, count, device=v.device, dtype=v.dtype) - 0.5
    places = torch.searchsorted(mass, wanted / (count - 1) * mass[-1])
    chosen = v[order][places.clamp(max=len(v) - 1)].unique()
    return torch.cat([v.new_zeros(1), chosen])


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
        ((a[:, None] - levels).square() * (b[:, None] / 2) + price * nats).argmin(1)
        for a, b in zip(v.split(_ROWS), w.split(_ROWS), strict=True)
    ])


def _centers(
    v: torch.Tensor, w: torch.Tensor, levels: torch.Tensor, symbols: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return weighted means, zero kept, and the nats of each symbol."""
    import torch

    size = len(levels)
    # Numbers whose errors cost nothing still have a mean.
    w = w + w.mean() * 1e-9 + 1e-300
    total = v.new_zeros(size).index_add_(0, symbols, w)
    means = v.new_zeros(size).index_add_(0, symbols, w * v) / total
    counts = _counts(symbols, size)
    levels = torch.where(counts > 0, means, levels)
    levels[0] = 0.0
    return levels, -(counts / len(v)).log()


def _counts(symbols: torch.Tensor, size: int) -> torch.Tensor:
    return symbols.bincount(minlength=size).double()


def _half(levels: torch.Tensor) -> torch.Tensor:
    """Round to float16 numbers, never to infinity."""
    return levels.clamp(-_LARGEST, _LARGEST).half().double()


def _cost(
    v: torch.Tensor,
    w: torch.Tensor,
    price: float,
    levels: torch.Tensor,
    symbols: torch.Tensor,
) -> torch.Tensor:
    lost = ((v - levels[symbols]).square() * w).sum() / 2
    counts = symbols.bincount(minlength=len(levels)).tolist()
    bits = level_bits(len(levels) - 1) + kt_bits(counts)
    return lost + price * math.log(2) * bits
