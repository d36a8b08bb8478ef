"""A layer's spectrum beside that of the same numbers in random places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from boundkit.errors import NotApplicable
from boundkit.measure.spectra import layer_spectrum
from boundkit.numerics.matrix_pieces import filter_view
from boundkit.readers.storage import ArrayStorage
from boundkit.types import Layer, StoredTensor

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from boundkit.measure.spectra import Spectrum

__all__ = ["Randomized", "randomized", "shuffled"]

#: Elements up to which a copy is made to be shuffled: 128 MB in float64.
_MOST = 2**24


@dataclass(frozen=True, slots=True)
class Randomized:
    """A spectrum against that of its shuffled entries.

    Attributes:
        top: Largest singular value of the shuffled matrix.
        soft_rank: Its square over that of the matrix itself.
        spikes: How many singular values of the matrix exceed it; None where only the
            top of them is known.
    """

    top: float
    soft_rank: float
    spikes: int | None


def shuffled(layer: Layer, seed: int = 0) -> NDArray[Any]:
    """Return the filter matrix with its entries in random places.

    Raises:
        NotApplicable: It has more than 2^24 entries, or they cannot be read.
    """
    if layer.weight.numel > _MOST:
        raise NotApplicable(
            f"{layer.weight.numel} entries are too many to shuffle; compare with the"
            " Marchenko-Pastur edge instead"
        )
    values = filter_view(layer)
    plain = values.astype(np.float64 if values.dtype.itemsize > 4 else np.float32)
    mixed = np.random.default_rng(seed).permutation(plain.reshape(-1))
    return mixed.reshape(plain.shape)


def randomized(layer: Layer, spectrum: Spectrum, seed: int = 0) -> Randomized:
    """Compare a spectrum with that of the same entries in random places.

    One draw; the largest singular value of another differs by about m^(-2/3) relative,
    m the smaller side (Tracy and Widom (1994)).

    Args:
        layer: Of which it is the spectrum.
        spectrum: Whole or its top.
        seed: Of the permutation.

    Raises:
        NotApplicable: The layer has more than 2^24 entries.
        Unreadable: The bytes of the weight are not there.
    """
    mixed = shuffled(layer, seed)
    tensor = StoredTensor(mixed.shape, str(mixed.dtype), ArrayStorage(mixed))
    top = float(layer_spectrum(Layer("", "linear", tensor), "top").values[0])
    above = int(np.count_nonzero(spectrum.values > top))
    return Randomized(
        top,
        (top / float(spectrum.values[0])) ** 2,
        above if spectrum.complete or above < len(spectrum.values) else None,
    )
