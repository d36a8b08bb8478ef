"""Attributes of the objects in a TorchScript archive, as its code sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from boundkit.layers.script_values import UNKNOWN, NotFollowed, ScriptObject
from boundkit.readers.contents import Opaque
from boundkit.readers.torch_records import tensors_in
from boundkit.types import StoredTensor

if TYPE_CHECKING:
    from boundkit.layers.script_calls import Recorder
    from boundkit.layers.script_values import ScriptTensor
    from boundkit.readers.script_program import ScriptProgram

__all__ = ["Attributes"]


class Attributes:
    """Reads attributes and constants; tensors become nodes of the graph."""

    def __init__(self, program: ScriptProgram, recorder: Recorder) -> None:
        self._root = program.root
        self._constants = program.constants
        self._recorder = recorder
        state = getattr(program.root, "state", None)
        # The reader calls the constants of a frozen module c0, c1, ...
        frozen = next(tensors_in(state), None) is None
        self._stem = "" if frozen else "CONSTANTS."

    def root(self) -> ScriptObject:
        """Return the module itself.

        Raises:
            NotFollowed: The archive holds something else.
        """
        found = self._described("", self._root)
        if not isinstance(found, ScriptObject):
            raise NotFollowed("the file holds no module")
        return found

    def get(self, owner: ScriptObject, name: str) -> Any:
        """Return an attribute; ``training`` is False, as in eval mode.

        Args:
            owner: The object.
            name: Of the attribute.
        """
        if name == "training":
            return False
        return self._described(owner.inner(name), owner.state[name])

    def constant(self, qualified: str) -> Any:
        """Return a constant by its name in the code, such as ``CONSTANTS.c0``."""
        name = qualified.removeprefix("CONSTANTS.")
        number = name.removeprefix("c")
        index = int(number) if number.isdecimal() and len(number) < 10 else -1
        if not 0 <= index < len(self._constants):
            return UNKNOWN
        return self._described(f"{self._stem}{name}", self._constants[index])

    def _described(self, path: str, value: Any) -> Any:
        if isinstance(value, StoredTensor):
            return self._tensor(path, value)
        if isinstance(value, Opaque):
            return _object(path, value)
        if isinstance(value, list | tuple):
            parts = [
                self._described(f"{path}.{index}", part)
                for index, part in enumerate(value)
            ]
            return parts if isinstance(value, list) else tuple(parts)
        if isinstance(value, dict):
            return {k: self._described(f"{path}.{k}", v) for k, v in value.items()}
        plain = value is None or isinstance(value, bool | int | float | str)
        return value if plain else UNKNOWN

    def _tensor(self, path: str, value: StoredTensor) -> ScriptTensor:
        integer = value.dtype.startswith(("int", "uint", "bool"))
        return self._recorder.constant(path, value.shape, integer=integer)


def _object(path: str, value: Opaque) -> Any:
    ours = value.class_name.startswith("__torch__.") and isinstance(value.state, dict)
    return ScriptObject(path, value.class_name, value.state) if ours else UNKNOWN
