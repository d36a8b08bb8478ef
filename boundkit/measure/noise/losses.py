"""The losses that nets are trained with, of one sample, and their slopes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.errors import DataError, UsageError

if TYPE_CHECKING:
    import torch

__all__ = ["LOSSES", "chosen_loss", "require_labels", "signs", "slopes", "value"]

#: What a loss is, for one output f with y = -1/+1 and for several with class y.
LOSSES = {
    "square": ("(f - y)^2", "sum over outputs of (f_c - [c = y])^2"),
    "cross-entropy": ("log(1 + exp(-y f))", "log sum_c exp(f_c) - f_y"),
}


def chosen_loss(loss: str | None, outputs: int) -> str:
    """Return the name of the loss; None means square for one output.

    Args:
        loss: ``"square"``, ``"cross-entropy"``, or None.
        outputs: Of the net.

    Raises:
        UsageError: No such loss.
    """
    if loss is None:
        return "square" if outputs == 1 else "cross-entropy"
    if loss not in LOSSES:
        raise UsageError(f"loss must be one of {', '.join(LOSSES)}, but got {loss!r}")
    return loss


def require_labels(labels: torch.Tensor, outputs: int, name: str) -> None:
    """Check that labels are classes of a net with so many outputs.

    Args:
        labels: (m,) on the CPU.
        outputs: Of the net.
        name: Of the data set.

    Raises:
        DataError: A label is out of range.
    """
    top = max(outputs - 1, 1)
    wrong = (labels > top) | ((labels < 0) & (outputs > 2))
    if wrong.any():
        first = int(labels[wrong][0])
        allowed = "-1/+1" if outputs == 1 else f"0..{top}"
        raise DataError(
            f"{name}: a label is {first}, but the net has {outputs} output(s); labels"
            f" must be {allowed}"
        )


def signs(labels: torch.Tensor) -> torch.Tensor:
    """Return +1 where a label is positive, else -1, as float64.

    Args:
        labels: (c,) coded -1/+1 or 0/1.
    """
    return (labels > 0).double() * 2 - 1


def slopes(outputs: torch.Tensor, labels: torch.Tensor, loss: str) -> torch.Tensor:
    """Return the derivative of the loss by a net's one output.

    Args:
        outputs: (c,) float64.
        labels: (c,) coded -1/+1 or 0/1.
        loss: ``"square"`` or ``"cross-entropy"``.

    Returns:
        (c,) float64.
    """
    import torch

    y = signs(labels)
    if loss == "square":
        return 2 * (outputs - y)
    return -y * torch.sigmoid(-y * outputs)


def value(outputs: torch.Tensor, label: torch.Tensor, loss: str) -> torch.Tensor:
    """Return the loss of one sample of a net with several outputs, differentiable.

    Args:
        outputs: (C,).
        label: () class index; -1 stands for class 0.
        loss: ``"square"`` or ``"cross-entropy"``.

    Returns:
        ().
    """
    import torch

    classes = torch.arange(outputs.shape[0], device=outputs.device)
    own = (classes == label.clamp(min=0)).to(outputs.dtype)
    if loss == "square":
        return (outputs - own).square().sum()
    return torch.logsumexp(outputs, 0) - (outputs * own).sum()
