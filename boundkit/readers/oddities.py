"""What is safe but odd about the tensors that were picked as the model's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from boundkit.readers.quoting import listed, shown
from boundkit.types import Notice

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from boundkit.readers.outline import Branch
    from boundkit.types import StoredTensor

__all__ = ["foreign_classes", "not_imported", "oddities"]

_MOST_KEYS = 20

_BUFFERS = frozenset({
    "running_mean",
    "running_var",
    "num_batches_tracked",
    "n_averaged",
    "inv_freq",
})

_FAMILIAR = (
    "argparse.",
    "collections.",
    "datetime.",
    "enum.",
    "functools.partial",
    "lightning.",
    "numpy.",
    "omegaconf.",
    "pathlib.",
    "pytorch_lightning.",
    "result of an unknown call",
    "torch.",
    "typing.",
)
_FAMILIAR_BUILTINS = frozenset(
    f"builtins.{name}"
    for name in (
        "bool",
        "bytes",
        "complex",
        "dict",
        "float",
        "frozenset",
        "int",
        "list",
        "long",
        "object",
        "set",
        "str",
        "tuple",
        "type",
        "unicode",
    )
)

_ADAPTER = re.compile(
    r"(?P<base>.*?)\.?"
    r"(?:lora_(?:A|B|embedding_A|embedding_B|magnitude_vector|down|up)"
    r"|ia3_l|hada_[wt][12](?:_[ab])?|lokr_[wt][12](?:_[ab])?|vera_lambda_[bd]"
    r"|prompt_embeddings)"
    r"(?:\.[^.]+)*"
)


def foreign_classes(root: Branch) -> list[str]:
    """Return the names of classes and functions in a file that few files mention.

    Args:
        root: Of the outline.

    Returns:
        Dotted names, without those of torch, numpy and common training frameworks.
    """
    return [
        name
        for name in root.classes()
        if not name.startswith(_FAMILIAR) and name not in _FAMILIAR_BUILTINS
    ]


def not_imported(classes: list[str]) -> tuple[Notice, ...]:
    """Return a notice that says which classes were not imported, if any.

    Args:
        classes: Dotted names.

    Returns:
        At most one notice, with the code ``not-imported``.
    """
    if not classes:
        return ()
    message = f"objects of these classes were described, not made: {listed(classes)}"
    return (Notice("not-imported", message),)


def oddities(branch: Branch, tensors: Mapping[str, StoredTensor]) -> tuple[Notice, ...]:
    """Return notices about a model's names and about what it lacks.

    Args:
        branch: Where the tensors lie.
        tensors: The model's, by plain name.

    Returns:
        Notices with the codes ``bare-tensor``, ``tensor-list``, ``odd-key``,
        ``shared-container``, ``bias-only``, ``buffer-only``,
        ``adapter-without-base`` and ``adapter-not-merged``.
    """
    return (
        *_shape_of_container(branch, tensors),
        *_keys(branch),
        *_lacking(tensors),
        *_adapter(tensors),
    )


def _shape_of_container(
    branch: Branch, tensors: Mapping[str, StoredTensor]
) -> Iterator[Notice]:
    if not branch.path and list(branch.tensors) == ["tensor"]:
        yield Notice(
            "bare-tensor", "the file holds one tensor without a name", "tensor"
        )
    elif branch.sequence and branch.tensors:
        message = f"{len(tensors):,} tensors in a list have their positions as names"
        yield Notice("tensor-list", message)


def _keys(branch: Branch) -> Iterator[Notice]:
    odd = [(b, label) for b in branch.descendants() for label in b.odd or ()]
    for inner, label in odd[:_MOST_KEYS]:
        name = ".".join((*inner.path[len(branch.path) :], label))
        yield Notice("odd-key", (inner.odd or {})[label], name)
    if len(odd) > _MOST_KEYS:
        yield Notice("odd-key", f"{len(odd) - _MOST_KEYS:,} more keys like these")
    for inner in branch.descendants():
        for label, target in inner.links.items():
            message = (
                f"{shown(label)} is the same container as {shown('.'.join(target))}; "
                "its tensors are listed once"
            )
            if target[: len(branch.path)] == branch.path and not inner.sequence:
                yield Notice("shared-container", message)
                return


def _lacking(tensors: Mapping[str, StoredTensor]) -> Iterator[Notice]:
    leaves = {name.rpartition(".")[2] for name in tensors}
    if leaves <= _BUFFERS:
        yield Notice("buffer-only", "there are only buffers, no weights")
    elif leaves <= _BUFFERS | {"bias"}:
        yield Notice("bias-only", "there are only biases, no weights")


def _adapter(tensors: Mapping[str, StoredTensor]) -> Iterator[Notice]:
    matches = {name: _ADAPTER.fullmatch(name) for name in tensors}
    found = {name: match["base"] for name, match in matches.items() if match}
    if not found:
        return
    merged = any(
        f"{base}.{leaf}" in tensors
        for base in set(found.values())
        for leaf in ("weight", "base_layer.weight")
    )
    names = listed(found, limit=2)
    if merged:
        message = (
            f"adapter tensors ({names}) are not merged into the weights beside them"
        )
        yield Notice("adapter-not-merged", message)
    else:
        message = f"adapter tensors ({names}) without the base model they belong to"
        yield Notice("adapter-without-base", message)
