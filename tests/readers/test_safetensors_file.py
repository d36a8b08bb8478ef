"""safetensors headers are held to the format, and values lie where the library says."""

import json
import subprocess
import sys

import numpy as np
import pytest
from safetensors.numpy import save_file

from boundkit.errors import Unreadable
from boundkit.numerics.blocks import array
from boundkit.readers import safetensors_file


def write(path, header, data=b"", declared=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    length = len(text) if declared is None else declared
    path.write_bytes(length.to_bytes(8, "little") + text + data)
    return path


def entry(dtype, shape, *offsets):
    return {"dtype": dtype, "shape": shape, "data_offsets": list(offsets)}


def test_values_agree_with_the_library(tmp_path):
    random = np.random.default_rng(0)
    tensors = {
        "a": random.normal(size=(3, 4)).astype(np.float32),
        "b": random.integers(0, 9, (2, 1, 5)),
        "c": np.array(1.5),
        "none": np.zeros((0, 3), np.float16),
    }
    path = tmp_path / "x.safetensors"
    save_file(tensors, path, metadata={"format": "np"})

    contents = safetensors_file.read(path)

    assert contents.tree.pop("__metadata__") == {"format": "np"}
    assert contents.tree.keys() == tensors.keys()
    for name, expected in tensors.items():
        np.testing.assert_array_equal(array(contents.tree[name]), expected)


@pytest.mark.parametrize(("name", "torch_name"), [
    ("BF16", "bfloat16"),
    ("F8_E4M3", "float8_e4m3fn"),
    ("F8_E5M2", "float8_e5m2"),
    ("F8_E8M0", "float8_e8m0fnu"),
    ("C64", "complex64"),
])  # fmt: skip
def test_every_dtype_has_torchs_name_and_size(tmp_path, name, torch_name):
    size = safetensors_file.DTYPES[name][1] // 8
    header = {"x": entry(name, [2], 0, 2 * size)}
    path = write(tmp_path / "x.safetensors", header, bytes(2 * size))

    tensor = safetensors_file.read(path).tree["x"]

    assert (tensor.dtype, tensor.storage.nbytes) == (torch_name, 2 * size)
    assert array(tensor).shape == (2,)


def test_numbers_of_less_than_a_byte_are_listed_but_not_read(tmp_path):
    path = write(tmp_path / "x.safetensors", {"x": entry("F4", [4], 0, 2)}, b"ab")

    tensor = safetensors_file.read(path).tree["x"]

    assert tensor.storage is None
    assert "packs several numbers" in tensor.unread


ONE = entry("F32", [2], 0, 8)
BROKEN = {
    "short": (b"", b"", 0, "too short|bytes follow"),
    "long": ({"x": ONE}, bytes(8), 2**63, "declares a header of"),
    "brace": (b"[1]     ", b"", None, "does not begin with {"),
    "duplicate": (b'{"x":{},"x":{}}', b"", None, "duplicate key 'x'"),
    "list": ({"x": [1]}, b"", None, "must hold dtype, shape and data_offsets"),
    "extra": ({"x": ONE | {"y": 1}}, bytes(8), None, "and nothing else"),
    "dtype": ({"x": entry("F99", [2], 0, 8)}, bytes(8), None, "unknown dtype 'F99'"),
    "shape": ({"x": entry("F32", [-2], 0, 8)}, bytes(8), None, "shape that is not one"),
    "boolean": ({"x": entry("F32", [True], 0, 4)}, bytes(4), None, "shape that is not"),
    "offsets": ({"x": entry("F32", [2], 8, 0)}, bytes(8), None, r"not \[begin, end\]"),
    "misfit": ({"x": entry("F32", [3], 0, 8)}, bytes(8), None, "needs 12 bytes"),
    "huge": ({"x": entry("F32", [2**62] * 9, 0, 8)}, bytes(8), None, "far more bytes"),
    "metadata": ({"__metadata__": {"a": 1}}, b"", None, "not a map of strings"),
    "overlap": (
        {"x": ONE, "y": entry("F32", [2], 4, 12)}, bytes(12), None, "'x', 'y' overlap"
    ),
    "hole": ({"x": entry("F32", [2], 4, 12)}, bytes(12), None, "belong to no tensor"),
    "truncated": ({"x": ONE}, bytes(7), None, "ends at byte 8 of the data"),
    "trailing": ({"x": ONE}, bytes(9), None, "after the last tensor belong to none"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_what_does_not_fit_is_unreadable(tmp_path, case):
    header, data, declared, cause = BROKEN[case]
    path = write(tmp_path / "x.safetensors", header, data, declared)
    if case == "short":
        path.write_bytes(b"abc")

    with pytest.raises(Unreadable, match=cause) as caught:
        safetensors_file.read(path)

    assert str(path) in str(caught.value)
    assert "; " in str(caught.value)


def test_a_header_beyond_the_formats_limit_is_unreadable(tmp_path, monkeypatch):
    monkeypatch.setattr(safetensors_file, "LONGEST_HEADER", 10)
    path = write(tmp_path / "x.safetensors", {"x": ONE}, bytes(8))

    with pytest.raises(Unreadable, match="the format allows"):
        safetensors_file.read(path)


def test_names_in_messages_are_escaped(tmp_path):
    path = write(tmp_path / "x.safetensors", {"\x1b[2J\n": [1]})

    with pytest.raises(Unreadable) as caught:
        safetensors_file.read(path)

    assert str(caught.value).isprintable()


def test_reading_imports_no_torch(tmp_path):
    path = write(tmp_path / "x.safetensors", {"x": ONE}, bytes(8))
    code = (
        "import sys; from boundkit.readers import read; "
        f"assert list(read({str(path)!r}).tensors) == ['x']; "
        "bad = {'torch', 'pandas', 'scipy', 'statsmodels', 'matplotlib'} & set(sys.modules)"
        "; sys.exit(', '.join(bad) or 0)"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True
    )

    assert (done.returncode, done.stderr) == (0, b"")
