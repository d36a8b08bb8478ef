"""Tensors in memory are described where they lie, in any dtype and layout."""

import subprocess
import sys

import ml_dtypes
import numpy as np
import pytest
import torch
from torch import nn

from boundkit.errors import UsageError
from boundkit.numerics.blocks import array
from boundkit.readers import read


@pytest.mark.parametrize(
    "dtype",
    ["float64", "float32", "float16", "bfloat16", "float8_e4m3fn", "float8_e5m2", "int64",
     "uint8", "bool", "complex64"],
)  # fmt: skip
def test_torch_tensors_of_every_dtype(dtype):
    values = torch.tensor([[0.0, 1.0, 2.0], [0.5, 4.0, 1.0]]).to(getattr(torch, dtype))

    tensor = read({"w": values}).tensors["w"]

    assert tensor.dtype == dtype
    kind = complex if dtype == "complex64" else float
    wide = values.to(torch.complex128 if kind is complex else torch.float64)
    np.testing.assert_array_equal(array(tensor).astype(kind), wide.numpy())


def test_views_share_their_storage_and_are_aliases_only_if_equal():
    base = torch.arange(12.0).reshape(3, 4)
    state = {"a": base, "b": base, "t": base.t(), "row": base[1], "none": base[:0]}

    checkpoint = read(state)

    assert dict(checkpoint.aliases) == {"b": "a"}
    for name, expected in state.items():
        np.testing.assert_array_equal(array(checkpoint.tensors[name]), expected.numpy())
    assert checkpoint.nbytes == 48


def test_a_module_gives_its_state_and_its_modules():
    net = nn.Sequential(nn.Conv2d(1, 2, 3, stride=2), nn.Linear(4, 3))
    net[1].weight = nn.Parameter(torch.ones(3, 4))

    checkpoint = read(nn.DataParallel(net) if torch.cuda.is_available() else net)

    assert list(checkpoint.tensors) == ["0.weight", "0.bias", "1.weight", "1.bias"]
    assert checkpoint.modules["0"]["stride"] == (2, 2)
    assert checkpoint.modules["0"]["class"] == "torch.nn.modules.conv.Conv2d"
    assert checkpoint.source == "Sequential in memory"
    assert (checkpoint.format, checkpoint.files) == ("memory", ())


def test_tied_parameters_of_a_module_are_aliases():
    net = nn.ModuleDict({"a": nn.Linear(2, 2), "b": nn.Linear(2, 2)})
    net["b"].weight = net["a"].weight

    assert dict(read(net).aliases) == {"b.weight": "a.weight"}


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: torch.ones(2, 2, device="meta"), "meta tensor"),
        (lambda: torch.ones(2, 2).to_sparse(), "sparse_coo layout"),
        (lambda: torch.quantize_per_tensor(torch.ones(2, 2), 1.0, 0, torch.qint8),
         "quantized"),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_tensors_without_plain_numbers_say_why(make, reason):
    tensor = read({"w": make()}).tensors["w"]

    assert tensor.shape == (2, 2)
    assert tensor.storage is None
    assert reason in tensor.unread


@pytest.mark.parametrize("dtype", ["f8", ">f4", "<i2", "?", ml_dtypes.bfloat16])
def test_numpy_arrays(dtype):
    values = np.array([[0, 1], [2, 1]]).astype(dtype).T

    tensor = read({"w": values}).tensors["w"]

    np.testing.assert_array_equal(
        array(tensor).astype(np.float64), values.astype(np.float64)
    )


def test_arrays_of_objects_are_not_read():
    tensor = read({"w": np.array([None, "a"])}).tensors["w"]

    assert tensor.unread == "not an array of numbers that torch has"


def test_nesting_is_undone_like_that_of_files():
    state = {
        "model": {"fc.weight": np.ones((2, 2))},
        "epoch": np.int64(3),
        "x": object(),
    }

    checkpoint = read(state)

    assert checkpoint.wrapping == ("model",)
    assert checkpoint.metadata == {"epoch": 3}


def test_a_bare_tensor_and_a_list():
    assert list(read(torch.ones(2, 2)).tensors) == ["tensor"]
    assert list(read([np.ones(2), np.ones(3)]).tensors) == ["0", "1"]


def test_what_is_no_checkpoint_is_wrong_usage():
    with pytest.raises(UsageError, match=r"a path, a module or a mapping.*got int"):
        read(3)


def test_a_mapping_in_itself_is_wrong_usage():
    state = {}
    state["self"] = state

    with pytest.raises(UsageError, match="nested deeper than 64 levels"):
        read(state)


def test_numpy_needs_no_torch():
    code = (
        "import sys, numpy; from boundkit.readers import read; "
        "assert list(read({'w': numpy.ones(3)}).tensors) == ['w']; "
        "sys.exit('torch' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
