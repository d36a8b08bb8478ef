"""The layer-peeled measures of arrays, checked first."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from boundkit.data.checks import checked_labels
from boundkit.data.tensors import as_tensor
from boundkit.errors import DataError, UsageError
from boundkit.measure.layer_peeled import layer_peeled, two_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from boundkit.measure.layer_peeled import LayerPeeled

__all__ = ["ulpm"]


def ulpm(
    features: Any,
    labels: Any,
    weight: Any,
    bias: Any = None,
    *,
    batch_size: int = 4096,
) -> LayerPeeled:
    """Hold features and classifier against the unconstrained layer-peeled model.

    Ji, Lu, Zhang, Deng, Su (2022), Theorems 3.1, 3.3, 3.4 and Lemma B.1: how much of
    the largest margin at this norm is reached, how far the cross-entropy is above the
    smallest at this norm, how far weights and features are from a KKT point of the
    minimum-norm separation problem, and where the loss still falls.

    Args:
        features: (n, p) that enter the last layer; tensors stay on their device.
        labels: (n,) class indices 0..C-1; -1/+1 or 0/1 for one output f, which is read
            as the two logits -f/2 and f/2.
        weight: (C, p) of the last layer, (1, p) for one output.
        bias: (C,) of the last layer, or None if it has none.
        batch_size: Samples at a time; the result does not depend on it.

    Returns:
        The measures; None with a reason where one is not defined.

    Raises:
        DataError: Features or labels are not usable; the message names the sample.
        UsageError: An argument is out of its range, or does not fit the others.
    """
    if batch_size < 1:
        raise UsageError(f"batch_size must be at least 1, but got {batch_size!r}")
    h = _features(features)
    w, b = _head(weight, bias, h)
    y = _labels(labels, h, len(w))
    if len(w) == 1:
        w, b = two_rows(w, b)

    def batches() -> Iterator[tuple[Tensor, Tensor]]:
        for first in range(0, len(h), batch_size):
            rows = slice(first, first + batch_size)
            yield h[rows], y[rows]

    found = layer_peeled(batches, w, b)
    if found["loss"] is None:
        _require_finite(h, batch_size)
    return found


def _tensor(values: Any, what: str) -> Tensor:
    try:
        tensor = _mapped(values)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"{what} are not an array of numbers ({error}); give a tensor or a numeric"
            " array"
        ) from error
    if tensor.is_complex() or tensor.is_sparse or tensor.is_quantized:
        raise DataError(
            f"{what} are {tensor.dtype}, {tensor.layout}; give real numbers"
        )
    return tensor


def _mapped(values: Any) -> Tensor:
    """Return a tensor on the device of the values, without a copy where torch allows."""
    import torch

    if isinstance(values, torch.Tensor):
        return values.detach()
    if not isinstance(values, np.ndarray) or not _mappable(values):
        return as_tensor(values)
    with warnings.catch_warnings():
        # A memory map that is only read needs no copy to be written to.
        warnings.filterwarnings("ignore", "The given NumPy array is not writ")
        return torch.from_numpy(values)


def _mappable(values: np.ndarray[Any, Any]) -> bool:
    return values.dtype in {np.float32, np.float64} and values.flags.c_contiguous


def _features(values: Any) -> Tensor:
    h = _tensor(values, "features")
    if h.ndim != 2 or 0 in h.shape:
        raise DataError(
            f"features have shape {tuple(h.shape)}; give one row per sample, (n, p)"
        )
    # Metal has no float64, which all sums are in.
    return h.cpu() if h.device.type == "mps" else h


def _head(weight: Any, bias: Any, h: Tensor) -> tuple[Tensor, Tensor | None]:
    import torch

    w = _tensor(weight, "weight").to(h.device, torch.float64)
    w = w.unsqueeze(0) if w.ndim == 1 else w
    if w.ndim != 2 or w.shape[1] != h.shape[1] or not len(w):
        raise UsageError(
            f"weight must have shape (C, {h.shape[1]}) for features of width"
            f" {h.shape[1]}, but got {tuple(w.shape)}"
        )
    if bias is None:
        return w, None
    b = _tensor(bias, "bias").to(h.device, torch.float64).reshape(-1)
    if len(b) != len(w):
        raise UsageError(
            f"bias must have one number per row of weight, {len(w)}, but got {len(b)}"
        )
    return w, b


def _labels(values: Any, h: Tensor, rows: int) -> Tensor:
    """Return int64 labels 0..C-1; for one output, -1 and 1 become 0 and 1.

    Raises:
        DataError: They are not as many as the features, or one is no class.
    """
    y = checked_labels(values, "labels", 0)
    if len(y) != len(h):
        raise DataError(
            f"{len(h)} features but {len(y)} labels; give one label per sample"
        )
    classes = max(rows, 2)
    if rows == 1 and bool((y == -1).any()):
        y = (y + 1).div(2, rounding_mode="floor")
    wrong = ((y < 0) | (y >= classes)).nonzero()
    if len(wrong):
        row = int(wrong[0])
        raise DataError(
            f"labels[{row}] is {int(y[row])}, but there are {classes} classes; labels"
            f" are class indices 0..{classes - 1}"
        )
    return y.to(h.device)


def _require_finite(h: Tensor, batch_size: int) -> None:
    """Name the first feature that is not finite, if there is one.

    Raises:
        DataError: There is.
    """
    for first in range(0, len(h), batch_size):
        bad = (~h[first : first + batch_size].isfinite().all(dim=1)).nonzero()
        if len(bad):
            raise DataError(
                f"features[{first + int(bad[0])}] holds NaN or Inf; remove or repair"
                " that sample"
            )
