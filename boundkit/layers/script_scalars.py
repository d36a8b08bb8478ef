"""Calls of TorchScript on plain values: sizes, comparisons, lists.

Only what settles control flow and the arguments of layers; anything else is unknown.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from boundkit.layers.script_values import UNKNOWN, ScriptTensor, TooMuch, tensors_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["builtin_call", "scalar_call", "size_call"]

#: Beyond this, numbers are no sizes.
_LARGEST = 1 << 62
_LONGEST = 10_000

_BINARY: Mapping[str, Callable[[Any, Any], Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "floor_divide": operator.floordiv,
    "floordiv": operator.floordiv,
    "remainder": operator.mod,
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
    "__and__": operator.and_,
    "__or__": operator.or_,
}
_UNARY: Mapping[str, Callable[[Any], Any]] = {
    "__not__": operator.not_,
    "neg": operator.neg,
    "abs": abs,
    "len": len,
    "Int": int,
    "Float": float,
    "Bool": bool,
    "IntImplicit": int,
    "FloatImplicit": float,
    "ScalarImplicit": lambda value: value,
    "NumToTensor": lambda value: value,
    "ImplicitTensorToNum": lambda value: value,
    "unchecked_unwrap_optional": lambda value: value,
    "_unwrap_optional": lambda value: value,
    "list": list,
    "min": min,
    "max": max,
}


#: Calls that do not look at the items of a list.
_OF_LISTS = frozenset({"len", "list", "_unwrap_optional", "unchecked_unwrap_optional"})


def _identical(given: tuple[Any, ...]) -> Any:
    one, other = given
    # Nothing that is unknown, and no tensor, is None.
    if one is UNKNOWN or other is UNKNOWN:
        return UNKNOWN
    return one is other


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(
        value, bool | int | float | str | list | tuple | dict | range
    )


def _number(value: Any) -> bool:
    return isinstance(value, bool | int | float)


def _small(value: Any) -> Any:
    # NaN is not beyond anything.
    if _number(value) and abs(value) > _LARGEST:
        raise TooMuch("a number in its code is out of the ordinary")
    if isinstance(value, list) and len(value) > _LONGEST:
        raise TooMuch("a list in its code is out of the ordinary")
    return value


def scalar_call(name: str, given: tuple[Any, ...]) -> Any:
    """Return what a call gives that reads no tensor, ``UNKNOWN`` if that is not known.

    Args:
        name: Without its namespace, such as ``"len"`` or ``"__is__"``.
        given: Arguments by position.

    Raises:
        TooMuch: The values are out of the ordinary.
    """
    if name == "__is__" and len(given) == 2:
        return _identical(given)
    if name == "__isnot__" and len(given) == 2:
        same = _identical(given)
        return same if same is UNKNOWN else not same
    if name == "append" and len(given) == 2 and isinstance(given[0], list):
        given[0].append(given[1])
        return _small(given[0])
    if name == "format":
        return ""
    if not all(map(_is_plain, given)) or (name not in _OF_LISTS and tensors_of(given)):
        return UNKNOWN
    try:
        return _small(_computed(name, given))
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return UNKNOWN


def _computed(name: str, given: tuple[Any, ...]) -> Any:
    if name in _BINARY and len(given) == 2:
        # A list times a number could be of any length.
        mixed = isinstance(given[0], list) != isinstance(given[1], list)
        if mixed or not all(_number(v) or isinstance(v, list | str) for v in given):
            compares = name in {"eq", "ne"}
            return _BINARY[name](*given) if compares else UNKNOWN
        return _BINARY[name](*given)
    if name in {"min", "max"} and len(given) == 2:
        return (min if name == "min" else max)(given)
    if name in _UNARY and len(given) == 1:
        return _UNARY[name](given[0])
    if name == "__contains__" and len(given) == 2:
        return given[1] in given[0]
    return UNKNOWN


def builtin_call(name: str, given: tuple[Any, ...]) -> Any:
    """Return what one of Python's own functions gives, ``UNKNOWN`` for any other.

    Args:
        name: Such as ``"int"`` or ``"range"``.
        given: Arguments by position.
    """
    if name == "range" and all(type(part) is int for part in given):
        right = 0 < len(given) < 4 and 0 not in given[2:]
        return range(*given) if right else UNKNOWN
    if name == "unchecked_unwrap_optional" and len(given) == 1:
        return given[0]
    if name in {"int", "float", "bool"} and len(given) == 1:
        return scalar_call(name.title(), given)
    return UNKNOWN


def size_call(name: str, tensor: ScriptTensor, rest: tuple[Any, ...]) -> Any:
    """Return what a call tells of a tensor's shape, None if it asks for something else.

    Args:
        name: Such as ``"size"`` or ``"dim"``.
        tensor: Its first argument.
        rest: The others.
    """
    if name not in {"size", "dim", "len", "numel", "is_floating_point", "dtype"}:
        return None
    if tensor.like is None or name in {"is_floating_point", "dtype"}:
        return UNKNOWN
    shape = list(tensor.like.shape)
    if name == "dim":
        return len(shape)
    if name == "numel":
        return tensor.like.numel()
    if name == "len":
        return shape[0] if shape else UNKNOWN
    if not rest:
        return shape
    axis = rest[0]
    fits = type(axis) is int and -len(shape) <= axis < len(shape)
    return shape[axis] if fits else UNKNOWN
