"""Finds the models in the outline of a file, and says what everything else is.

The decision is made from the top: branches that training scripts keep beside the
weights go first, then what is left is either one tree of layers or a level of wrapping
with one or several models below.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from boundkit.readers.outline import Branch
from boundkit.readers.prefixes import strip
from boundkit.readers.roles import (
    LEAVES,
    aside,
    is_model_label,
    is_optimizer_tensor,
    rival_components,
)
from boundkit.types import StoredTensor

if TYPE_CHECKING:
    from boundkit.readers.outline import Path

__all__ = ["Model", "Survey", "survey"]

_NOT_WEIGHTS = "beside the weights, not one of them"


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """One candidate for the weights.

    Attributes:
        path: Labels from the root of the file; the dotted path is its ``--key``.
        prefixes: What was stripped from its names, outermost first.
        tensors: By plain name, in stored order.
        branch: Where its tensors lie.
    """

    path: Path
    prefixes: tuple[str, ...]
    tensors: dict[str, StoredTensor]
    branch: Branch

    @property
    def key(self) -> str:
        """What ``--key`` takes."""
        return ".".join(self.path) or "."


@dataclass(slots=True, eq=False)
class Survey:
    """What a file holds.

    Attributes:
        models: The candidates, in stored order.
        beside: Every other tensor: its path, itself, what it is.
        scalars: Plain values beside the models.
    """

    models: list[Model] = field(default_factory=list)
    beside: list[tuple[Path, StoredTensor, str]] = field(default_factory=list)
    scalars: dict[str, Any] = field(default_factory=dict)


def survey(branch: Branch, *, lightning: bool = False) -> Survey:
    """Return the models that lie in ``branch``, and every other tensor with a reason.

    Args:
        branch: Of an outline; not deeper than ``outline.DEEPEST`` levels.
        lightning: Whether the file says that it is a Lightning checkpoint.

    Returns:
        Each tensor of the branch once, as part of a model or beside.
    """
    found = Survey()
    _explore(branch, found, lightning)
    return found


def _explore(branch: Branch, found: Survey, lightning: bool) -> None:
    _note_scalars(branch, found)
    if {"state", "param_groups"} <= branch.entries.keys():
        _put_aside(branch, "optimizer state", found)
        return
    children = {}
    for label, child in branch.bearing.items():
        if reason := aside(label, child):
            _put_aside(child, reason, found)
        else:
            children[label] = child
    if _is_wrapping(children):
        _unwrap(branch, children, found, lightning)
    else:
        _gather(branch, children, found, lightning)


def _note_scalars(branch: Branch, found: Survey) -> None:
    """Keep plain values that lie in a level of wrapping, or in a dictionary beside."""
    for label, value in branch.scalars.items():
        found.scalars.setdefault(label, value)
    for label, child in branch.entries.items():
        if not isinstance(child, Branch) or child.populated or child.sequence:
            continue
        if aside(label, child) in {None, "hyperparameters"}:
            at = "" if label == "__metadata__" else f"{label}."
            for inner, value in child.scalars.items():
                found.scalars.setdefault(f"{at}{inner}", value)


def _is_wrapping(children: dict[str, Branch]) -> bool:
    """Tell whether the branches are models, rather than the layers of one."""
    if any(is_model_label(label) for label in children) or rival_components(children):
        return True
    if any(_is_flat(b) for child in children.values() for b in child.descendants()):
        return True
    return len(children) == 1 and _leads_to_model(next(iter(children.values())))


def _leads_to_model(branch: Branch) -> bool:
    """Tell whether ``branch`` only wraps: no tensors of its own, a model below."""
    while not branch.tensors:
        below = [
            (label, child)
            for label, child in branch.bearing.items()
            if not aside(label, child)
        ]
        if any(is_model_label(label) for label, _ in below):
            return True
        if len(below) != 1:
            return False
        branch = below[0][1]
    return False


def _is_flat(branch: Branch) -> bool:
    return not branch.sequence and any("." in name for name in branch.tensors)


def _unwrap(
    branch: Branch, children: dict[str, Branch], found: Survey, lightning: bool
) -> None:
    own = _is_flat(branch) or not LEAVES.isdisjoint(branch.tensors)
    if own:
        _gather(branch, {}, found, lightning)
    for label, child in children.items():
        if is_model_label(label) or _has_layers(child) or rival_components(children):
            _explore(child, found, lightning)
        else:
            _put_aside(child, _NOT_WEIGHTS, found)
    if not own:
        for label, tensor in branch.tensors.items():
            found.beside.append(((*branch.path, label), tensor, _NOT_WEIGHTS))


def _has_layers(branch: Branch) -> bool:
    return any(
        _is_flat(b) or not LEAVES.isdisjoint(b.tensors) for b in branch.descendants()
    )


def _gather(
    branch: Branch, children: dict[str, Branch], found: Survey, lightning: bool
) -> None:
    """Join what lies in ``branch`` and in ``children`` to one model."""
    flat = _is_flat(branch)
    joined: dict[str, StoredTensor] = {}
    for label, value in branch.entries.items():
        if isinstance(value, StoredTensor):
            _join(joined, (label,), value)
        elif label in children and flat and not _has_layers(children[label]):
            _put_aside(children[label], _NOT_WEIGHTS, found)
        elif label in children:
            for path, tensor in children[label].walk():
                _join(joined, path[len(branch.path) :], tensor)
    kept = _without_optimizer(branch.path, joined, found)
    if kept:
        names, prefixes = strip(kept, lightning=lightning)
        tensors = {names[name]: tensor for name, tensor in kept.items()}
        _add(Model(branch.path, prefixes, tensors, branch), found)


def _join(joined: dict[str, StoredTensor], path: Path, tensor: StoredTensor) -> None:
    name = base = ".".join(path)
    count = len(joined) + 1
    while name in joined:
        name, count = f"{base} ({count})", count + 1
    joined[name] = tensor


def _without_optimizer(
    path: Path, tensors: dict[str, StoredTensor], found: Survey
) -> dict[str, StoredTensor]:
    heads = {name.partition(".")[0] for name in tensors if is_optimizer_tensor(name)}
    optimizers = {h for h in heads if h.lower().startswith("opt")}
    kept = {}
    for name, tensor in tensors.items():
        if is_optimizer_tensor(name) or name.partition(".")[0] in optimizers:
            found.beside.append(((*path, name), tensor, "optimizer state"))
        else:
            kept[name] = tensor
    return kept


def _add(model: Model, found: Survey) -> None:
    """Record a model, or its parts if they are rivals such as generator and critic."""
    heads = dict.fromkeys(n.partition(".")[0] for n in model.tensors if "." in n)
    if not rival_components(heads):
        found.models.append(model)
        return
    for head in heads:
        tensors = {
            name.removeprefix(f"{head}."): tensor
            for name, tensor in model.tensors.items()
            if name.startswith(f"{head}.")
        }
        path = (*model.path, head)
        found.models.append(Model(path, model.prefixes, tensors, model.branch))
    for name, tensor in model.tensors.items():
        if "." not in name:
            found.beside.append(((*model.path, name), tensor, _NOT_WEIGHTS))


def _put_aside(branch: Branch, reason: str, found: Survey) -> None:
    found.beside.extend((path, tensor, reason) for path, tensor in branch.walk())
