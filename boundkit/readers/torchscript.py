"""TorchScript archives (``torch.jit.save``, and ``.ptl`` for the lite interpreter).

The weights are attributes of the pickled objects. Which of them are parameters, and the
constants of each class, stand in the class headers of the archive's ``code/`` files;
those are matched line by line and never run. Layout: ``torch/csrc/jit/serialization``.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from boundkit.errors import Refused, Unreadable
from boundkit.readers.contents import Contents, Opaque
from boundkit.readers.modules import Unfolded, label, plain_attributes
from boundkit.readers.quoting import listed
from boundkit.readers.torch_records import find_root, read_records, tensors_in
from boundkit.readers.torch_zip import extra_members
from boundkit.readers.zip_archive import member_names, open_archive
from boundkit.types import Notice, StoredTensor

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from boundkit.readers.zip_archive import Archive

__all__ = ["NAME", "read", "recognizes"]

NAME = "torchscript"
_DEEPEST = 200
_MOST_MODULES = 200_000
_LONGEST_LINE = 2000
_KNOWN = (
    "byteorder",
    "bytecode.pkl",
    "code/",
    "constants/",
    "constants.pkl",
    "extra/",
    "mobile_debug_handles.pkl",
    "traced_inputs/",
    "traced_inputs.pkl",
    "version",
    ".data/serialization_id",
)
_CLASS = re.compile(r"class (\w+)\(\w+\):")
_NAMES = re.compile(r"  __(parameters|buffers)__ = \[(.*)\]")
_HOOKS = re.compile(r"  __forward_(pre_)?hooks__ = \[.")
_FINAL = re.compile(r"  (\w+) : Final\[.*?\] = (.*)")
_MANGLED = re.compile(r"\.___torch_mangle_\d+")
_CALL = re.compile(r"torch\.(?:_convolution|conv\w+)\((\w|\.)+, [^\[]*(\[.*)\)")


@dataclass(slots=True, eq=False)
class _Class:
    """The header of one class: its state_dict names, and its constants."""

    kept: set[str] = field(default_factory=set)
    constants: dict[str, Any] = field(default_factory=dict)


def recognizes(path: Path, head: bytes) -> bool:
    """Return whether it is such an archive; ``torch.save`` writes no constants."""
    if not head.startswith(b"PK"):
        return False
    root = find_root(member_names(path) or (), "constants.pkl")
    return root is not None


def read(path: Path) -> Contents:
    """Return the weights under their state_dict names; no code in it is run.

    Raises:
        Unreadable: The archive or a pickle in it is damaged.
        Refused: It keeps its weights where releases before 1.4 did.
    """
    archive = open_archive(path)
    root = find_root(archive.members, "constants.pkl")
    if root is None or f"{root}data.pkl" not in archive.members:
        raise Refused(
            path,
            "TorchScript of a release before 1.4, or without weights",
            "load it with a current torch and save its state_dict()",
        )
    records = read_records(archive, root, "data.pkl", "data")
    unfolded = _unfold(path, records.value, _Headers(archive, root))
    notices = [*archive.notices, *records.notices, *unfolded.notices()]
    constants = read_records(archive, root, "constants.pkl", "constants")
    loose = list(tensors_in(constants.value))
    if not unfolded.tree:
        # A frozen module has its weights among the constants of its code.
        found = constants.value if isinstance(constants.value, tuple) else ()
        unfolded.tree = {
            f"c{index}": value
            for index, value in enumerate(found)
            if isinstance(value, StoredTensor)
        }
    elif loose:
        shapes = listed(tensor.shape for tensor in loose)
        message = f"tensors among the constants of the code are left out: {shapes}"
        notices.append(Notice("tensor-constant", message))
    notices.extend(extra_members(archive, root, records.used | constants.used, _KNOWN))
    wrapping = ("TorchScript module",)
    return Contents(
        NAME, unfolded.tree, (path,), unfolded.modules, wrapping, tuple(notices)
    )


class _Headers:
    """The class headers of an archive, each file read when a class of it is met."""

    def __init__(self, archive: Archive, root: str) -> None:
        self._archive = archive
        self._root = root
        self._files: dict[str, dict[str, _Class]] = {}

    def find(self, class_name: str) -> _Class | None:
        """Return the header of a class, or None where the code is not there."""
        module, _, name = class_name.rpartition(".")
        file = f"{self._root}code/{module.replace('.', '/')}.py"
        if file not in self._files:
            self._files[file] = self._read(file)
        return self._files[file].get(name)

    def _read(self, file: str) -> dict[str, _Class]:
        if file not in self._archive.members:
            return {}
        return _classes(self._archive.content(file).decode("utf-8", "replace"))


def _classes(text: str) -> dict[str, _Class]:
    found: dict[str, _Class] = {}
    current = _Class()
    for line in text.splitlines():
        short = line[:_LONGEST_LINE]
        if match := _CLASS.match(short):
            current = found[match[1]] = _Class()
        elif match := _NAMES.match(line):
            current.kept.update(re.findall(r'"([^"]*)"', match[2]))
        elif _HOOKS.match(short):
            current.constants["altered"] = True
        elif match := _FINAL.match(short):
            current.constants[match[1]] = _literal(match[2])
        elif "conv" in short and (match := _CALL.search(short)):
            current.constants = _convolution(match[2]) | current.constants
    return found


def _literal(text: str) -> Any:
    # Short and flat enough that parsing cannot recurse far.
    if len(text) > 200 or text.count("(") + text.count("[") > 8:
        return None
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def _convolution(text: str) -> dict[str, Any]:
    """Return the geometry in the arguments of a convolution of a traced module."""
    lists = [_literal(part) for part in re.findall(r"\[[^\]]*\]", text)[:3]]
    names = ("stride", "padding", "dilation")
    return {
        name: tuple(value)
        for name, value in zip(names, lists, strict=False)
        if isinstance(value, list) and all(type(part) is int for part in value)
    }


def _unfold(source: Path, root: Any, headers: _Headers) -> Unfolded:
    flat: dict[str, Any] = {}
    result = Unfolded(flat)
    pending: list[tuple[Any, str, int]] = [(root, "", 0)]
    while pending:
        module, prefix, depth = pending.pop()
        if not _is_object(module):
            continue
        if depth > _DEEPEST or len(result.modules) > _MOST_MODULES:
            raise Unreadable(
                source,
                "its modules are nested without end",
                "save the state_dict() alone",
            )
        header = headers.find(module.class_name)
        result.modules[prefix.removesuffix(".")] = {
            "class": _readable(module.class_name),
            **(header.constants if header else {}),
            **plain_attributes(module.state),
        }
        _take_tensors(module.state, header, prefix, result)
        children = [
            (child, f"{prefix}{label(name)}.", depth + 1)
            for name, child in module.state.items()
            if _is_object(child)
        ]
        pending.extend(reversed(children))
    return result


def _take_tensors(
    state: Mapping[Any, Any], header: _Class | None, prefix: str, result: Unfolded
) -> None:
    for name, value in _tensors(state):
        if header is None or name in header.kept:
            result.tree[f"{prefix}{name}"] = value
        else:
            result.attributes.append(f"{prefix}{name}")


def _tensors(state: Mapping[Any, Any]) -> Iterator[tuple[str, StoredTensor]]:
    for name, value in state.items():
        if isinstance(value, StoredTensor):
            yield label(name), value


def _is_object(value: Any) -> bool:
    return (
        isinstance(value, Opaque)
        and value.class_name.startswith("__torch__.")
        and isinstance(value.state, dict)
    )


def _readable(class_name: str) -> str:
    return _MANGLED.sub("", class_name).removeprefix("__torch__.")
