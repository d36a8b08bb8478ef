"""Takes away what wrappers put before the names of a model's tensors."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from boundkit.types import StoredTensor

__all__ = ["strip"]

_WRAPPERS = ("module.", "_orig_mod.", "_fsdp_wrapped_module.", "_forward_module.")
_LIGHTNING = "model."
_INNER = re.compile(
    r"(?:(?<=\.)|^)(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\."
)
_BUFFERS = frozenset({"n_averaged", "num_batches_tracked", "step"})


def strip(
    tensors: Mapping[str, StoredTensor], *, lightning: bool = False
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the plain name of each tensor, and the prefixes that were taken away.

    A prefix goes only if all parameters bear it, and only if no two names become one.

    Args:
        tensors: By name; buffers may lack a prefix (``n_averaged`` of a
            ``torch.optim.swa_utils.AveragedModel`` does).
        lightning: Whether the file says that it is a Lightning checkpoint, whose module
            commonly keeps the net in ``self.model``.

    Returns:
        Name in the file -> name without wrappers, in the same order; and the prefixes,
        outermost first. Wrappers in the middle of a name are listed last.
    """
    names = {name: name for name in tensors}
    taken: list[str] = []
    prefixes = (*_WRAPPERS, _LIGHTNING) if lightning else _WRAPPERS
    while prefix := _shared(names, tensors, prefixes):
        shorter = {old: new.removeprefix(prefix) for old, new in names.items()}
        if not _distinct(shorter):
            break
        names = shorter
        taken.append(prefix)
    inner = {old: _INNER.sub("", new) for old, new in names.items()}
    if inner != names and _distinct(inner):
        gone = (_INNER.findall(new) for new in names.values())
        taken.extend(sorted({prefix for found in gone for prefix in found}))
        names = inner
    return names, tuple(taken)


def _shared(
    names: Mapping[str, str],
    tensors: Mapping[str, StoredTensor],
    prefixes: tuple[str, ...],
) -> str | None:
    first = next(
        (new for old, new in names.items() if not _may_lack(new, tensors[old])), ""
    )
    prefix = next((p for p in prefixes if first.startswith(p)), None)
    if prefix is None:
        return None
    shared = all(
        new.startswith(prefix) or _may_lack(new, tensors[old])
        for old, new in names.items()
    )
    return prefix if shared else None


def _may_lack(name: str, tensor: StoredTensor) -> bool:
    return not tensor.shape or name.rpartition(".")[2] in _BUFFERS


def _distinct(names: Mapping[str, str]) -> bool:
    return len(set(names.values())) == len(names) and "" not in names.values()
