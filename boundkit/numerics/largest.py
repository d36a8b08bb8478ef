"""The largest of each row, the first of equals."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

__all__ = ["decision", "leading"]

#: Numbers from which on numpy finds the largest of a row faster than torch.
_LONG = 64
#: Bytes of the smallest floating type that numpy shares with torch in full.
_NUMPY = 4


def leading(
    scores: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the largest of each row, where it is, and the next one.

    Args:
        scores: (b, C), C at least 1; it is overwritten.

    Returns:
        (b,) values, (b,) int64 the first that has it, (b,) the largest of the others,
        minus infinity where there is none.
    """
    import torch

    if scores.device.type == "cpu" and scores.shape[1] >= _LONG:
        found = torch.from_numpy(scores.numpy().argmax(1))
        best = scores.gather(1, found.unsqueeze(1)).squeeze(1)
    else:
        best, found = scores.max(1)
    second = scores.scatter_(1, found.unsqueeze(1), -torch.inf).amax(1)
    return best, found, second


def decision(outputs: torch.Tensor) -> torch.Tensor:
    """Return the class that a net decides for: the largest output, the lowest of equals.

    Args:
        outputs: (b, C); of a single output the sign decides, positive for class 1.

    Returns:
        (b,) int64.
    """
    import torch

    if outputs.shape[1] == 1:
        return (outputs.squeeze(1) > 0).long()
    if outputs.device.type == "cpu" and outputs.shape[1] >= _LONG:
        narrow = outputs.dtype.itemsize < _NUMPY
        known = outputs.detach().float() if narrow else outputs.detach()
        return torch.from_numpy(known.numpy().argmax(1))
    return outputs.argmax(1)
