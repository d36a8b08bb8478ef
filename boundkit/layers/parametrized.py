"""Weights that a checkpoint stores in pieces, put together again.

Weight normalization (Salimans and Kingma 2016), spectral normalization (Miyato et al.
2018, eval mode) and pruning masks are exact functions of the stored tensors, so the
weight that the network applies can be had without its code.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from boundkit.layers.computed import computed
from boundkit.numerics.blocks import array, is_floating

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from boundkit.types import StoredTensor

__all__ = ["Rebuilt", "rebuild"]


@dataclass(frozen=True, slots=True, eq=False)
class Rebuilt:
    """A weight put together from stored pieces.

    Attributes:
        name: The name the weight has in the network, such as ``"conv.weight"``.
        tensor: The weight, float64.
        parts: Stored tensor -> what it is; these are not layers of their own.
        auxiliary: Those parts that are not learned (power-iteration vectors, masks).
        how: The parametrization, in words.
    """

    name: str
    tensor: StoredTensor
    parts: Mapping[str, str]
    auxiliary: frozenset[str]
    how: str


def _weight_norm(g: StoredTensor, v: StoredTensor) -> NDArray[np.float64]:
    """Return ``g v / ||v||``, the norm over every dimension in which ``g`` has size 1."""
    direction = np.asarray(array(v), np.float64)
    length = np.asarray(array(g), np.float64)
    if length.ndim != direction.ndim:
        length = length.reshape((1,) * direction.ndim)
    over = tuple(i for i, n in enumerate(length.shape) if n == 1)
    # Scaled by the largest entry, so that tiny and huge directions keep their digits.
    top = np.max(np.abs(direction), initial=0.0) or 1.0
    scaled = direction / top
    norm = np.sqrt(np.sum(scaled * scaled, axis=over, keepdims=True))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(length * (scaled / norm))


def _is_weight_norm(g: StoredTensor, v: StoredTensor) -> bool:
    if not (is_floating(g.dtype) and is_floating(v.dtype)) or len(v.shape) < 2:
        return False
    if g.numel == 1:
        return True
    return len(g.shape) == len(v.shape) and all(
        a in {1, b} for a, b in zip(g.shape, v.shape, strict=True)
    )


def _matrix(weight: NDArray[np.float64], dim: int) -> NDArray[np.float64]:
    return np.moveaxis(weight, dim, 0).reshape(weight.shape[dim], -1)


def _spectral_norm(
    weight: StoredTensor, u: StoredTensor, v: StoredTensor | None
) -> NDArray[np.float64]:
    """Return ``W / (u^T W v)`` with the stored vectors, as eval mode does."""
    full = np.asarray(array(weight), np.float64)
    left = np.asarray(array(u), np.float64).ravel()
    best: tuple[float, float] | None = None
    # ConvTranspose uses dimension 1 for the rows; where both fit, the stored vectors
    # are singular vectors of one of the two matrices only.
    for dim in (0, 1):
        if full.shape[dim] != left.size:
            continue
        matrix = _matrix(full, dim)
        if v is None:
            right = matrix.T @ left
            right /= np.linalg.norm(right) or 1.0
        else:
            right = np.asarray(array(v), np.float64).ravel()
        sigma = float(left @ matrix @ right)
        residual = float(np.linalg.norm(matrix @ right - sigma * left))
        if best is None or residual < best[0]:
            best = (residual, sigma)
    with np.errstate(invalid="ignore", divide="ignore"):
        return full / (best[1] if best else np.nan)


def _fits_spectral(weight: StoredTensor, u: StoredTensor) -> bool:
    return (
        is_floating(weight.dtype)
        and is_floating(u.dtype)
        and len(weight.shape) >= 2
        and u.numel in weight.shape[:2]
    )


def _old_weight_norm(name: str, tensors: Mapping[str, StoredTensor]) -> Rebuilt | None:
    g, v = tensors.get(f"{name}_g"), tensors.get(f"{name}_v")
    if g is None or v is None or not _is_weight_norm(g, v):
        return None
    parts = {f"{name}_g": "length g of weight_norm", f"{name}_v": "direction v"}
    tensor = computed(name, v.shape, lambda: _weight_norm(g, v))
    return Rebuilt(name, tensor, parts, frozenset(), "weight_norm: g v / ||v||")


def _new_weight_norm(name: str, tensors: Mapping[str, StoredTensor]) -> Rebuilt | None:
    prefix, _, leaf = name.rpartition(".")
    stem = f"{prefix}.parametrizations.{leaf}" if prefix else f"parametrizations.{leaf}"
    g, v = tensors.get(f"{stem}.original0"), tensors.get(f"{stem}.original1")
    if g is None or v is None or not _is_weight_norm(g, v):
        return None
    parts = {
        f"{stem}.original0": "length g of weight_norm",
        f"{stem}.original1": "direction v",
    }
    tensor = computed(name, v.shape, lambda: _weight_norm(g, v))
    return Rebuilt(name, tensor, parts, frozenset(), "weight_norm: g v / ||v||")


def _old_spectral_norm(
    name: str, tensors: Mapping[str, StoredTensor]
) -> Rebuilt | None:
    weight, u = tensors.get(f"{name}_orig"), tensors.get(f"{name}_u")
    if weight is None or u is None or not _fits_spectral(weight, u):
        return None
    v = tensors.get(f"{name}_v")
    vectors = {f"{name}_u": "left power-iteration vector"}
    if v is not None:
        vectors[f"{name}_v"] = "right power-iteration vector"
    tensor = computed(name, weight.shape, lambda: _spectral_norm(weight, u, v))
    parts = {f"{name}_orig": "weight before spectral_norm", **vectors}
    return Rebuilt(
        name, tensor, parts, frozenset(vectors), "spectral_norm: W / (u^T W v)"
    )


def _new_spectral_norm(
    name: str, tensors: Mapping[str, StoredTensor]
) -> Rebuilt | None:
    prefix, _, leaf = name.rpartition(".")
    stem = f"{prefix}.parametrizations.{leaf}" if prefix else f"parametrizations.{leaf}"
    weight, u = tensors.get(f"{stem}.original"), tensors.get(f"{stem}.0._u")
    v = tensors.get(f"{stem}.0._v")
    if weight is None or u is None or not _fits_spectral(weight, u):
        return None
    vectors = {f"{stem}.0._u": "left power-iteration vector"}
    if v is not None:
        vectors[f"{stem}.0._v"] = "right power-iteration vector"
    tensor = computed(name, weight.shape, lambda: _spectral_norm(weight, u, v))
    parts = {f"{stem}.original": "weight before spectral_norm", **vectors}
    return Rebuilt(
        name, tensor, parts, frozenset(vectors), "spectral_norm: W / (u^T W v)"
    )


def _pruned(name: str, tensors: Mapping[str, StoredTensor]) -> Rebuilt | None:
    weight, mask = tensors.get(f"{name}_orig"), tensors.get(f"{name}_mask")
    if weight is None or mask is None or weight.shape != mask.shape:
        return None

    def compute() -> NDArray[np.float64]:
        kept = np.asarray(array(mask), np.float64)
        return np.asarray(np.asarray(array(weight), np.float64) * kept)

    parts = {f"{name}_orig": "weight before pruning", f"{name}_mask": "pruning mask"}
    tensor = computed(name, weight.shape, compute)
    return Rebuilt(name, tensor, parts, frozenset({f"{name}_mask"}), "pruned: W * mask")


_WAYS = (
    _old_weight_norm,
    _new_weight_norm,
    _old_spectral_norm,
    _new_spectral_norm,
    _pruned,
)
_SUFFIXES = ("_g", "_v", "_orig", "_u", "_mask")


def _effective_name(name: str) -> str | None:
    """Return the name of the weight that ``name`` could be a piece of."""
    for suffix in _SUFFIXES:
        if name.endswith(suffix):
            return name.removesuffix(suffix)
    head, found, tail = name.rpartition(".parametrizations.")
    if not found and name.startswith("parametrizations."):
        head, tail = "", name.removeprefix("parametrizations.")
    elif not found:
        return None
    leaf = tail.partition(".")[0]
    return f"{head}.{leaf}" if head else leaf


def rebuild(tensors: Mapping[str, StoredTensor]) -> tuple[Rebuilt, ...]:
    """Return every weight that is stored in pieces, in stored order of its first piece.

    Args:
        tensors: The tensors of one model by name.
    """
    found: dict[str, Rebuilt] = {}
    tried: set[str] = set()
    for part in tensors:
        name = _effective_name(part)
        if name is None or name in tried or name in tensors:
            continue
        tried.add(name)
        rebuilt = next((r for way in _WAYS if (r := way(name, tensors))), None)
        if rebuilt is not None:
            found[name] = rebuilt
    return tuple(found.values())
