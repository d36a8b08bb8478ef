"""Neural collapse of arrays: features, labels and a last layer, no model needed."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args

from boundkit.data.checks import checked_labels
from boundkit.data.tensors import as_tensor
from boundkit.errors import DataError, UsageError
from boundkit.measure.array_moments import Scatter, array_moments
from boundkit.measure.collapse import Collapse, collapse_of
from boundkit.measure.collapse.square_loss import Reduction, Targets
from boundkit.numerics.known_means import Precision
from boundkit.numerics.largest import decision
from boundkit.numerics.nearest import Centers, agreement

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch

    from boundkit.numerics.class_moments import Agreement, ClassMoments

__all__ = ["collapse"]


def collapse(
    features: Any,
    labels: Any,
    weight: Any = None,
    bias: Any = None,
    *,
    weight_decay: float | None = None,
    square_loss: Reduction = "mean",
    targets: Targets = "one-hot",
    classes: int | None = None,
    class_means: Any = None,
    rho: float | None = None,
    rho_decay: float | None = None,
    batch_size: int = 4096,
    scatter: Scatter = "auto",
    precision: Precision = "double",
) -> Collapse:
    """Measure neural collapse of features and the last layer that reads them.

    Args:
        features: (n, p) that enter the last layer; tensors stay on their device.
        labels: (n,) class indices 0..C-1; -1/+1 or 0/1 for a net with one output.
        weight: (C, p) of the last layer, (1, p) for one output; None leaves out what
            needs it.
        bias: (C,) of the last layer, or None if it has none.
        weight_decay: Of the optimizer, as torch counts it; None is 0, and unknown to
            what predicts with it.
        square_loss: The loss that it was added to: ``"mean"`` over samples and outputs
            (torch.nn.MSELoss), ``"sum"`` over outputs and mean over samples, or
            ``"half"`` of that.
        targets: What the net was trained to output: ``"one-hot"``, or ``"centered"``, 1
            and -1/(C - 1).
        classes: C where there is no weight; else the largest label tells.
        class_means: (C, p) of the training sample, where these features are held out
            from it: the nearest of them decides. None takes those of these features.
        rho: Product of the norms of all layers, for predictions.
        rho_decay: Coefficient of rho^2 in the loss, for predictions.
        batch_size: Samples at a time; the result does not depend on it.
        scatter: ``"whole"`` for the scatter within classes in all directions, p^2
            numbers and p^3 operations; ``"span"`` for that among class means and
            classifier rows, without what needs all of it; ``"auto"`` for the span where
            p > 2048, unless samples are so few that it holds them all.
        precision: ``"single"`` for float32 products of features less their class means,
            added up in float64: faster, with a relative error of about 1e-6, and the
            same decisions. The class means are float64 in any case.

    Returns:
        Every measure, with its convention, its source, and why it is None if it is.

    Raises:
        DataError: Features or labels are not usable; the message names the sample.
        UsageError: An argument is out of its range, or does not fit the others.
    """
    _require_sense(weight_decay, rho, rho_decay, batch_size)
    _require_known(square_loss, targets, scatter, precision)
    rows = _features(features)
    head, offset = _head(weight, bias, rows)
    y, count = _labels(labels, rows, _known(classes, head), head)
    moments, seen = array_moments(
        rows,
        y,
        count,
        head,
        offset,
        batch_size=batch_size,
        scatter=scatter,
        precision=precision,
    )
    if class_means is not None:
        centers = _centers(class_means, moments)
        seen = _against(rows, y, centers, head, offset, batch_size)
    found = collapse_of(
        moments,
        head,
        offset,
        seen,
        weight_decay=weight_decay,
        square_loss=square_loss,
        targets=targets,
        rho=rho,
        rho_decay=rho_decay,
    )
    return found if precision == "double" else replace(found, precision=precision)


def _require_sense(
    weight_decay: float | None,
    rho: float | None,
    rho_decay: float | None,
    batch_size: int,
) -> None:
    numbers = {"weight_decay": weight_decay, "rho": rho, "rho_decay": rho_decay}
    for name, value in numbers.items():
        if value is not None and not 0 <= value < math.inf:
            raise UsageError(
                f"{name} must be a number of at least 0, but got {value!r}"
            )
    if batch_size < 1:
        raise UsageError(f"batch_size must be at least 1, but got {batch_size!r}")


def _require_known(
    square_loss: str, targets: str, scatter: str, precision: str
) -> None:
    for name, word, known in (
        ("square_loss", square_loss, get_args(Reduction)),
        ("targets", targets, get_args(Targets)),
        ("scatter", scatter, get_args(Scatter)),
        ("precision", precision, get_args(Precision)),
    ):
        if word not in known:
            raise UsageError(
                f"{name} must be among {', '.join(known)}, but got {word!r}"
            )


def _tensor(values: Any, what: str) -> torch.Tensor:
    import torch

    if isinstance(values, torch.Tensor):
        tensor = values.detach()
    else:
        try:
            tensor = as_tensor(values)
        except (TypeError, ValueError) as error:
            raise DataError(
                f"{what} are not an array of numbers ({error}); give a tensor or a"
                " numeric array"
            ) from error
    if tensor.is_complex() or tensor.is_sparse or tensor.is_quantized:
        raise DataError(
            f"{what} are {tensor.dtype}, {tensor.layout}; give real numbers"
        )
    return tensor


def _features(values: Any) -> torch.Tensor:
    rows = _tensor(values, "features")
    if rows.ndim != 2 or 0 in rows.shape:
        raise DataError(
            f"features have shape {tuple(rows.shape)}; give one row per sample, (n, p)"
        )
    return rows


def _head(
    weight: Any, bias: Any, rows: torch.Tensor
) -> tuple[torch.Tensor | None, torch.Tensor | None]:
    if weight is None:
        if bias is not None:
            raise UsageError("bias is given without weight; give both, or weight alone")
        return None, None
    head = _tensor(weight, "weight").to(rows.device).double()
    if head.ndim == 1:
        head = head.unsqueeze(0)
    if head.ndim != 2 or head.shape[1] != rows.shape[1] or not len(head):
        raise UsageError(
            f"weight must have shape (C, {rows.shape[1]}) for features of width"
            f" {rows.shape[1]}, but got {tuple(head.shape)}"
        )
    if bias is None:
        return head, None
    offset = _tensor(bias, "bias").to(rows.device).double().reshape(-1)
    if len(offset) != len(head):
        raise UsageError(
            f"bias must have one number per row of weight, {len(head)}, but got"
            f" {len(offset)}"
        )
    return head, offset


def _known(classes: int | None, head: torch.Tensor | None) -> int | None:
    """Return C, or None where the largest label has to tell.

    Raises:
        UsageError: ``classes`` is not positive, or not what the weight says.
    """
    if classes is not None and classes < 1:
        raise UsageError(f"classes must be at least 1, but got {classes!r}")
    if head is None:
        return classes
    count = max(2, len(head))
    if classes not in {None, count}:
        raise UsageError(
            f"classes must be {count} for a weight of {len(head)} rows, but got {classes}"
        )
    return count


def _centers(class_means: Any, moments: ClassMoments) -> Centers:
    means = _tensor(class_means, "class_means").to(moments.mean.device).double()
    if means.shape != moments.mean.shape:
        raise UsageError(
            f"class_means must have shape {tuple(moments.mean.shape)}, but got"
            f" {tuple(means.shape)}"
        )
    if not means.isfinite().all():
        raise UsageError("class_means hold NaN or Inf; give the mean of every class")
    return Centers.of(means, means.new_ones(len(means)))


def _labels(
    values: Any, rows: torch.Tensor, classes: int | None, head: torch.Tensor | None
) -> tuple[torch.Tensor, int]:
    y = checked_labels(values, "labels", 0)
    if len(y) != len(rows):
        raise DataError(
            f"{len(rows)} features but {len(y)} labels; give one label per sample"
        )
    if (y == -1).any():
        if head is not None and len(head) != 1:
            raise DataError(
                f"labels are -1/+1 but the last layer has {len(head)} outputs; give"
                " class indices 0..C-1"
            )
        y = (y + 1) // 2
    count = max(2, int(y.max()) + 1) if classes is None else classes
    beyond = (y >= count).nonzero()
    if len(beyond):
        row = int(beyond[0])
        raise DataError(
            f"labels[{row}] is {int(y[row])}, but there are {count} classes; labels are"
            f" class indices 0..{count - 1}"
        )
    return y.to(rows.device), count


def _batches(rows: torch.Tensor, size: int) -> Iterator[tuple[int, torch.Tensor]]:
    for first in range(0, len(rows), size):
        yield first, rows[first : first + size]


def _against(
    rows: torch.Tensor,
    y: torch.Tensor,
    centers: Centers,
    head: torch.Tensor | None,
    offset: torch.Tensor | None,
    batch_size: int,
) -> Agreement:
    found: Agreement | None = None
    for first, batch in _batches(rows, batch_size):
        wide = batch.double()
        decided = unbiased = None
        if head is not None:
            products = wide @ head.mT
            unbiased = decision(products)
            decided = unbiased if offset is None else decision(products + offset)
        seen = agreement(
            centers, wide, y[first : first + len(batch)], decided, unbiased
        )
        found = seen if found is None else found + seen
    assert found is not None  # noqa: S101 - features have been refused if empty
    return found
