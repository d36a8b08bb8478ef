"""Picks one model out of what a reader found."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn

from boundkit.errors import Empty, Refused, UsageError
from boundkit.readers.oddities import foreign_classes, not_imported, oddities
from boundkit.readers.outline import grow
from boundkit.readers.quoting import listed, shown
from boundkit.readers.survey import Model, Survey, survey
from boundkit.types import Checkpoint, Notice, StoredTensor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from boundkit.readers.contents import Contents
    from boundkit.readers.outline import Branch

__all__ = ["select"]

_MOST_METADATA = 50
_MOST_LISTED = 20
#: Names under which a state_dict usually lies.
_USUAL = frozenset({"state_dict", "model", "model_state", "model_state_dict", "net"})


def select(contents: Contents, source: str, key: str | None = None) -> Checkpoint:
    """Return the one model of ``contents``, or the one that ``key`` names.

    Args:
        contents: What a reader found.
        source: The path as the user gave it.
        key: Dotted path of one model, as listed where a file holds several.

    Returns:
        The model's tensors under plain names; all other tensors beside, with a reason.

    Raises:
        Refused: There are several models and no key, or the nesting is bottomless.
        Empty: There is no tensor, or none that is a weight.
        UsageError: There is nothing under ``key``.
    """
    root = grow(contents.tree, source)
    lightning = _is_lightning(root)
    found = survey(root, lightning=lightning)
    unknown = foreign_classes(root)
    if not root.populated:
        if key is None and _is_empty_state(contents.tree):
            return _empty_state(contents, source)
        _refuse_hollow(source, unknown)
    _merge_aliases(found)
    model = _pick(root, found, source, key, lightning=lightning)
    beside = _beside(found, model)
    return Checkpoint(
        source=source,
        format=contents.format,
        wrapping=(*contents.wrapping, *model.path, *model.prefixes),
        files=contents.files,
        nbytes=_nbytes(contents, model),
        tensors=MappingProxyType(model.tensors),
        aliases=MappingProxyType(_aliases(model.tensors)),
        beside=MappingProxyType(beside),
        modules=_modules(contents.modules, model),
        metadata=MappingProxyType(_metadata(found)),
        notices=(
            *contents.notices,
            *oddities(model.branch, model.tensors),
            *not_imported(unknown),
        ),
    )


def _is_empty_state(tree: Any) -> bool:
    """Say whether a tree is a state_dict without entries, also under a usual name."""
    while isinstance(tree, Mapping) and len(tree) == 1:
        ((name, inner),) = tree.items()
        if name not in _USUAL:
            return False
        tree = inner
    return isinstance(tree, Mapping) and not tree


def _empty_state(contents: Contents, source: str) -> Checkpoint:
    why = "the state_dict is empty: a model without parameters, or saved too early"
    return Checkpoint(
        source=source,
        format=contents.format,
        wrapping=contents.wrapping,
        files=contents.files,
        nbytes=sum(path.stat().st_size for path in contents.files),
        tensors=MappingProxyType({}),
        notices=(*contents.notices, Notice("empty-state-dict", why)),
    )


def _refuse_hollow(source: str, unknown: list[str]) -> NoReturn:
    if not unknown:
        raise Empty(source, "holds no tensors", "save the model's state_dict")
    raise Refused(
        source,
        f"holds no tensors, only objects that need code to open: {listed(unknown)}",
        "save the model's state_dict; or, if you trust the file, let it run: --trust",
    )


def _is_lightning(root: Branch) -> bool:
    return "pytorch-lightning_version" in root.entries or (
        "state_dict" in root.entries and "callbacks" in root.entries
    )


def _merge_aliases(found: Survey) -> None:
    """Put aside each model that is, tensor by tensor, the same bytes as an earlier one."""
    if len(found.models) < 2:
        return
    kept: dict[frozenset[object], Model] = {}
    for model in list(found.models):
        identities = [_identity(t) for t in model.tensors.values()]
        bytes_of = frozenset(identities)
        if None in bytes_of or bytes_of not in kept:
            kept.setdefault(bytes_of, model)
            continue
        found.models.remove(model)
        reason = f"the same tensors as {shown(kept[bytes_of].key)}"
        for name, tensor in model.tensors.items():
            found.beside.append(((*model.path, name), tensor, reason))


def _identity(tensor: StoredTensor) -> tuple[object, ...] | None:
    # Tensors without elements may begin at the same byte and still be different ones.
    return tensor.identity if tensor.numel else None


def _pick(
    root: Branch, found: Survey, source: str, key: str | None, *, lightning: bool
) -> Model:
    if key is None:
        if not found.models:
            kinds = sorted({reason for _, _, reason in found.beside})
            cause = f"holds {' and '.join(kinds)} only, no weights"
            raise Empty(source, cause, "analyze the file that holds the model")
        return _only(found.models, source)
    named = [model for model in found.models if model.key == key]
    if named:
        return named[0]
    below = [m for branch in _resolve(root, key) for m in _models(branch, lightning)]
    below = below or [
        part for model in found.models if (part := _part(model, key)) is not None
    ]
    if not below:
        listing = _listing(found.models) or "none"
        raise UsageError(
            f"{source}: there is no model under the key {shown(key)}; "
            f"there are: {listing}"
        )
    return _only(below, source)


def _only(models: list[Model], source: str) -> Model:
    if len(models) > 1:
        raise Refused(
            source,
            f"holds {len(models)} models: {_listing(models)}",
            "pick one with --key NAME",
        )
    return models[0]


def _models(branch: Branch, lightning: bool) -> list[Model]:
    found = survey(branch, lightning=lightning)
    _merge_aliases(found)
    return found.models


def _listing(models: list[Model]) -> str:
    lines = [
        f"{shown(model.key)} ({len(model.tensors):,} tensors, "
        f"{sum(t.numel for t in model.tensors.values()):,} parameters)"
        for model in models[:_MOST_LISTED]
    ]
    if len(models) > _MOST_LISTED:
        lines.append(f"{len(models) - _MOST_LISTED:,} more")
    return ", ".join(lines)


def _resolve(branch: Branch, key: str) -> Iterator[Branch]:
    """Iterate over the branches at the dotted path ``key``; labels may hold dots."""
    for label, child in branch.bearing.items():
        if label == key:
            yield child
        elif key.startswith(f"{label}."):
            yield from _resolve(child, key[len(label) + 1 :])


def _part(model: Model, key: str) -> Model | None:
    """Return the submodule ``key`` of a model, under the model's own key or alone."""
    inner = key.removeprefix(f"{model.key}.")
    tensors = {
        name.removeprefix(f"{inner}."): tensor
        for name, tensor in model.tensors.items()
        if name.startswith(f"{inner}.")
    }
    path = (*model.path, inner)
    return Model(path, model.prefixes, tensors, model.branch) if tensors else None


