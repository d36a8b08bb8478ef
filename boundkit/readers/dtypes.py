"""Names and sizes of element types, in every spelling that files use."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DTYPES", "EXPORT_TYPES", "ITEMSIZE", "NUMPY_TYPES", "STORAGE_TYPES"]

ITEMSIZE: Mapping[str, int] = MappingProxyType(
    dict.fromkeys(
        (
            "bits1x8",
            "bits2x4",
            "bits4x2",
            "bits8",
            "bool",
            "float4_e2m1fn_x2",
            "float8_e4m3fn",
            "float8_e4m3fnuz",
            "float8_e5m2",
            "float8_e5m2fnuz",
            "float8_e8m0fnu",
            "int8",
            "qint8",
            "quint2x4",
            "quint4x2",
            "quint8",
            "uint8",
        ),
        1,
    )
    | dict.fromkeys(("bfloat16", "bits16", "float16", "int16", "uint16"), 2)
    | dict.fromkeys(("complex32", "float32", "int32", "qint32", "uint32"), 4)
    | dict.fromkeys(("complex64", "float64", "int64", "uint64"), 8)
    | {"complex128": 16}
    | {f"{kind}int{bits}": 1 for kind in ("", "u") for bits in range(1, 8)}
)
"""Bytes per element, by torch's name without ``torch.``."""

DTYPES: Mapping[str, str] = MappingProxyType(
    {name: name for name in ITEMSIZE}
    | {
        "cdouble": "complex128",
        "cfloat": "complex64",
        "chalf": "complex32",
        "double": "float64",
        "float": "float32",
        "half": "float16",
        "int": "int32",
        "long": "int64",
        "short": "int16",
    }
)
"""The name behind every attribute of ``torch`` that is an element type."""

STORAGE_TYPES: Mapping[str, str] = MappingProxyType(
    {
        f"torch.{prefix}{name}Storage": dtype
        for prefix in ("", "cuda.")
        for name, dtype in {
            "BFloat16": "bfloat16",
            "Bool": "bool",
            "Byte": "uint8",
            "Char": "int8",
            "ComplexDouble": "complex128",
            "ComplexFloat": "complex64",
            "Double": "float64",
            "Float": "float32",
            "Half": "float16",
            "Int": "int32",
            "Long": "int64",
            "QInt32": "qint32",
            "QInt8": "qint8",
            "QUInt2x4": "quint2x4",
            "QUInt4x2": "quint4x2",
            "QUInt8": "quint8",
            "Short": "int16",
            "Untyped": "uint8",
        }.items()
    }
    | {
        "torch.storage.UntypedStorage": "uint8",
        "torch.storage._UntypedStorage": "uint8",
    }
)
"""The element type of every storage class that a pickle may name."""

NUMPY_TYPES: Mapping[str, str] = MappingProxyType({
    "b1": "bool",
    "c16": "complex128",
    "c8": "complex64",
    "f2": "float16",
    "f4": "float32",
    "f8": "float64",
    "i1": "int8",
    "i2": "int16",
    "i4": "int32",
    "i8": "int64",
    "u1": "uint8",
    "u2": "uint16",
    "u4": "uint32",
    "u8": "uint64",
})
"""By numpy's code for kind and size."""

EXPORT_TYPES: Mapping[int, str] = MappingProxyType({
    1: "uint8",
    2: "int8",
    3: "int16",
    4: "int32",
    5: "int64",
    6: "float16",
    7: "float32",
    8: "float64",
    9: "complex32",
    10: "complex64",
    11: "complex128",
    12: "bool",
    13: "bfloat16",
    28: "uint16",
    29: "float8_e4m3fn",
    30: "float8_e5m2",
    31: "float8_e4m3fnuz",
    32: "float8_e5m2fnuz",
    33: "float8_e8m0fnu",
    34: "uint32",
    35: "uint64",
})
"""``ScalarType`` of the schema that ``torch.export`` writes."""
