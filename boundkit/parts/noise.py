"""The part ``noise``: gradients of single samples, and what earlier checkpoints add."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from boundkit import readers
from boundkit.errors import ModelError
from boundkit.layers import from_tensors
from boundkit.types import Notice

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import nn

    from boundkit.measure.observed import Observed

    Progress = Callable[[int, int | None, str], None] | None

__all__ = ["noise_section"]


def noise_section(
    parts: frozenset[str],
    seen: Observed,
    *,
    batch: int | None,
    loss: str | None,
    weight_decay: float | None,
    learning_rate: float | None,
    steps: int | None,
    earlier: Sequence[Any],
    model: Any,
    device: str,
    batch_size: int,
    progress: Progress,
    trust: bool,
) -> tuple[dict[str, Any] | None, tuple[Notice, ...]]:
    """Return what a report says of the noise of SGD, or None and why there is nothing.

    Args:
        parts: To be computed.
        seen: What the net and the data gave.
        batch: Samples per step of SGD; None for 1.
        loss: The training loss, or None.
        weight_decay: As torch's optimizers count it.
        learning_rate: Of plain SGD.
        steps: Of SGD from the last of the earlier checkpoints to this one.
        earlier: Checkpoints of the same run, oldest first.
        model: SPEC of the net, for the margins of the earlier checkpoints.
        device: Where to run.
        batch_size: Samples at a time.
        progress: Called with chunks done, None, and a label.
        trust: Whether code in the earlier checkpoints may run.

    Raises:
        CheckpointError: An earlier checkpoint is broken, not ours to open, or empty.
        DataError: The data cannot be used.
        UsageError: An argument is out of range or contradicts another.
    """
    network, module = seen.architecture.network, seen.module
    samples = seen.train_samples
    if "noise" not in parts or module is None or samples is None:
        return None, ()
    from boundkit.measure.noise import noise, weight_jitter

    opened = [readers.read(one, trust=trust) for one in earlier]
    before = [from_tensors(one)[0] for one in opened]
    try:
        found = noise(
            network,
            module,
            samples,
            batch=batch or 1,
            loss=loss,
            # The papers write lam ||W||^2, whose gradient torch's optimizers halve.
            weight_decay=None if weight_decay is None else weight_decay / 2,
            learning_rate=learning_rate,
            steps=steps,
            earlier=before[-1] if before else None,
            earlier_module=_as_it_was(model, opened[-1]) if opened else None,
            device=device,
            batch_size=batch_size,
            progress=progress,
        )
    except ModelError as error:
        return None, (Notice("no-noise", f"no noise of SGD: {error}"),)
    section = found.summary()
    if len(before) > 1:
        section["weight_jitter"] = {
            layer: [move if isfinite(move) else None for move in moves]
            for layer, moves in weight_jitter([*before, network]).items()
        }
    return section, ()


def _as_it_was(model: Any, checkpoint: Any) -> nn.Module | None:
    """Return the net with the weights of an earlier checkpoint, if it can be made."""
    from copy import deepcopy

    from boundkit.layers.model_spec import fit, load_model

    if model is None:
        return None
    made = load_model(model) if isinstance(model, str) else deepcopy(model)
    return fit(made, checkpoint)
