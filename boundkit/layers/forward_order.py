"""In which order layers can follow each other, told from their shapes alone.

A state_dict mostly lists layers in the order in which they were made, which is mostly the
order in which they are applied; safetensors files list them by name. Shapes tell whether
an order is possible: what one layer gives, the next must take.
"""

from __future__ import annotations

import re
from itertools import pairwise, starmap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from boundkit.types import Layer

__all__ = ["follows", "forward_order"]

#: Steps after which the search for an order gives up; nets of plain chains take few.
_STEPS = 20_000
_NUMBER = re.compile(r"(\d+)")


def _readings(layer: Layer) -> tuple[tuple[int, int], ...]:
    """Return (channels per group taken, channels given) for each way to read a weight."""
    rows, columns = layer.weight.shape[:2]
    if layer.kind == "linear":
        return ((columns, rows),)
    if layer.kind.startswith("conv_transpose"):
        return ((rows, columns),)
    # A bare 4-d weight may be of a transposed convolution, which stores inputs first.
    return ((columns, rows), (rows, columns))


def follows(before: Layer, after: Layer) -> bool:
    """Say whether ``after`` can take what ``before`` gives.

    Between them may stand pooling, flattening (channels times positions) and groups.

    Args:
        before: A dense or convolutional layer.
        after: Another.
    """
    gives = [g for _, g in _readings(before)]
    if after.kind == "linear":
        takes = after.weight.shape[1]
        if before.kind == "linear":
            return takes == gives[0]
        return any(takes % g == 0 for g in gives)
    takes_one_of = [t for t, _ in _readings(after)]
    # Groups divide the channels, and a generator folds a vector into maps.
    return any(g % t == 0 for g in gives for t in takes_one_of)


def _natural(layer: Layer) -> list[tuple[bool, int, str]]:
    parts = _NUMBER.split(layer.name)
    return [(p.isdigit(), int(p) if p.isdigit() else 0, p) for p in parts]


def _possible(layers: Sequence[Layer]) -> bool:
    return all(starmap(follows, pairwise(layers)))


def _search(layers: Sequence[Layer]) -> tuple[Layer, ...] | None:
    """Return some possible order of few layers, or None; depth first, names in order."""
    steps = 0

    def extend(
        path: tuple[Layer, ...], rest: tuple[Layer, ...]
    ) -> Iterator[tuple[Layer, ...]]:
        nonlocal steps
        if not rest:
            yield path
        for layer in rest:
            steps += 1
            if steps > _STEPS:
                return
            if not path or follows(path[-1], layer):
                left = tuple(x for x in rest if x is not layer)
                yield from extend((*path, layer), left)

    return next(extend((), tuple(layers)), None)


def forward_order(layers: Sequence[Layer]) -> tuple[tuple[Layer, ...], bool]:
    """Return dense and convolutional layers in an order in which they can be applied.

    Tried are the stored order, the natural order of names, and for up to 30 layers a
    search over all orders.

    Args:
        layers: In stored order.

    Returns:
        The order, and whether shapes allow it; the stored order where none is found.
    """
    stored = tuple(layers)
    by_name = tuple(sorted(stored, key=_natural))
    for order in (stored, by_name):
        if _possible(order):
            return order, True
    found = _search(by_name) if len(stored) <= 30 else None
    return (found, True) if found is not None else (stored, False)
