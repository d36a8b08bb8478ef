"""A state_dict as a file that is there in full or not at all."""

from __future__ import annotations

import hashlib
import io
import os
from contextlib import suppress
from pathlib import Path
from tempfile import mkstemp
from typing import TYPE_CHECKING

from boundkit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

__all__ = ["require_place", "write_weights", "write_whole"]

_ENDINGS = (".pt", ".pth", ".safetensors")


def require_place(path: Path, source: object) -> None:
    """Refuse a place for weights before the work is done rather than after.

    Args:
        path: Where they are to go.
        source: The checkpoint, which must not be overwritten.

    Raises:
        UsageError: Another ending, a folder, no folder around it, or the checkpoint.
    """
    why = None
    if path.suffix not in _ENDINGS:
        why = f"its name must end in {', '.join(_ENDINGS)}"
    elif path.is_dir():
        why = "it is a folder; name a file"
    elif not path.parent.is_dir():
        why = "its folder does not exist; make it first"
    elif not os.access(path.parent, os.W_OK):
        why = "its folder may not be written; choose another place"
    elif isinstance(source, str | Path) and path.exists() and Path(source).exists():
        why = "it is the checkpoint itself" if path.samefile(source) else None
    if why:
        raise UsageError(f"cannot write weights to {str(path)!a}: {why}")


def write_weights(path: Path, state: Mapping[str, torch.Tensor]) -> str:
    """Write a state_dict as safetensors or as torch.save does, by the name's ending.

    Args:
        path: Replaced if it is there.
        state: Name -> values.

    Returns:
        SHA-256 of the file.

    Raises:
        UsageError: The operating system refuses.
    """
    own = {name: value.detach().cpu().clone() for name, value in state.items()}
    if path.suffix == ".safetensors":
        from safetensors.torch import save

        content = save({name: value.contiguous() for name, value in own.items()})
    else:
        import torch

        buffer = io.BytesIO()
        torch.save(own, buffer)
        content = buffer.getvalue()
    write_whole(path, content)
    return hashlib.sha256(content).hexdigest()


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that its name never leads to half of it.

    Args:
        path: Replaced if it is there.
        content: All of it.

    Raises:
        UsageError: The operating system refuses.
    """
    try:
        _replace(path, content)
    except OSError as error:
        cause = error.strerror or str(error)
        raise UsageError(
            f"cannot write {str(path)!a}: {cause}; choose another place"
        ) from error


def _replace(path: Path, content: bytes) -> None:
    descriptor, name = mkstemp(prefix=".unfinished-", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        with suppress(FileNotFoundError):
            temporary.unlink()
        raise
