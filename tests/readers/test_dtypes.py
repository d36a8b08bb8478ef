"""The tables of element types agree with torch."""

import pytest
import torch

from boundkit.readers.dtypes import DTYPES, EXPORT_TYPES, ITEMSIZE, STORAGE_TYPES


@pytest.mark.parametrize(
    "name", [n for n in dir(torch) if isinstance(getattr(torch, n), torch.dtype)]
)
def test_every_dtype_of_torch_is_known_by_name_and_size(name):
    dtype = getattr(torch, name)
    known = DTYPES.get(name)
    if known is None:  # torch's own 1-bit placeholder has no whole number of bytes
        assert name == "bit"
        return

    assert f"torch.{known}" == str(dtype)
    assert ITEMSIZE[known] == dtype.itemsize


def test_storage_classes_match():
    expected = {
        f"torch.{name}": str(dtype).removeprefix("torch.")
        for name, dtype in torch.storage._storage_type_to_dtype_map().items()
    }

    assert expected.items() <= STORAGE_TYPES.items()


def test_export_codes_match():
    from torch._export.serde.schema import ScalarType
    from torch._export.serde.serialize import _SERIALIZE_TO_TORCH_DTYPE

    expected = {
        int(code): str(dtype).removeprefix("torch.")
        for code, dtype in _SERIALIZE_TO_TORCH_DTYPE.items()
    }

    assert dict(EXPORT_TYPES) == expected
    assert int(ScalarType.FLOAT) == 7
