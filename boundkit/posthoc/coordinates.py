"""The free tensors of a network as one vector, in coordinates that suit its inputs.

With inputs whose typical value is c, ``W x + b = W (x - c) + b'`` for ``b' = b + c W 1``.
A Gaussian on ``(W, b')`` wastes no noise on pixels that are nearly always c. The map has
determinant 1 and does not depend on the sample, so densities carry over as they are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch
    from torch import nn

    from boundkit.posthoc.settled import Settled

__all__ = ["SHIFTS", "Coordinates", "coordinates_of", "nearest_shift"]

#: Values of c to choose from; the choice is charged.
SHIFTS = tuple(k / 16 for k in range(-64, 65))


@dataclass(frozen=True, slots=True, eq=False)
class Coordinates:
    """A network as a function of one vector.

    Attributes:
        module: The network, settled, on some device.
        names: Of the free tensors, in the order of the vector.
        shapes: Of each.
        sheared: Position of a weight that reads the input -> position of its bias.
        shift: The c of the module's docstring.
    """

    module: nn.Module
    names: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    sheared: Mapping[int, int]
    shift: float = 0.0

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many entries each tensor has."""
        return tuple(prod(shape) for shape in self.shapes)

    def flattened(self, tensors: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Return the vector of some tensors.

        Args:
            tensors: Name -> values, on any device.

        Returns:
            (P,) float64.
        """
        import torch

        parts = [tensors[name].detach().double().reshape(-1) for name in self.names]
        for weight, bias in self.sheared.items():
            rows = parts[weight].reshape(self.shapes[weight][0], -1).sum(1)
            # Not in place: what is split shares its memory.
            parts[bias] = torch.add(parts[bias], rows, alpha=self.shift)
        return torch.cat(parts)

    def tensors(self, vector: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return the tensors of a vector; gradients flow through.

        Args:
            vector: (P,) of any float dtype.

        Returns:
            Name -> values, of that dtype.
        """
        import torch

        parts = list(torch.split(vector, list(self.sizes)))
        if self.shift:
            for weight, bias in self.sheared.items():
                rows = parts[weight].reshape(self.shapes[weight][0], -1).sum(1)
                parts[bias] = rows.mul(-self.shift).add(parts[bias])
        shaped = zip(self.names, parts, self.shapes, strict=True)
        return {name: part.reshape(shape) for name, part, shape in shaped}

    def outputs(self, vector: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        """Return the outputs for weights and inputs on one device.

        Args:
            vector: (P,) weights, in these coordinates.
            x: (b, ...) inputs.

        Returns:
            (b, C).
        """
        from torch.func import functional_call

        found: torch.Tensor = functional_call(self.module, self.tensors(vector), (x,))
        return found.reshape(len(x), -1)

    def shifted(self, shift: float) -> Coordinates:
        """Return the same with another c; 0 where no layer can use it.

        Args:
            shift: Out of ``SHIFTS``.
        """
        return replace(self, shift=shift if self.sheared else 0.0)


def coordinates_of(net: Settled) -> Coordinates:
    """Return the coordinates of a network with c = 0.

    Args:
        net: Whose free tensors make up the vector.
    """
    values = net.values()
    shapes = tuple(tuple(values[name].shape) for name in net.free)
    at = {name: position for position, name in enumerate(net.free)}
    sheared = {at[weight]: at[bias] for weight, bias in net.sheared.items()}
    return Coordinates(net.module, net.free, shapes, sheared)


def nearest_shift(x: torch.Tensor) -> int:
    """Return the index in ``SHIFTS`` nearest to the median of some inputs.

    Args:
        x: (b, ...) inputs.
    """
    flat = x.detach().reshape(-1)
    middle = float(flat[:: max(1, len(flat) // 1_000_000)].median())
    return min(range(len(SHIFTS)), key=lambda k: abs(SHIFTS[k] - middle))
