"""What a pickle's calls of torch's and numpy's rebuild functions describe.

Nothing here calls torch; the signatures are those of ``torch/_utils.py`` and
``torch/_tensor.py`` of releases 0.4 to 2.13 and of ``numpy.core.multiarray``.
"""

from __future__ import annotations

from math import prod
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from boundkit.readers.contents import Opaque
from boundkit.readers.dtypes import ITEMSIZE, NUMPY_TYPES
from boundkit.readers.quoting import shown
from boundkit.readers.storage import ArrayStorage
from boundkit.types import StoredTensor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from boundkit.readers.pickle_machine import Machine

__all__ = ["TENSORS", "dtype_name", "finish_array", "unread", "view"]

_MOST_DIMENSIONS = 64
_LARGEST = (1 << 63) - 1
_EXPANDED = 1 << 24


def _integers(values: Any, what: str) -> tuple[int, ...]:
    if not isinstance(values, tuple | list) or len(values) > _MOST_DIMENSIONS:
        raise ValueError(f"its {what} is no tuple of at most {_MOST_DIMENSIONS}")
    for value in values:
        if type(value) is not int or not 0 <= value <= _LARGEST:
            raise ValueError(f"its {what} holds what is no size")
    return tuple(values)


def _contiguous(size: tuple[int, ...]) -> tuple[int, ...]:
    strides = []
    step = 1
    for length in reversed(size):
        strides.append(step)
        step *= length
    return tuple(reversed(strides))


def view(
    base: StoredTensor, offset: Any, size: Any, stride: Any, dtype: str | None = None
) -> StoredTensor:
    """Return the tensor that ``offset``, ``size`` and ``stride`` cut out of a storage.

    Args:
        base: The storage, as a tensor of one dimension.
        offset: Of the first element, in elements of ``dtype``.
        size: The shape.
        stride: In elements.
        dtype: If it is not the storage's.

    Returns:
        The description; ``unread`` if it declares far more than is stored.

    Raises:
        ValueError: The numbers reach outside the storage or are no sizes at all.
    """
    size = _integers(size, "shape")
    stride = _integers(stride, "stride")
    if type(offset) is not int or not 0 <= offset <= _LARGEST:
        raise ValueError("its offset holds what is no size")
    dtype = base.dtype if dtype is None else dtype
    scale, item = ITEMSIZE[base.dtype], ITEMSIZE[dtype]
    available = base.numel * scale // item
    # Of 10^5 tensors each step counts: one pass says all about the strides.
    numel, last, plain = 1, offset, len(size) == len(stride)
    for n, step in zip(reversed(size), reversed(stride), strict=False):
        last += (n - 1) * step
        plain = plain and (n == 1 or step == numel)
        numel *= n
    if len(size) != len(stride) or numel > _LARGEST:
        raise ValueError(f"shape {size} and stride {stride} make no tensor")
    if numel and last >= available:
        raise ValueError(
            f"shape larger than storage: {size} reaches element {last} of a "
            f"storage of {available}"
        )
    start = base.offset * scale // item + offset if numel else 0
    reason = None
    if numel > 16 * available + _EXPANDED:
        reason = f"expanded: {numel} elements are declared over {available} stored"
    return StoredTensor(
        size,
        dtype,
        None if reason else base.storage,
        start,
        None if plain or not numel else stride,
        base.big_endian,
        reason,
    )


def _named(
    describe: Callable[..., Any],
) -> Callable[[Machine, tuple[Any, ...]], Any]:
    def call(machine: Machine, arguments: tuple[Any, ...]) -> Any:
        try:
            return describe(*arguments)
        except (TypeError, ValueError, KeyError, IndexError) as error:
            raise ValueError(f"tensor {shown(machine.where())}: {error}") from error

    return call


def _rebuild(base: Any, offset: Any, size: Any, stride: Any, *rest: Any) -> Any:
    if not isinstance(base, StoredTensor):
        return Opaque("torch.Tensor", (base, offset, size, stride, *rest[:8]))
    return view(base, offset, size, stride)


