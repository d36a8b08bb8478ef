"""Coded networks as JSON values, and back, trusting nothing."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from boundkit.errors import DataError
from boundkit.posthoc.coded import Block, CodedNetwork, CodedTensor
from boundkit.posthoc.quantize import MOST_LEVELS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from boundkit.posthoc.coded import Center

__all__ = ["parsed_network", "plain_network"]

_KEYS = ("name", "shape", "rank", "blocks")
#: More numbers than any tensor has that is coded.
_LARGEST = 2**32


def plain_network(network: CodedNetwork) -> dict[str, Any]:
    """Return a code as dicts, lists, strings and integers.

    Args:
        network: The code; levels become little-endian float16, symbols compressed
            bytes, both in base64.
    """
    return {
        "center": network.center,
        "tensors": [
            {
                "name": tensor.name,
                "shape": list(tensor.shape),
                "rank": tensor.rank,
                "blocks": [_plain(block) for block in tensor.blocks],
            }
            for tensor in network.tensors
        ],
    }


def _plain(block: Block) -> dict[str, str]:
    packed = zlib.compress(np.ascontiguousarray(block.symbols).tobytes(), 9)
    levels = block.levels.astype("<f2").tobytes()
    return {
        "levels": base64.b64encode(levels).decode(),
        "symbols": base64.b64encode(packed).decode(),
    }


def parsed_network(found: Any, source: str) -> CodedNetwork:
    """Return the code that a JSON value holds.

    Args:
        found: As ``json.loads`` gives it.
        source: Where it is from, for messages.

    Raises:
        DataError: It is no code, or one to which the prior gives no probability.
    """
    _require(isinstance(found, Mapping), source, "no code")
    _require(found.get("center") in {"zero", "init"}, source, "an unknown center")
    tensors = found.get("tensors")
    _require(isinstance(tensors, Sequence), source, "no tensors")
    coded = tuple(_tensor(each, source) for each in tensors)
    names = [tensor.name for tensor in coded]
    _require(len(set(names)) == len(names), source, "a tensor twice")
    return CodedNetwork(cast("Center", found["center"]), coded)


def _tensor(found: Any, source: str) -> CodedTensor:
    _require(isinstance(found, Mapping), source, "a tensor that is none")
    name, shape, rank, blocks = (found.get(key) for key in _KEYS)
    _require(isinstance(name, str), source, "a tensor without a name")
    listed = isinstance(shape, Sequence) and not isinstance(shape, str)
    _require(listed and all(map(_is_count, shape)), source, f"no shape of {name!a}")
    shape = tuple(shape)
    _require(prod(shape) < _LARGEST, source, f"too large a tensor {name!a}")
    most = min(shape) if len(shape) == 2 else 0
    fits = _is_count(rank) and rank <= most
    _require(fits, source, f"a rank of {name!a} that it cannot have")
    sizes = (shape[0] * rank, rank * shape[1]) if rank else (prod(shape),)
    enough = isinstance(blocks, Sequence) and len(blocks) == len(sizes)
    _require(enough, source, f"not {len(sizes)} blocks for {name!a}")
    read = (_block(b, n, name, source) for b, n in zip(blocks, sizes, strict=True))
    return CodedTensor(name, shape, rank, tuple(read))


def _block(found: Any, size: int, name: str, source: str) -> Block:
    _require(isinstance(found, Mapping), source, f"a block of {name!a} that is none")
    try:
        levels = np.frombuffer(_unpacked(found.get("levels")), "<f2")
        packed = zlib.decompressobj()
        raw = packed.decompress(_unpacked(found.get("symbols")), size + 1)
    except (ValueError, TypeError, binascii.Error, zlib.error) as error:
        raise DataError(
            f"{source}: the numbers of {name!a} cannot be unpacked"
            f" ({type(error).__name__}); make the certificate again"
        ) from error
    symbols: NDArray[np.uint8] = np.frombuffer(raw, np.uint8)
    wide = levels.astype(np.float64)
    ordered = bool(np.isfinite(wide).all() and (np.diff(wide) > 0).all())
    good = ordered and not (wide == 0).any() and len(levels) < MOST_LEVELS
    _require(good, source, f"levels of {name!a} that the prior does not have")
    _require(len(symbols) == size, source, f"not {size} symbols for {name!a}")
    inside = size == 0 or int(symbols.max()) <= len(levels)
    _require(inside, source, f"a symbol of {name!a} without a level")
    return Block(levels.astype(np.float16), symbols)


def _unpacked(text: Any) -> bytes:
    return base64.b64decode(text, validate=True)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _require(good: object, source: str, what: str) -> None:
    if not good:
        raise DataError(f"{source}: holds {what}; make the certificate again")
