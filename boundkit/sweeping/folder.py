"""Which files and folders below a folder are checkpoints."""

from __future__ import annotations

import os
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from boundkit.errors import Unreadable
from boundkit.sweeping.natural import natural

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["checkpoints_among", "checkpoints_below", "is_checkpoint_name"]

_ENDINGS = frozenset({
    ".bin",
    ".ckpt",
    ".pickle",
    ".pkl",
    ".pt",
    ".pt2",
    ".pth",
    ".safetensors",
    ".th",
})
#: What a trainer keeps beside the weights.
_TRAINER = ("optimizer", "scheduler", "rng_state", "training_args", "scaler")
#: A file that only a folder of a sweep's results has.
_RESULTS = "sweep.json"


def is_checkpoint_name(name: str) -> bool:
    """Say whether a file is called like a checkpoint.

    Args:
        name: Its name, or its path.
    """
    name = PurePath(name).name.lower()
    if name.startswith((".", *_TRAINER)):
        return False
    return PurePath(name.removesuffix(".tar")).suffix in _ENDINGS


def _is_one(names: Iterable[str]) -> bool:
    """Say whether files with these names make up one checkpoint together."""
    names = set(names)
    if ".metadata" in names or any(name.endswith(".index.json") for name in names):
        return True
    if any(n.startswith("shard-") and n.endswith(".safetensors") for n in names):
        return True
    weights = [name for name in names if is_checkpoint_name(name)]
    return len(weights) == 1 and bool(names & {"config.json", "adapter_config.json"})


def checkpoints_below(folder: Path) -> list[str]:
    """Return the checkpoints in a folder and the folders below it.

    A folder that is one checkpoint (sharded, distributed, Hugging Face) is named itself.
    Hidden files, links to folders and the results of sweeps are passed over.

    Args:
        folder: Where to look.

    Returns:
        Paths below ``folder``, in natural order.

    Raises:
        Unreadable: The folder may not be listed.
    """
    found: list[str] = []

    def refuse(error: OSError) -> None:
        if error.filename == str(folder):
            cause = f"the folder cannot be listed ({error.strerror})"
            raise Unreadable(folder, cause, "check its permissions") from error

    for place, inner, names in os.walk(folder, onerror=refuse):
        if _RESULTS in names:
            inner.clear()
            continue
        if _is_one(names):
            inner.clear()
            found.append(place)
            continue
        inner[:] = [name for name in inner if not name.startswith(".")]
        found += [str(Path(place, n)) for n in names if is_checkpoint_name(n)]
    return sorted(found, key=natural)


def checkpoints_among(files: Iterable[str]) -> list[str]:
    """Return the checkpoints among files that were listed elsewhere.

    Args:
        files: Their paths, with slashes.

    Returns:
        Files, or folders that are one checkpoint, in natural order.
    """
    below: dict[str, list[str]] = {}
    for file in files:
        place, _, name = file.rpartition("/")
        below.setdefault(place, []).append(name)
    whole = {place for place, names in below.items() if _is_one(names)}
    found = {
        place if place in whole else f"{place}/{name}"
        for place, names in below.items()
        for name in names
        if place in whole or is_checkpoint_name(name)
    }
    return sorted(found, key=natural)