def _rebuild_typed(
    base: Any,
    offset: Any,
    size: Any,
    stride: Any,
    _g: Any,
    _h: Any,
    dtype: Any,
    *_: Any,
) -> Any:
    if not isinstance(base, StoredTensor):
        return Opaque("torch.Tensor", (base, offset, size, stride))
    return view(base, offset, size, stride, dtype_name(dtype))


def dtype_name(value: Any) -> str:
    """Return the element type that ``"torch.float32"`` names.

    Raises:
        ValueError: It names none.
    """
    name = value.removeprefix("torch.") if isinstance(value, str) else ""
    if name not in ITEMSIZE:
        raise ValueError("its element type is not known")
    return name


def unread(shape: Any, dtype: str, reason: str) -> StoredTensor:
    """Return a tensor whose numbers are not to be had, and why.

    Raises:
        ValueError: The shape is none.
    """
    size = _integers(shape, "shape")
    return StoredTensor(size, dtype, None, unread=reason)


def _rebuild_meta(dtype: Any, size: Any, *_: Any) -> StoredTensor:
    return unread(size, dtype_name(dtype), "meta tensor: it has no numbers")


def _rebuild_quantized(base: Any, _offset: Any, size: Any, *_: Any) -> StoredTensor:
    dtype = base.dtype if isinstance(base, StoredTensor) else "quint8"
    return unread(size, dtype, "quantized")


def _rebuild_sparse(_layout: Any, data: Any, *_: Any) -> StoredTensor:
    tensors = [part for part in data if isinstance(part, StoredTensor)]
    shape = next((p for p in reversed(data) if isinstance(p, tuple | list)), ())
    dtype = tensors[-1].dtype if tensors else "float32"
    return unread(shape, dtype, "sparse layout")


def _rebuild_nested(buffer: Any, *_: Any) -> StoredTensor:
    dtype = buffer.dtype if isinstance(buffer, StoredTensor) else "float32"
    shape = buffer.shape if isinstance(buffer, StoredTensor) else ()
    return unread(shape, dtype, "nested tensor")


def _rebuild_subclass(kind: Any, dtype: Any, size: Any, *_: Any) -> StoredTensor:
    name = kind.class_name if isinstance(kind, Opaque) else "unknown"
    return unread(size, dtype_name(dtype), f"tensor subclass {name[:100]}")


def _first(data: Any, *_: Any) -> Any:
    return data


def _rebuild_from_type(machine: Machine, arguments: tuple[Any, ...]) -> Any:
    function, _, inner, *state = arguments
    made = machine.call(function, inner)
    local = state[0].get("_local_tensor") if state and type(state[0]) is dict else None
    if not isinstance(made, StoredTensor) or not isinstance(local, StoredTensor):
        return made
    return local if local.shape == made.shape else made


def _array_type(dtype: Any) -> tuple[str, bool, int]:
    # The torch name, whether big-endian, and the size of an element.
    if not isinstance(dtype, Opaque) or dtype.class_name != "numpy.dtype":
        raise ValueError("its element type is no dtype")
    code = dtype.arguments[0] if dtype.arguments else None
    name = NUMPY_TYPES.get(code.lstrip("<>=|")) if isinstance(code, str) else None
    if name is None:
        raise ValueError(f"elements of type {str(code)[:40]!r} are no numbers")
    state = dtype.state
    order = state[1] if isinstance(state, tuple) and len(state) > 1 else "<"
    return name, order == ">", ITEMSIZE[name]


