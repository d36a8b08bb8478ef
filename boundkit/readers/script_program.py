"""The objects and the code of a TorchScript archive, described and parsed, never run.

The code is a subset of Python (``torch/csrc/jit/serialization/python_print.cpp``), so
Python's own parser reads it; nothing is compiled or called.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from boundkit.errors import Unreadable
from boundkit.readers.quoting import shown
from boundkit.readers.torch_records import find_root, read_records
from boundkit.readers.zip_archive import open_archive

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from boundkit.readers.zip_archive import Archive

__all__ = ["Definitions", "ScriptCode", "ScriptProgram", "script_program"]

#: A parser needs some 500 times the text of a file that was made to hurt.
_LONGEST_FILE = 1 << 19
_LONGEST_ALL = 1 << 22
_HOOKS = frozenset({"__forward_hooks__", "__forward_pre_hooks__"})


@dataclass(frozen=True, slots=True, eq=False)
class Definitions:
    """What one file of code defines.

    Attributes:
        functions: By name.
        methods: Class name -> method name -> definition.
        hooked: Classes whose objects run hooks besides their methods.
    """

    functions: Mapping[str, ast.FunctionDef] = field(default_factory=dict)
    methods: Mapping[str, Mapping[str, ast.FunctionDef]] = field(default_factory=dict)
    hooked: frozenset[str] = frozenset()


class ScriptCode:
    """The code of an archive, each file parsed when it is first asked for."""

    def __init__(self, archive: Archive, root: str) -> None:
        self._archive = archive
        self._root = root
        self._files: dict[str, Definitions] = {}
        self._left = _LONGEST_ALL

    def function(self, qualified: str) -> ast.FunctionDef | None:
        """Return a function such as ``__torch__.torch.nn.functional.relu``, or None.

        Raises:
            Unreadable: Its file cannot be parsed, or is longer than code ever is.
        """
        module, _, name = qualified.rpartition(".")
        return self._file(module).functions.get(name)

    def method(self, class_name: str, name: str) -> ast.FunctionDef | None:
        """Return a method of a class such as ``__torch__.net.Net``, or None.

        Raises:
            Unreadable: Its file cannot be parsed, or is longer than code ever is.
        """
        module, _, short = class_name.rpartition(".")
        return self._file(module).methods.get(short, {}).get(name)

    def hooked(self, class_name: str) -> bool:
        """Say whether objects of a class run hooks besides their methods.

        Raises:
            Unreadable: Its file cannot be parsed, or is longer than code ever is.
        """
        module, _, short = class_name.rpartition(".")
        return short in self._file(module).hooked

    def _file(self, module: str) -> Definitions:
        if module not in self._files:
            self._files[module] = self._parsed(module)
        return self._files[module]

    def _parsed(self, module: str) -> Definitions:
        name = f"{self._root}code/{module.replace('.', '/')}.py"
        member = self._archive.members.get(name)
        if member is None:
            return Definitions()
        self._left -= member.size
        if member.size > _LONGEST_FILE or self._left < 0:
            raise self._unreadable(name, f"{member.size} bytes")
        text = self._archive.content(name).decode("utf-8", "replace")
        try:
            return _definitions(ast.parse(text))
        except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
            raise self._unreadable(name, type(error).__name__) from error

    def _unreadable(self, name: str, why: str) -> Unreadable:
        cause = f"code {shown(name)} cannot be parsed ({why})"
        return Unreadable(self._archive.path, cause, "give the model with --model")


@dataclass(frozen=True, slots=True, eq=False)
class ScriptProgram:
    """A scripted or traced module, as its archive describes it.

    Attributes:
        root: The module: an ``Opaque`` whose state holds attributes and submodules.
        constants: Those that the code calls ``CONSTANTS.c0``, ``CONSTANTS.c1``, ...
        code: Of all its classes and functions.
    """

    root: Any
    constants: tuple[Any, ...]
    code: ScriptCode


def _functions(body: Iterable[ast.stmt]) -> dict[str, ast.FunctionDef]:
    return {part.name: part for part in body if isinstance(part, ast.FunctionDef)}


def _is_hooked(definition: ast.ClassDef) -> bool:
    return any(
        isinstance(part, ast.Assign)
        and isinstance(part.targets[0], ast.Name)
        and part.targets[0].id in _HOOKS
        and bool(getattr(part.value, "elts", True))
        for part in definition.body
    )


def _definitions(tree: ast.Module) -> Definitions:
    classes = [part for part in tree.body if isinstance(part, ast.ClassDef)]
    return Definitions(
        _functions(tree.body),
        {found.name: _functions(found.body) for found in classes},
        frozenset(found.name for found in classes if _is_hooked(found)),
    )


def script_program(path: Path) -> ScriptProgram | None:
    """Return the module in an archive that ``torch.jit.save`` wrote.

    Args:
        path: The archive.

    Returns:
        Its objects and its code, or None where there is no code.

    Raises:
        Unreadable: The archive or a pickle in it is damaged.
    """
    archive = open_archive(path)
    root = find_root(archive.members, "constants.pkl")
    if root is None or f"{root}data.pkl" not in archive.members:
        return None
    if not any(name.startswith(f"{root}code/") for name in archive.members):
        return None
    constants = read_records(archive, root, "constants.pkl", "constants").value
    return ScriptProgram(
        read_records(archive, root, "data.pkl", "data").value,
        constants if isinstance(constants, tuple) else (),
        ScriptCode(archive, root),
    )
