"""What a pickle's calls of everyday classes become: plain values, or an ``Opaque``."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from boundkit.readers.contents import Opaque

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from boundkit.readers.pickle_machine import Machine

__all__ = ["FINISH_PLAIN", "PLAIN"]

_SCALAR = (bool, int, float, str)


def _make(
    name: str, build: Callable[..., Any]
) -> Callable[[Machine, tuple[Any, ...]], Any]:
    def call(machine: Machine, arguments: tuple[Any, ...]) -> Any:
        sized = (a for a in arguments if isinstance(a, list | tuple | dict | bytes))
        machine.charge(sum(map(len, sized)))
        try:
            return build(*arguments)
        except (TypeError, ValueError, OverflowError, LookupError):
            return Opaque(name, arguments)

    return call


def _mapping(items: Any = ()) -> dict[Any, Any]:
    pairs = items.items() if isinstance(items, dict) else items
    made = {}
    for key, value in pairs:
        if not isinstance(key, _SCALAR):
            raise TypeError("such keys may take for ever to hash")
        made[key] = value
    return made


def _default_mapping(_factory: Any = None, items: Any = ()) -> dict[Any, Any]:
    return _mapping(items)


def _listed(items: Any = (), *_: Any) -> list[Any]:
    if not isinstance(items, list | tuple):
        raise TypeError("not a sequence")
    return list(items)


def _tupled(items: Any = ()) -> tuple[Any, ...]:
    return tuple(_listed(items))


def _scalars(build: Callable[..., Any]) -> Callable[..., Any]:
    def checked(*arguments: Any) -> Any:
        for argument in arguments:
            if argument is not None and not isinstance(argument, _SCALAR):
                raise TypeError("not a scalar")
            if isinstance(argument, str) and len(argument) > 400:
                raise ValueError("too long")
        return build(*arguments)

    return checked


def _octets(data: Any = b"", encoding: str = "latin-1", *_: Any) -> bytes:
    if isinstance(data, bytes):
        return data
    if not isinstance(data, str) or encoding not in {"latin1", "latin-1", "utf-8"}:
        raise TypeError("not bytes")
    return data.encode(encoding)


def _device(kind: str, index: int | None = None) -> str:
    return kind if index is None else f"{kind}:{index:d}"


def _layout(name: str) -> str:
    return name


def _path(*parts: str) -> str:
    if not all(isinstance(part, str) for part in parts):
        raise TypeError("not a path")
    head, *rest = parts or ("",)
    return "/".join([head.rstrip("/"), *rest]) if rest else head


def _reconstruct(_machine: Machine, arguments: tuple[Any, ...]) -> Any:
    kind = arguments[0] if arguments else None
    name = kind.class_name if isinstance(kind, Opaque) else "unknown"
    return Opaque(name, arguments[1:])


def _new(machine: Machine, arguments: tuple[Any, ...]) -> Any:
    return machine.call(arguments[0], arguments[1:])


def _new_with_keywords(machine: Machine, arguments: tuple[Any, ...]) -> Any:
    return machine.call(arguments[0], arguments[1])


def _tag_dropped(_machine: Machine, arguments: tuple[Any, ...]) -> Any:
    return arguments[0]


_BUILDS: dict[str, Callable[..., Any]] = {
    "_codecs.encode": _octets,
    "builtins.bool": _scalars(bool),
    "builtins.bytearray": _octets,
    "builtins.bytes": _octets,
    "builtins.complex": _scalars(complex),
    "builtins.dict": _mapping,
    "builtins.frozenset": _listed,
    "builtins.list": _listed,
    "builtins.range": _scalars(range),
    "builtins.set": _listed,
    "builtins.slice": _scalars(slice),
    "builtins.tuple": _tupled,
    "builtins.xrange": _scalars(range),
    "collections.Counter": _mapping,
    "collections.OrderedDict": _mapping,
    "collections.defaultdict": _default_mapping,
    "collections.deque": _listed,
    "pathlib.Path": _path,
    "pathlib.PosixPath": _path,
    "pathlib.PurePath": _path,
    "pathlib.PurePosixPath": _path,
    "pathlib.PureWindowsPath": _path,
    "pathlib.WindowsPath": _path,
    "torch.Size": _tupled,
    "torch.device": _scalars(_device),
    "torch.serialization._get_layout": _scalars(_layout),
}

PLAIN: Mapping[str, Callable[[Machine, tuple[Any, ...]], Any]] = MappingProxyType(
    {name: _make(name, build) for name, build in _BUILDS.items()}
    | {
        "copyreg.__newobj__": _new,
        "copyreg.__newobj_ex__": _new_with_keywords,
        "copyreg._reconstructor": _reconstruct,
        "torch.jit._pickle.build_boollist": _tag_dropped,
        "torch.jit._pickle.build_doublelist": _tag_dropped,
        "torch.jit._pickle.build_intlist": _tag_dropped,
        "torch.jit._pickle.build_tensorlist": _tag_dropped,
        "torch.jit._pickle.restore_type_tag": _tag_dropped,
    }
)
"""By dotted name; sets and deques become lists, paths and devices strings."""


def _namespace(blank: Opaque) -> Any:
    return blank.state if type(blank.state) is dict else blank


FINISH_PLAIN: Mapping[str, Callable[[Opaque], Any]] = MappingProxyType({
    "argparse.Namespace": _namespace,
    "types.SimpleNamespace": _namespace,
})
"""What an object becomes once its state is set."""
