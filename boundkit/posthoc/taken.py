"""What ``draw``, ``code`` and ``holdout`` are given, opened."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from boundkit.data import open_data
from boundkit.posthoc.opened import opened
from boundkit.posthoc.sample import gathered

if TYPE_CHECKING:
    from boundkit.posthoc.opened import Opened
    from boundkit.posthoc.sample import Sample

__all__ = ["place_of", "taken"]


def taken(
    source: Any,
    model: Any,
    data: Any,
    part: Literal["train", "test"],
    batch_size: int,
    *,
    key: str | None = None,
    trust: bool = False,
) -> tuple[Opened, Sample]:
    """Open a checkpoint in its model, and a sample.

    Args:
        source: A path, or an nn.Module or state_dict in memory.
        model: An nn.Module or SPEC; None where the source is a module.
        data: A SPEC string, Dataset, DataLoader or (x, y).
        part: Of the data, where the SPEC names a folder that has several.
        batch_size: Samples at a time.
        key: Which model, where the file holds several.
        trust: Allow code in the file to run, where it cannot be read otherwise.

    Raises:
        CheckpointError: The checkpoint is broken, not ours to open, or empty.
        DataError: The data cannot be used.
        ModelError: The model does not load or fit, or cannot be certified.
        UsageError: There is no model.
    """
    samples = open_data(data, part)
    found = opened(source, model, samples.shape, key=key, trust=trust)
    return found, gathered(samples, batch_size)


def place_of(spec: Any) -> str | None:
    """Return the path of a checkpoint, None for one in memory.

    Args:
        spec: What the user gave, or None.
    """
    return str(spec) if isinstance(spec, str | Path) else None
