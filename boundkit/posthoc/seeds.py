"""Normal numbers that nobody can choose: seeds from a hash, stable across versions."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["DERIVED", "ENTROPY", "derived_seed", "normals", "system_seed"]

DERIVED = "sha256(posterior || data)"
ENTROPY = "system entropy"


def derived_seed(posterior: bytes, data_sha256: str) -> str:
    """Return the seed that a posterior and a sample determine.

    With a random oracle for SHA-256 it is independent of the sample given the posterior,
    as the theorem asks, and nobody can pick it.

    Args:
        posterior: Its means and log scales, as stored.
        data_sha256: 64 hexadecimal digits.
    """
    return hashlib.sha256(posterior + bytes.fromhex(data_sha256)).hexdigest()


def system_seed() -> str:
    """Return 256 bits from the operating system, in hexadecimal digits."""
    return secrets.token_hex(32)


def normals(seed: str, draw: int, size: int) -> NDArray[np.float64]:
    """Return standard normal numbers.

    Raw output of Philox (Salmon et al., 2011), whose stream numpy keeps, through the
    inverse of the normal distribution function.

    Args:
        seed: 64 hexadecimal digits.
        draw: Number of the draw.
        size: How many numbers.

    Returns:
        (size,) float64.
    """
    from scipy.special import ndtri

    key = hashlib.sha256(bytes.fromhex(seed) + draw.to_bytes(8, "little")).digest()
    words = np.random.Philox(key=int.from_bytes(key[:16], "little")).random_raw(size)
    uniform = (np.asarray(words, np.uint64) >> np.uint64(11)).astype(np.float64) + 0.5
    found: NDArray[np.float64] = ndtri(uniform * 2.0**-53)
    return found