def _array(shape: Any, dtype: Any, fortran: Any, raw: Any) -> StoredTensor:
    size = _integers(shape, "shape")
    name, big, item = _array_type(dtype)
    data = raw.encode() if isinstance(raw, str) else raw
    if not isinstance(data, bytes):
        raise ValueError("its data are no bytes")  # noqa: TRY004 - becomes Unreadable
    if len(data) != prod(size) * item:
        raise ValueError(f"shape {size} does not fit {len(data)} bytes")
    stride = tuple(reversed(_contiguous(size[::-1]))) if fortran else None
    stride = None if len(size) < 2 or not data else stride
    return StoredTensor(size, name, ArrayStorage(data), 0, stride, big)


def finish_array(blank: Opaque) -> Any:
    """Return the tensor of a pickled numpy array, or the object if it holds no numbers.

    Raises:
        ValueError: Its shape does not fit its bytes.
    """
    try:
        _, shape, dtype, fortran, raw = blank.state
        _array_type(dtype)
    except (TypeError, ValueError):
        return blank
    return _array(shape, dtype, fortran, raw)


def _from_buffer(machine: Machine, arguments: tuple[Any, ...]) -> Any:
    buffer, dtype, shape, order = arguments
    try:
        _array_type(dtype)
    except ValueError:
        return Opaque("numpy.ndarray", arguments)
    return _named(_array)(machine, (shape, dtype, order == "F", buffer))


def _blank_array(_machine: Machine, arguments: tuple[Any, ...]) -> Opaque:
    return Opaque("numpy.ndarray", arguments[:1])


def _number(dtype: Any, raw: Any) -> Any:
    import numpy as np

    _, big, item = _array_type(dtype)
    data = raw.encode() if isinstance(raw, str) else raw
    if len(data) != item:
        raise ValueError("its bytes do not fit its type")
    order = ">" if big else "<"
    return np.frombuffer(data, order + dtype.arguments[0].lstrip("<>=|"))[0].item()


def _scalar(_machine: Machine, arguments: tuple[Any, ...]) -> Any:
    try:
        return _number(*arguments)
    except (TypeError, ValueError):
        return Opaque("numpy.scalar", arguments)


def _parameter(machine: Machine, arguments: tuple[Any, ...]) -> Any:
    if not arguments:
        return Opaque("torch.nn.parameter.Parameter")
    return _named(_first)(machine, arguments)


TENSORS: Mapping[str, Callable[[Machine, tuple[Any, ...]], Any]] = MappingProxyType({
    "numpy.core.multiarray._reconstruct": _blank_array,
    "numpy.core.multiarray.scalar": _scalar,
    "numpy.core.numeric._frombuffer": _from_buffer,
    "torch._tensor._rebuild_from_type": _rebuild_from_type,
    "torch._tensor._rebuild_from_type_v2": _rebuild_from_type,
    "torch._utils._rebuild_device_tensor_from_cpu_tensor": _named(_first),
    "torch._utils._rebuild_device_tensor_from_numpy": _named(_first),
    "torch._utils._rebuild_meta_tensor_no_storage": _named(_rebuild_meta),
    "torch._utils._rebuild_nested_tensor": _named(_rebuild_nested),
    "torch._utils._rebuild_parameter": _named(_first),
    "torch._utils._rebuild_parameter_with_state": _named(_first),
    "torch._utils._rebuild_qtensor": _named(_rebuild_quantized),
    "torch._utils._rebuild_sparse_csr_tensor": _named(_rebuild_sparse),
    "torch._utils._rebuild_sparse_tensor": _named(_rebuild_sparse),
    "torch._utils._rebuild_tensor": _named(_rebuild),
    "torch._utils._rebuild_tensor_v2": _named(_rebuild),
    "torch._utils._rebuild_tensor_v3": _named(_rebuild_typed),
    "torch._utils._rebuild_wrapper_subclass": _named(_rebuild_subclass),
    "torch._utils._rebuild_xla_tensor": _named(_first),
    "torch.nn.parameter.Parameter": _parameter,
    "torch.tensor._rebuild_from_type": _rebuild_from_type,
    "torch.tensor._rebuild_from_type_v2": _rebuild_from_type,
})
"""By dotted name; each takes the machine and the arguments."""
