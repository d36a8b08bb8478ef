"""What a batch must satisfy before a network sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from boundkit.data.tensors import as_tensor
from boundkit.errors import DataError

if TYPE_CHECKING:
    import torch

__all__ = ["checked_inputs", "checked_labels", "checked_lengths"]


def _numbers(values: Any, what: str, name: str) -> torch.Tensor:
    try:
        tensor = as_tensor(values)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"{name}: {what} is not an array of numbers ({error}); give tensors or"
            " numeric arrays"
        ) from error
    if tensor.is_complex() or tensor.is_quantized or tensor.is_sparse:
        kind = str(tensor.dtype).removeprefix("torch.")
        raise DataError(
            f"{name}: {what} is {kind}, {tensor.layout}; give dense real numbers"
        )
    return tensor


def checked_inputs(
    values: Any, shape: tuple[int, ...], name: str, first: int
) -> torch.Tensor:
    """Return a batch of inputs as float32, or float64 where they come as that.

    Args:
        values: (b, *shape) array; integers are taken as they are, not scaled.
        shape: Of one sample.
        name: Of the data set, for messages.
        first: Index of the first sample of the batch.

    Returns:
        (b, *shape) tensor on the CPU.

    Raises:
        DataError: Not numbers, another shape, or NaN or Inf in a sample.
    """
    import torch

    x = _numbers(values, "x", name)
    if x.ndim == 0 or tuple(x.shape[1:]) != shape:
        raise DataError(
            f"{name}: the batch from sample {first} on has shape {tuple(x.shape)}, but"
            f" the first sample has shape {shape}; give samples of one shape"
        )
    if x.dtype not in {torch.float32, torch.float64}:
        x = x.to(torch.float32)
    finite = torch.isfinite(x)
    if not finite.all():
        row = int((~finite.flatten(1).all(1)).nonzero()[0])
        raise DataError(
            f"{name}: x[{first + row}] holds NaN or Inf; remove or repair that sample"
        )
    return x


def _whole(y: torch.Tensor, name: str, first: int) -> torch.Tensor:
    import torch

    if y.is_floating_point():
        broken = ~torch.isfinite(y) | (y != y.round())
        if broken.any():
            row = int(broken.nonzero()[0])
            raise DataError(
                f"{name}: y[{first + row}] is {y[row].item()}, not a whole number; y"
                " holds class indices 0..C-1, or -1/+1"
            )
    return y.to(torch.int64)


def checked_labels(values: Any, name: str, first: int) -> torch.Tensor:
    """Return a batch of labels as int64.

    Args:
        values: (b,) or (b, 1) class indices 0..C-1, or -1/+1.
        name: Of the data set, for messages.
        first: Index of the first sample of the batch.

    Returns:
        (b,) tensor on the CPU.

    Raises:
        DataError: One-hot or soft labels, another shape, fractions, or labels out of
            range.
    """
    y = _numbers(values, "y", name)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim == 2:
        raise DataError(
            f"{name}: y has shape {tuple(y.shape)} and looks one-hot; give class"
            " indices, y.argmax(axis=1)"
        )
    if y.ndim != 1:
        raise DataError(
            f"{name}: y has shape {tuple(y.shape)}; give one label per sample, shape"
            " (n,)"
        )
    whole = _whole(y, name, first)
    wrong = whole < -1
    if (whole == -1).any() and not wrong.any():
        wrong = whole.abs() != 1
    if wrong.any():
        row = int(wrong.nonzero()[0])
        raise DataError(
            f"{name}: y[{first + row}] is {int(whole[row])}; labels are class indices"
            " 0..C-1, or all -1/+1"
        )
    return whole


def checked_lengths(inputs: int, labels: int, name: str, what: str = "x") -> None:
    """Check that there is one label per sample, and at least one sample.

    Args:
        inputs: How many samples.
        labels: How many labels.
        name: Of the data set, for messages.
        what: What the samples are called there.

    Raises:
        DataError: The counts differ, or are zero.
    """
    if inputs != labels:
        raise DataError(
            f"{name}: {what} has {inputs} samples but y has {labels} labels; give one label"
            " per sample"
        )
    if inputs == 0:
        raise DataError(f"{name}: no samples in it; give at least one")
