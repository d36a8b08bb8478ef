"""Follow a training run: the story on one page."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from boundkit.errors import NotApplicable, Unreadable, UsageError
from boundkit.tracing.architecture import of_one_architecture
from boundkit.tracing.dynamics import fitted_flow
from boundkit.tracing.gathering import gathered, is_swept, of_folder
from boundkit.tracing.model import Trace
from boundkit.tracing.order import in_order
from boundkit.tracing.phase import TRAIN_ERROR, terminal_phase

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from boundkit.tracing.dynamics import Flow
    from boundkit.tracing.points import Point

    Progress = Callable[[int, int | None, str], None] | None

__all__ = ["trace"]

_NONE: tuple[str, ...] = ()


def trace(
    run: Any,
    out: str | os.PathLike[str] | None = None,
    *,
    by: str = "auto",
    model: Any = None,
    data: Any = None,
    test_data: Any = None,
    n: int | None = None,
    input_norm: float = 1.0,
    input_shape: Sequence[int] | None = None,
    delta: float = 0.05,
    gamma: float | Literal["auto"] = "auto",
    confidence: Literal["empirical", "normalized"] = "empirical",
    loss: str | None = None,
    weight_decay: float | None = None,
    only: Sequence[str] | None = None,
    device: str = "auto",
    batch_size: int = 256,
    key: str | None = None,
    trust: bool = False,
    init: Any = None,
    head: str | None = None,
    spectra: str = "auto",
    sgd_batch: int | None = None,
    learning_rate: float | None = None,
    jobs: int | None = None,
    progress: Progress = None,
) -> Trace:
    """Analyze the checkpoints of one run and say how it went.

    A checkpoint that cannot be analyzed, or does not belong to the run, is a row with
    its reason; the others go on.

    Args:
        run: A folder, a pattern, paths, a manifest, mappings or a frame with ``path``
            and other columns; or the folder of a sweep's results, which is read as it is.
        out: Folder of results, as ``boundkit.sweep`` leaves it, to go on with later;
            None for none.
        by: What counts: ``"auto"``, ``"name"`` (numbers in file names), ``"content"``
            (epoch or step in the checkpoints), or the name of a manifest's column or of
            an entry in the checkpoints.
        model: An nn.Module, or ``"pkg.mod:callable"`` or ``"file.py:callable"``.
        data: The training sample: a SPEC string, Dataset, DataLoader or (x, y).
        test_data: A sample that training has not seen.
        n: Size of the training sample, without data.
        input_norm: Norm that inputs are taken to stay below, without data.
        input_shape: Of one sample, to trace the model without data.
        delta: Probability that a certificate fails, each on its own.
        gamma: A margin fixed in advance, or ``"auto"`` for the best.
        confidence: ``"normalized"`` to rest on preprocessing that the data declare.
        loss: The training loss, recorded in the conventions.
        weight_decay: As torch's optimizers count it.
        only: Parts to compute; None for all.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:1"`` or ``"mps"``.
        batch_size: Samples at a time.
        key: Which model, where a file holds several.
        trust: Allow code in files to run, where they cannot be read otherwise.
        init: The checkpoint from before training, for measures of how far it went.
        head: The last linear layer, whose inputs are the features; None to find it.
        spectra: ``"full"``, ``"top"``, ``"none"``, or ``"auto"`` by the layer's size.
        sgd_batch: Samples of a step of SGD, for its noise.
        learning_rate: Of plain SGD, for the bound on ranks.
        jobs: Processes at once; None for as many as cores and memory allow, 1 for this
            one.
        progress: Called with the number done, the total and a label.

    Returns:
        The trace.

    Raises:
        BoundkitError: The model or the data cannot be loaded, or no checkpoint analyzed.
        UsageError: An argument makes no sense, there is one checkpoint only, nothing
            orders them, or they are of several architectures.
    """
    options: dict[str, Any] = {
        "model": model,
        "data": data,
        "test_data": test_data,
        "n": n,
        "input_norm": input_norm,
        "input_shape": None if input_shape is None else list(input_shape),
        "delta": delta,
        "gamma": gamma,
        "confidence": confidence,
        "loss": loss,
        "weight_decay": weight_decay,
        "only": None if only is None else list(only),
        "device": device,
        "batch_size": batch_size,
        "key": key,
        "trust": trust,
        "init": init,
        "head": head,
        "spectra": spectra,
        "sgd_batch": sgd_batch,
        "learning_rate": learning_rate,
    }
    if is_swept(run):
        points, notices = of_folder(Path(_only(run))), _NONE
    else:
        points, notices = gathered(run, out, options, by, jobs, progress)
    return _followed(_shown(run), points, notices, by)


def _only(run: Any) -> str | os.PathLike[str]:
    found: str | os.PathLike[str] = run[0] if isinstance(run, list | tuple) else run
    return found


def _shown(run: Any) -> str:
    if isinstance(run, str | os.PathLike):
        return str(run)
    if isinstance(run, list | tuple) and run and isinstance(run[0], str | os.PathLike):
        more = f" and {len(run) - 1} more" if len(run) > 1 else ""
        return f"{run[0]}{more}"
    return type(run).__name__


def _followed(
    run: str, points: tuple[Point, ...], notices: tuple[str, ...], by: str
) -> Trace:
    from boundkit import __version__

    _require_some(run, points)
    placed, order, told = in_order(of_one_architecture(points), by)
    course = tuple(one for one in placed if one.sound)
    if len(course) < 2:
        left = next((one.reason for one in placed if not one.sound), "")
        raise UsageError(
            f"{run}: a trace needs two checkpoints of a run or more, but "
            f"{len(course)} of {len(placed)} can be used ({left})"
        )
    erred = any(one.row.get(TRAIN_ERROR) is not None for one in course)
    terminal = terminal_phase(course) if erred else None
    flow, no_flow = _flow(course, terminal.began if terminal else None)
    return Trace(
        boundkit=__version__,
        run=run,
        points=placed,
        order=order,
        conventions=course[0].conventions,
        terminal=terminal,
        flow=flow,
        no_flow=no_flow,
        notices=(*notices, *told),
    )


def _require_some(run: str, points: Sequence[Point]) -> None:
    if any(one.sound for one in points):
        return
    reason = points[0].reason if points else "the sweep is empty"
    raise Unreadable(
        run,
        f"none of {len(points)} checkpoints could be analyzed, the first because: {reason}",
        "mend that and run again",
    )


def _flow(course: Sequence[Point], began: float | None) -> tuple[Flow | None, str]:
    try:
        return fitted_flow(course, began), ""
    except NotApplicable as missing:
        return None, str(missing)
