"""Fixed preprocessing that a data file declares for itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from boundkit.data.checks import checked_inputs
from boundkit.errors import DataError

if TYPE_CHECKING:
    import torch

__all__ = ["centered", "checked_center", "checked_norm", "unit"]


def unit(x: torch.Tensor) -> torch.Tensor:
    """Divide each sample by its Euclidean norm; a zero sample stays zero.

    Args:
        x: (b, ...) floats.

    Returns:
        (b, ...) in the dtype of ``x``, computed in float64.
    """
    import torch

    wide = x.to(torch.float64)
    norms = wide.flatten(1).norm(dim=1).reshape(-1, *(1,) * (x.ndim - 1))
    return torch.where(norms > 0, wide / norms, wide).to(x.dtype)


def centered(x: torch.Tensor, center: torch.Tensor) -> torch.Tensor:
    """Subtract ``center`` (...) from each sample of ``x`` (b, ...)."""
    return x - center.to(x.dtype)


def checked_norm(value: Any, name: str) -> None:
    """Check that the declared normalization is one that is known.

    Raises:
        DataError: It is not ``"unit"``.
    """
    if str(value) != "unit":
        raise DataError(
            f"{name}: normalize is {str(value)!r}; the only known normalization is"
            " 'unit' (divide each sample by its Euclidean norm)"
        )


def checked_center(value: Any, shape: tuple[int, ...], name: str) -> torch.Tensor:
    """Return the declared center as a tensor of the shape of one sample.

    Raises:
        DataError: It has another shape, or holds NaN or Inf.
    """
    if tuple(value.shape) != shape:
        raise DataError(
            f"{name}: center has shape {tuple(value.shape)} but a sample has shape"
            f" {shape}; make them equal"
        )
    return checked_inputs(value[None], shape, f"{name}, center", 0)[0]
