"""Networks written with few distinct numbers, and how many bits that takes.

The prior is over codes, given the architecture. It draws whether to start from zero (1
for the factors of normalization layers) or from the initial weights (1 bit), and for each
matrix a rank from 0 (no factors) to the smaller side, uniformly. For each block of numbers, a tensor or one of its two factors,
it draws the size A of an alphabet, uniformly from 1 to 32; A - 1 different float16
patterns, uniformly among sets of that size; and the symbols, one by one, by the
Krichevsky-Trofimov rule. Symbol 0 is the number zero, the others are the patterns in
increasing order of their numbers. Each code has a probability, and these add up to 1 at
most; ``-log2`` of it are the bits of a network.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from boundkit.numerics.code_lengths import kt_bits
from boundkit.posthoc.quantize import MOST_LEVELS, level_bits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["Bits", "Block", "Center", "CodedNetwork", "CodedTensor", "bits", "decoded"]

Center = Literal["zero", "init"]


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Numbers of one alphabet.

    Attributes:
        levels: (A - 1,) float16, increasing, none of them zero; symbol k + 1 is the
            k-th.
        symbols: (N,) uint8, 0 for zero.
    """

    levels: NDArray[np.float16]
    symbols: NDArray[np.uint8]

    def numbers(self) -> NDArray[np.float64]:
        """The (N,) numbers that the symbols stand for, exactly."""
        found: NDArray[np.float64] = np.append(0.0, self.levels.astype(np.float64))
        return found[self.symbols]


@dataclass(frozen=True, slots=True, eq=False)
class CodedTensor:
    """One tensor.

    Attributes:
        name: In the state_dict.
        shape: Its sizes.
        rank: Of the product that is added to the center; 0 for a single block.
        blocks: One of all entries; or two, (outputs, rank) and (rank, inputs).
    """

    name: str
    shape: tuple[int, ...]
    rank: int
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, eq=False)
class CodedNetwork:
    """All tensors that are counted.

    Attributes:
        center: What the coded numbers are added to.
        tensors: In the order of the state_dict.
    """

    center: Center
    tensors: tuple[CodedTensor, ...]


@dataclass(frozen=True, slots=True)
class Bits:
    """Where the bits of a network go.

    Attributes:
        settings: Start, ranks and sizes of alphabets.
        codebook: Levels.
        symbols: Sequences of symbols.
    """

    settings: float
    codebook: float
    symbols: float

    @property
    def total(self) -> float:
        """All of them: ``-log2`` of the prior probability."""
        return self.settings + self.codebook + self.symbols


def bits(network: CodedNetwork) -> Bits:
    """Return what a network costs under the prior of the module's docstring.

    Args:
        network: Whose levels are different and increasing.
    """
    settings, codebook, symbols = 1.0, 0.0, 0.0
    for tensor in network.tensors:
        if len(tensor.shape) == 2:
            settings += math.log2(1 + min(tensor.shape))
        for block in tensor.blocks:
            settings += math.log2(MOST_LEVELS)
            codebook += level_bits(len(block.levels))
            counts = np.bincount(block.symbols, minlength=len(block.levels) + 1)
            symbols += kt_bits(counts.tolist())
    return Bits(settings, codebook, symbols)


def decoded(
    network: CodedNetwork, centers: Mapping[str, NDArray[np.float32]]
) -> dict[str, NDArray[np.float32]]:
    """Return the tensors that a code stands for, the same on every machine.

    Args:
        network: The code.
        centers: What is added, by name.

    Returns:
        Name -> float32 values.
    """
    found = {}
    for tensor in network.tensors:
        start = centers[tensor.name].astype(np.float64)
        with np.errstate(over="ignore"):
            found[tensor.name] = (start + _numbers(tensor)).astype(np.float32)
    return found


def _numbers(tensor: CodedTensor) -> NDArray[np.float64]:
    if not tensor.rank:
        return tensor.blocks[0].numbers().reshape(tensor.shape)
    rows, columns = tensor.shape
    left = tensor.blocks[0].numbers().reshape(rows, tensor.rank)
    right = tensor.blocks[1].numbers().reshape(tensor.rank, columns)
    total = np.zeros(tensor.shape)
    # One term at a time: the sums of a matrix product depend on the library.
    for k in range(tensor.rank):
        total += left[:, k, None] * right[k]
    return total
