"""Folders: of the Hugging Face hub, of its cache, or with one checkpoint in them.

File names: ``transformers.utils``, ``diffusers.utils.constants``, ``peft.utils``.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, NoReturn

from boundkit.errors import Empty, Refused, Unreadable
from boundkit.readers.containers import open_file
from boundkit.readers.quoting import listed, shown
from boundkit.types import Notice

if TYPE_CHECKING:
    from pathlib import Path

    from boundkit.readers.contents import Contents

__all__ = ["NAME", "locate", "read", "recognizes"]

NAME = "folder"

_STEMS = (
    ("model.safetensors", "pytorch_model.bin"),
    ("diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.bin"),
    ("open_clip_model.safetensors", "open_clip_pytorch_model.bin"),
    ("adapter_model.safetensors", "adapter_model.bin"),
)
"""Names of one model: safetensors first, then the torch file of the same weights."""

_ENDINGS = frozenset({
    ".bin",
    ".ckpt",
    ".cpkt",
    ".jit",
    ".jpt",
    ".pt",
    ".pt2",
    ".ptl",
    ".pth",
    ".safetensors",
    ".tar",
})
_TRAINER = ("optimizer", "scheduler", "scaler", "rng_state", "training_args")
"""How the files begin that a trainer writes beside the weights."""

_FOREIGN = {
    "saved_model.pb": "a TensorFlow SavedModel",
    "tf_model.h5": "a Keras model",
    "flax_model.msgpack": "a Flax model",
    "model.onnx": "an ONNX model",
}
_MOST_FILES = 100_000


def recognizes(path: Path, head: bytes) -> bool:
    """Tell whether the path is a folder."""
    del head  # A folder has none.
    return path.is_dir()


def read(path: Path) -> Contents:
    """Describe the tensors of the one checkpoint in a folder.

    Args:
        path: The folder.

    Returns:
        What the file's own reader found, with notices about what was not read.

    Raises:
        Refused: There are several checkpoints, or only another framework's.
        Empty: There is none.
        Unreadable: The folder cannot be listed, or the file does not open.
    """
    file, notices = locate(path)
    contents = open_file(file)
    return replace(contents, notices=(*notices, *contents.notices))


def locate(folder: Path) -> tuple[Path, tuple[Notice, ...]]:
    """Return the one checkpoint file, or index of shards, in a folder.

    Args:
        folder: Such as a clone from the hub, its cache, or a trainer's output.

    Returns:
        The file, and notices about files beside it that were not read.

    Raises:
        Refused: There are several checkpoints, or only another framework's.
        Empty: There is none.
        Unreadable: The folder cannot be listed.
    """
    folder = _snapshot(folder)
    names = _names(folder)
    indexed = _complete(names)
    models = [found for pair in _STEMS if (found := _best(folder, pair, indexed))]
    if len(models) > 1:
        _refuse_several(folder, [found[0].name for found in models])
    if models:
        return models[0]
    return _single(folder, names)


def _names(folder: Path) -> list[str]:
    try:
        return sorted(p.name for p in islice(folder.iterdir(), _MOST_FILES))
    except OSError as error:
        cause = f"the folder cannot be listed ({error.strerror})"
        raise Unreadable(folder, cause, "check its permissions") from None


def _snapshot(folder: Path) -> Path:
    snapshots = folder / "snapshots"
    if not snapshots.is_dir():
        return folder
    revisions = _names(snapshots)
    main = folder / "refs" / "main"
    if main.is_file():
        revision = main.read_text(encoding="utf-8", errors="replace")[:80].strip()
        if revision in revisions:
            return snapshots / revision
    if len(revisions) == 1:
        return snapshots / revisions[0]
    cause = f"holds {len(revisions)} snapshots: {listed(revisions)}"
    raise Refused(folder, cause, "give the path of one of them")


def _complete(names: list[str]) -> set[str]:
    return {name.removesuffix(".index.json") for name in names} | set(names)


def _best(
    folder: Path, pair: tuple[str, str], present: set[str]
) -> tuple[Path, tuple[Notice, ...]] | None:
    """Return the preferred file of one model, and a notice about the other."""
    found = [folder / name for stem in pair if stem in present for name in (stem,)]
    files = [_file_or_index(path) for path in found]
    if not files:
        return None
    beside = [path.name for path in files[1:]]
    message = f"{listed(beside)} beside {shown(files[0].name)} was not read"
    return files[0], (Notice("also-present", message),) if beside else ()


def _file_or_index(path: Path) -> Path:
    index = path.with_name(f"{path.name}.index.json")
    if path.is_file() and index.is_file():
        _refuse_several(path.parent, [path.name, index.name])
    return index if index.is_file() else path


def _single(folder: Path, names: list[str]) -> tuple[Path, tuple[Notice, ...]]:
    indexes = [name for name in names if name.endswith(".index.json")]
    if indexes:
        if len(indexes) > 1:
            _refuse_several(folder, indexes)
        return folder / indexes[0], ()
    files = [name for name in names if (folder / name).is_file()]
    likely = [name for name in files if name[name.rfind(".") :].lower() in _ENDINGS]
    weights = [name for name in likely if not name.startswith(_TRAINER)]
    if len(weights) > 1:
        _refuse_several(folder, weights)
    if not weights:
        raise _none(folder, names, likely)
    beside = [name for name in likely if name not in weights]
    message = f"{listed(beside)} was not read: a trainer's own state"
    return folder / weights[0], (Notice("also-present", message),) if beside else ()


def _none(folder: Path, names: list[str], trainer: list[str]) -> Empty | Refused:
    for name, kind in _FOREIGN.items():
        if name in names:
            remedy = "export its weights to safetensors"
            return Refused(folder, f"holds {kind}, which is not torch's", remedy)
    inner = [
        name
        for name in names[:200]
        if (folder / name).is_dir() and _looks_full(folder / name)
    ]
    if inner:
        cause = f"holds no checkpoint itself, but its folders {listed(inner)} do"
        return Refused(folder, cause, "give the path of one of them")
    cause = "holds optimizer state only" if trainer else "holds no checkpoint file"
    return Empty(folder, cause, "give the path of a checkpoint")


def _looks_full(folder: Path) -> bool:
    return any(name[name.rfind(".") :].lower() in _ENDINGS for name in _names(folder))


def _refuse_several(folder: Path, names: list[str]) -> NoReturn:
    cause = f"holds {len(names)} checkpoints: {listed(names, limit=10)}"
    raise Refused(folder, cause, "give the path of one of them")
