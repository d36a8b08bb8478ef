"""What is quantized: tensors less their center, or two factors of each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from boundkit.posthoc.coded import Block, CodedNetwork, CodedTensor
from boundkit.posthoc.low_rank import factored
from boundkit.posthoc.quantize import quantize

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import torch

    from boundkit.posthoc.coded import Center
    from boundkit.posthoc.saliency import Inputs

    #: For each part of a plan: (A,) levels, zero first, and (N,) symbols.
    Books = tuple[tuple[torch.Tensor, torch.Tensor], ...]

__all__ = ["Part", "Plan", "as_code", "factors", "numbers", "opened", "planned", "put"]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Numbers that share an alphabet.

    Attributes:
        tensor: Whose numbers, or whose factor.
        values: float64, in any shape.
        weights: Of the same shape, what the square of an error costs.
    """

    tensor: str
    values: torch.Tensor
    weights: torch.Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A network as parts to be quantized.

    Attributes:
        center: What the parts are added to.
        centers: Its values by name, float64.
        shapes: Of each tensor, in order.
        ranks: Of those that are two parts.
        parts: In the order of the tensors; the factors of one follow each other.
    """

    center: Center
    centers: Mapping[str, torch.Tensor]
    shapes: Mapping[str, tuple[int, ...]]
    ranks: Mapping[str, int]
    parts: tuple[Part, ...]


def factors(shape: Sequence[int], rank: int) -> bool:
    """Say whether a product of this rank has at most half the numbers of a matrix."""
    if len(shape) != 2 or not 0 < rank <= min(shape):
        return False
    return 2 * rank * sum(shape) <= shape[0] * shape[1]


def planned(
    values: Mapping[str, torch.Tensor],
    center: Center,
    centers: Mapping[str, torch.Tensor],
    saliency: Mapping[str, torch.Tensor],
    inputs: Mapping[str, Inputs],
    rank: int,
) -> Plan:
    """Return the parts of a network.

    Args:
        values: Name -> trained values.
        center: What they are taken relative to.
        centers: Its values by name.
        saliency: Diagonal Fisher information by name, where there is one.
        inputs: Of linear layers; these are factored, where that saves numbers.
        rank: Of the factors; 0 for none.
    """
    wide = {name: value.double() for name, value in values.items()}
    off = {name: value - centers[name].double() for name, value in wide.items()}
    weights = {name: _weights(off[name], saliency.get(name)) for name in off}
    ranks = {n: rank for n in inputs if factors(values[n].shape, rank)}
    products = {n: factored(off[n], inputs[n].covariance, rank) for n in ranks}
    for name, (left, right) in products.items():
        _lean_on_bias(off, inputs[name], off[name] - left @ right)
    parts: list[Part] = []
    for name, value in off.items():
        if name not in products:
            parts.append(Part(name, value, weights[name]))
            continue
        left, right = products[name]
        own = weights[name]
        parts += (
            Part(name, left, own @ right.square().mT),
            Part(name, right, left.square().mT @ own),
        )
    shapes = {name: tuple(value.shape) for name, value in values.items()}
    kept = {name: centers[name].double() for name in values}
    return Plan(center, kept, shapes, ranks, tuple(parts))


def _weights(values: torch.Tensor, saliency: torch.Tensor | None) -> torch.Tensor:
    if saliency is not None:
        return saliency.to(values)
    # Without a derivative, relative errors are what can be kept small.
    return 1 / (values.square() + values.square().mean() + 1e-12)


def _lean_on_bias(
    off: dict[str, torch.Tensor], inputs: Inputs, lost: torch.Tensor
) -> None:
    """Let the bias make up, at the mean input, for what a weight has lost."""
    import torch

    if inputs.bias is not None and inputs.bias in off:
        # Not in place: the plan keeps the former values.
        off[inputs.bias] = torch.add(off[inputs.bias], lost @ inputs.mean)


def opened(
    plan: Plan, inputs: Mapping[str, Inputs], price: float
) -> tuple[Plan, Books]:
    """Quantize a plan, with the biases last, so that they make up for the weights.

    Args:
        plan: What to quantize.
        inputs: Of linear layers.
        price: Of a nat.

    Returns:
        The plan with the biases so moved, and the codes.
    """
    found = [
        quantize(p.values.reshape(-1), p.weights.reshape(-1), price) for p in plan.parts
    ]
    got = numbers(plan.parts, tuple(found))
    off = {p.tensor: p.values for p in plan.parts}
    for part, value in zip(plan.parts, got, strict=True):
        known = inputs.get(part.tensor)
        if known is not None and part.tensor not in plan.ranks:
            _lean_on_bias(off, known, part.values - value)
    biases = {known.bias for known in inputs.values()}
    parts = list(plan.parts)
    for at, part in enumerate(parts):
        if part.tensor in biases:
            parts[at] = replace(part, values=off[part.tensor])
            found[at] = quantize(off[part.tensor], part.weights, price)
    return replace(plan, parts=tuple(parts)), tuple(found)


def numbers(parts: Sequence[Part], books: Books) -> list[torch.Tensor]:
    """Return the quantized values of parts, in their shapes."""
    return [
        levels[symbols].reshape(part.values.shape)
        for part, (levels, symbols) in zip(parts, books, strict=True)
    ]


def put(plan: Plan, values: Sequence[torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return the tensors that values of the parts make up; gradients flow through.

    Args:
        plan: Says how.
        values: One tensor per part, all of one dtype.

    Returns:
        Name -> values.
    """
    found: dict[str, torch.Tensor] = {}
    for part, value in zip(plan.parts, values, strict=True):
        before = found.get(part.tensor)
        found[part.tensor] = value if before is None else before @ value
    return {name: value + plan.centers[name].to(value) for name, value in found.items()}


def as_code(plan: Plan, books: Books) -> CodedNetwork:
    """Return the code that quantized parts are."""
    blocks: dict[str, list[Block]] = {}
    for part, (levels, symbols) in zip(plan.parts, books, strict=True):
        block = Block(
            levels[1:].cpu().numpy().astype(np.float16),
            symbols.cpu().numpy().astype(np.uint8),
        )
        blocks.setdefault(part.tensor, []).append(block)
    tensors = (
        CodedTensor(name, shape, plan.ranks.get(name, 0), tuple(blocks[name]))
        for name, shape in plan.shapes.items()
    )
    return CodedNetwork(plan.center, tuple(tensors))