def _beside(found: Survey, model: Model) -> dict[str, tuple[StoredTensor, str]]:
    """Return all other tensors of the file, under names that the model does not use."""
    rows = list(found.beside)
    for other in found.models:
        if other is not model:
            reason = f"of another model, {shown(other.key)}"
            rows += [((*other.path, n), t, reason) for n, t in other.tensors.items()]
    chosen = set()
    if not any(other is model for other in found.models):
        chosen = {id(tensor) for tensor in model.tensors.values()}
    named: dict[str, tuple[StoredTensor, str]] = {}
    for path, tensor, reason in rows:
        if id(tensor) not in chosen:
            name = base = ".".join(path)
            count = len(named) + 2
            while name in named or name in model.tensors:
                name, count = f"{base} ({count})", count + 1
            named[name] = (tensor, reason)
    return named


def _aliases(tensors: Mapping[str, StoredTensor]) -> dict[str, str]:
    first: dict[tuple[object, ...], str] = {}
    aliases = {}
    for name, tensor in tensors.items():
        identity = _identity(tensor)
        if identity is None:
            continue
        if identity in first:
            aliases[name] = first[identity]
        else:
            first[identity] = name
    return aliases


def _nbytes(contents: Contents, model: Model) -> int:
    if contents.files:
        return sum(path.stat().st_size for path in contents.files)
    sizes = {
        tensor.storage.key: tensor.storage.nbytes
        for tensor in model.tensors.values()
        if tensor.storage is not None
    }
    return sum(sizes.values())


def _modules(
    modules: Mapping[str, Mapping[str, Any]], model: Model
) -> Mapping[str, Mapping[str, Any]]:
    """Return the attributes of the model's modules, under paths without wrappers."""
    at = ".".join(model.path)
    inside = {
        path.removeprefix(at).removeprefix("."): attributes
        for path, attributes in modules.items()
        if not at or path == at or path.startswith(f"{at}.")
    }
    for prefix in model.prefixes:
        inside = {
            f"{path}.".removeprefix(prefix).removesuffix("."): attributes
            for path, attributes in inside.items()
        }
    return MappingProxyType(inside)


def _metadata(found: Survey) -> dict[str, Any]:
    plain = {k: v for k, v in found.scalars.items() if v is not None}
    return dict(list(plain.items())[:_MOST_METADATA])
