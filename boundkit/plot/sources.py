"""What figures are drawn from: plain data, no model and no report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

__all__ = ["Sources", "array_of", "flat", "number_of"]


def _nothing() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, eq=False)
class Sources:
    """Everything that a figure may show; what is missing is not drawn.

    Attributes:
        title: What it is about, such as the name of the checkpoint.
        margins: Sample ("train", "test") -> its margins, raw, with their ``histogram``
            (``counts``, ``edges``) and, under ``normalized``, the same over rho.
        collapse: Sample -> dotted names of measures and arrays, such as
            ``cosines.means``, ``eigenvalues.within`` and ``mse.l_nc1``.
        class_names: In the order of the arrays; their numbers where left out.
        spectra: Layer -> its singular values, or (k, 2) pairs of rank and value.
        power_laws: Layer -> alpha and x_min of the squared singular values.
        norms: Layer -> log10 of its Frobenius norm, in forward order.
        noise: Layer -> ``gradient_noise``, ``signal`` and their ``_stderr``.
    """

    title: str = ""
    margins: Mapping[str, Mapping[str, Any]] = field(default_factory=_nothing)
    collapse: Mapping[str, Mapping[str, Any]] = field(default_factory=_nothing)
    class_names: Sequence[str] = ()
    spectra: Mapping[str, ArrayLike] = field(default_factory=_nothing)
    power_laws: Mapping[str, tuple[float, float]] = field(default_factory=_nothing)
    norms: Mapping[str, float] = field(default_factory=_nothing)
    noise: Mapping[str, Mapping[str, float | None]] = field(default_factory=_nothing)


def flat(tables: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return tables within tables as one table of dotted names.

    Args:
        tables: Such as ``{"mse": {"total": 1}}``.
        prefix: Of every name.
    """
    found: dict[str, Any] = {}
    for name, value in tables.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = value
    return found


def array_of(values: Mapping[str, Any], name: str) -> NDArray[np.float64] | None:
    """Return an array of at least one number, None where it is missing.

    Args:
        values: By dotted name.
        name: Of the array.
    """
    if values.get(name) is None:
        return None
    found = np.asarray(values[name], dtype=np.float64)
    return found if found.size else None


def number_of(values: Mapping[str, Any], name: str) -> float | None:
    """Return a finite number, None where it is missing.

    Args:
        values: By dotted name.
        name: Of the number.
    """
    value = values.get(name)
    return float(value) if value is not None and np.isfinite(value) else None
