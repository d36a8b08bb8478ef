"""Labels held against the outputs of a net."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.errors import DataError

if TYPE_CHECKING:
    import torch

__all__ = ["classes_of", "label_coding", "require_one_coding"]


def label_coding(
    labels: torch.Tensor, outputs: int, name: str, first: int
) -> frozenset[int]:
    """Return which of -1 and 0 are among the labels of a batch.

    Args:
        labels: (b,) int64 on the CPU: class indices, or -1/+1.
        outputs: Number of outputs of the net; 1 or 2 take either coding.
        name: Of the data set, for messages.
        first: Index of the first sample of the batch.

    Raises:
        DataError: The net has no such class.
    """
    # On the CPU, without waiting for the device.
    top = max(outputs - 1, 1)
    wrong = (labels > top) | ((labels < 0) & (outputs > 2))
    if wrong.any():
        row = int(wrong.nonzero()[0])
        allowed = "-1/+1" if outputs == 1 else f"0..{top}"
        raise DataError(
            f"{name}: y[{first + row}] is {int(labels[row])}, but the net has"
            f" {outputs} output(s); labels must be {allowed}"
        )
    return frozenset(value for value in (-1, 0) if bool((labels == value).any()))


def require_one_coding(coding: frozenset[int], name: str) -> None:
    """Check that two classes are not coded in two ways.

    Args:
        coding: Which of -1 and 0 the labels hold.
        name: Of the data set, for messages.

    Raises:
        DataError: Both of them.
    """
    if len(coding) == 2:
        raise DataError(
            f"{name}: labels hold both -1 and 0; code two classes as -1/+1 or as 0/1"
        )


def classes_of(labels: torch.Tensor) -> torch.Tensor:
    """Return class indices: -1/+1 become 0/1, anything else stays.

    Args:
        labels: (b,) int64 in one coding.
    """
    return labels.clamp(min=0)
