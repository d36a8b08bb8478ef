"""The tree that a reader found, walked once: branches, tensors and plain values.

Objects in a file may share or contain each other. Each container is walked once, where
it is met first, so the walk takes time linear in what is stored; a second mention is a
link. Nothing here recurses, so nothing in a file can exhaust the stack.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from boundkit.errors import Refused
from boundkit.readers.contents import Opaque
from boundkit.readers.quoting import shown
from boundkit.types import StoredTensor

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["DEEPEST", "MOST_CONTAINERS", "Branch", "Link", "Path", "grow"]

Path = tuple[str, ...]

DEEPEST = 64
"""Levels of nesting; real checkpoints stay below twenty."""

MOST_CONTAINERS = 300_000
"""Three for each of 10^5 tensors and their optimizer state."""

_LONGEST_STRING = 200
_MOST_SCALARS = 1000


@dataclass(frozen=True, slots=True)
class Link:
    """A second mention of a container: the path where it was walked."""

    path: Path


@dataclass(slots=True, eq=False)
class Branch:
    """One container of the file.

    Attributes:
        path: Labels from the root.
        class_name: Of an object whose class was not imported, else "".
        sequence: Whether it is a list or tuple, so that its labels are positions.
        entries: Label -> ``StoredTensor``, ``Branch``, ``Link`` or a plain value, in
            stored order.
        odd: Label -> what was odd about its key; None while nothing was.
        populated: Whether there is a tensor in it or beneath it.
    """

    path: Path
    class_name: str = ""
    sequence: bool = False
    entries: dict[str, Any] = field(default_factory=dict)
    odd: dict[str, str] | None = None
    populated: bool = False

    @property
    def tensors(self) -> dict[str, StoredTensor]:
        """The tensors that lie in it directly."""
        return {k: v for k, v in self.entries.items() if isinstance(v, StoredTensor)}

    @property
    def bearing(self) -> dict[str, Branch]:
        """The branches that lie in it directly and hold a tensor somewhere."""
        return {
            label: value
            for label, value in self.entries.items()
            if isinstance(value, Branch) and value.populated
        }

    @property
    def links(self) -> dict[str, Path]:
        """Label -> where the same container was walked."""
        return {k: v.path for k, v in self.entries.items() if isinstance(v, Link)}

    @property
    def scalars(self) -> dict[str, str | float | bool | None]:
        """The plain values that lie in it directly."""
        return {
            label: value
            for label, value in self.entries.items()
            if not isinstance(value, StoredTensor | Branch | Link)
        }

    def walk(self) -> Iterator[tuple[Path, StoredTensor]]:
        """Iterate over all tensors beneath, with their full paths, in stored order."""
        stack = [(self.path, iter(self.entries.items()))]
        while stack:
            path, entries = stack[-1]
            entry = next(entries, None)
            if entry is None:
                stack.pop()
            elif isinstance(entry[1], StoredTensor):
                yield (*path, entry[0]), entry[1]
            elif isinstance(entry[1], Branch) and entry[1].populated:
                stack.append((entry[1].path, iter(entry[1].entries.items())))

    def descendants(self) -> Iterator[Branch]:
        """Iterate over this branch and all beneath it that hold a tensor."""
        stack = [self]
        while stack:
            branch = stack.pop()
            yield branch
            stack.extend(reversed(branch.bearing.values()))

    def classes(self) -> dict[str, None]:
        """Return the names of all classes beneath that were not imported."""
        found: dict[str, None] = {}
        stack = [self]
        while stack:
            branch = stack.pop()
            found.setdefault(branch.class_name)
            inner = [b for b in branch.entries.values() if isinstance(b, Branch)]
            stack.extend(reversed(inner))
        found.pop("", None)
        return found


def grow(tree: Any, source: object) -> Branch:
    """Return the outline of ``tree``.

    Args:
        tree: Nested mappings, lists, tuples, ``Opaque`` objects, ``StoredTensor`` and
            plain values; may share containers and contain itself.
        source: The file, for messages.

    Returns:
        The root branch. A bare tensor becomes a root that holds it as ``"tensor"``.

    Raises:
        Refused: There are more than ``MOST_CONTAINERS`` containers, or some are nested
            deeper than ``DEEPEST``.
    """
    root = Branch(())
    walked: dict[int, Branch] = {id(tree): root}
    # First in, first out: of several mentions the shallowest one becomes the branch.
    pending: deque[tuple[Any, Branch]] = deque([(tree, root)])
    while pending:
        value, branch = pending.popleft()
        _fill(branch, value, walked, pending)
        if len(branch.path) > DEEPEST:
            cause = f"its containers are nested deeper than {DEEPEST} levels"
            raise Refused(source, cause, "save the state_dict alone")
        if len(walked) > MOST_CONTAINERS:
            cause = f"it holds more than {MOST_CONTAINERS:,} lists and dictionaries"
            raise Refused(source, cause, "save the state_dict alone")
    _mark(walked)
    return root


def _fill(
    branch: Branch,
    value: Any,
    walked: dict[int, Branch],
    pending: deque[tuple[Any, Branch]],
) -> None:
    branch.sequence = isinstance(value, list | tuple) and not _is_named(value)
    branch.class_name = value.class_name if isinstance(value, Opaque) else ""
    scalars = _MOST_SCALARS
    for key, child in _children(value):
        if _is_plain(child):
            if not branch.sequence and (scalars := scalars - 1) >= 0:
                branch.entries[_label(key, branch)] = child
        elif isinstance(child, StoredTensor):
            branch.entries[_label(key, branch)] = child
        elif isinstance(child, dict | list | tuple | Opaque):
            label = _label(key, branch)
            if id(child) in walked:
                branch.entries[label] = Link(walked[id(child)].path)
            else:
                grown = Branch((*branch.path, label))
                branch.entries[label] = walked[id(child)] = grown
                pending.append((child, grown))


def _children(value: Any) -> Iterator[tuple[object, Any]]:
    """Iterate over (key, child); the parts of an object follow each other."""
    if isinstance(value, StoredTensor):
        yield "tensor", value
    elif isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list | tuple):
        yield from value if _is_named(value) else enumerate(value)
    elif isinstance(value, Opaque):
        yield from value.items.items()
        yield from enumerate(value.elements)
        yield from _state(value.state)
        yield from ((f"argument {i}", v) for i, v in enumerate(value.arguments))


def _state(state: Any) -> Iterator[tuple[object, Any]]:
    # A class with slots pickles the pair (its __dict__ or None, its slots).
    parts = state if isinstance(state, tuple) and len(state) == 2 else (state,)
    if all(part is None or isinstance(part, dict) for part in parts):
        for part in parts:
            yield from part.items() if part else ()
    else:
        yield "state", state


def _is_named(value: list[Any] | tuple[Any, ...]) -> bool:
    """Tell whether ``value`` is what ``list(model.named_parameters())`` gives."""
    return bool(value) and all(
        isinstance(pair, tuple)
        and len(pair) == 2
        and isinstance(pair[0], str)
        and isinstance(pair[1], StoredTensor)
        for pair in value
    )


def _is_plain(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= _LONGEST_STRING
    return value is None or isinstance(value, bool | int | float)


def _label(key: object, branch: Branch) -> str:
    """Return a label for ``key`` that the branch does not have yet, and record it."""
    label = taken = _text(key)
    odd = branch.odd or {}
    if not isinstance(key, str) and not branch.sequence:
        kind = type(key).__name__
        odd[label] = f"the key {shown(key)} is of type {kind}, not a string"
    if label in branch.entries:
        # Not from 2 upward: 10^5 keys that read alike would take quadratic time.
        count = len(branch.entries) + 1
        while label in branch.entries:
            label, count = f"{taken} ({count})", count + 1
        odd[label] = f"two keys read {shown(taken)}; this is the second"
    branch.odd = odd or None
    return label


def _text(key: object) -> str:
    if isinstance(key, tuple) and len(key) <= DEEPEST:
        return ".".join(map(_atom, key))
    return _atom(key)


def _atom(key: object) -> str:
    if isinstance(key, str):
        return key
    if isinstance(key, bool | int | float | bytes) or key is None:
        return str(key)[:_LONGEST_STRING]
    return f"<{type(key).__name__}>"


def _mark(walked: dict[int, Branch]) -> None:
    """Set ``populated`` on every branch that holds a tensor, deepest first."""
    for branch in sorted(walked.values(), key=lambda b: -len(b.path)):
        branch.populated = any(
            isinstance(value, StoredTensor)
            or (isinstance(value, Branch) and value.populated)
            for value in branch.entries.values()
        )
