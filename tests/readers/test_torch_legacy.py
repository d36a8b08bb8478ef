"""Legacy checkpoints give the numbers that torch saved."""

import pickle

import ml_dtypes
import numpy as np
import pytest
import torch
from torch import nn

from boundkit.errors import Unreadable
from boundkit.readers import torch_legacy

MAGIC = 0x1950A86A20F9469CFC6C


class Storage:
    """Stands for a storage while a legacy file is written by hand."""

    def __init__(self, *identifier):
        self.identifier = identifier


class Pickler(pickle._Pickler):
    """Writes persistent ids, which the C pickler takes from subclasses only."""

    def persistent_id(self, value):
        return value.identifier if isinstance(value, Storage) else None

    def save_global(self, obj, name=None):
        if isinstance(obj, Named):
            self.write(f"c{obj.module}\n{obj.name}\n".encode())
        else:
            super().save_global(obj, name)

    def save(self, obj, save_persistent_id=True):
        if isinstance(obj, Named):
            self.save_global(obj)
        elif isinstance(obj, Call):
            self.save(obj.function)
            self.save(obj.arguments)
            self.write(b"R")
        else:
            super().save(obj, save_persistent_id)


class Named:
    def __init__(self, module, name):
        self.module, self.name = module, name


class Call:
    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments


def written(path, tree, keys, storages, little=True, magic=MAGIC):
    with path.open("wb") as file:
        sizes = {"short": 2, "int": 4, "long": 4}
        info = {"protocol_version": 1001, "little_endian": little, "type_sizes": sizes}
        for value in (magic, 1001, info, tree, keys):
            Pickler(file, 2).dump(value)
        file.writelines(storages)
    return path


def tensor(key, numel, offset, shape, stride, view=None):
    storage = Storage(
        "storage", Named("torch", "FloatStorage"), key, "cpu", numel, view
    )
    function = Named("torch._utils", "_rebuild_tensor_v2")
    return Call(function, storage, offset, shape, stride, False, {})


def floats(*values):
    return len(values).to_bytes(8, "little") + np.array(values, "<f4").tobytes()


def values(found):
    raw = bytes(found.storage.read(0, found.storage.nbytes))
    kind = ml_dtypes.bfloat16 if found.dtype == "bfloat16" else found.dtype
    flat = np.frombuffer(raw, kind)
    stride = found.stride
    if stride is None:
        return flat[found.offset : found.offset + found.numel].reshape(found.shape)
    steps = [s * flat.itemsize for s in stride]
    view = np.lib.stride_tricks.as_strided
    return view(flat[found.offset :], found.shape, steps)


def saved(path, value, protocol=2):
    torch.save(
        value, path, _use_new_zipfile_serialization=False, pickle_protocol=protocol
    )
    return path


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_state_dict_keeps_its_numbers(tmp_path, protocol):
    tensor = torch.arange(24.0).view(2, 3, 4)
    tree = {
        "float": tensor,
        "turned": tensor.transpose(0, 2),
        "half": tensor.half(),
        "bf16": tensor.bfloat16(),
        "double": tensor.double()[:, 1],
        "long": tensor.long(),
        "bool": tensor > 3,
        "scalar": torch.tensor(2.5),
        "empty": torch.zeros(0, 2),
        "complex": tensor.to(torch.complex64),
    }
    path = saved(tmp_path / "t.pt", tree, protocol)

    found = torch_legacy.read(path).tree

    assert torch_legacy.recognizes(path, path.read_bytes()[:4096])
    for name, expected in tree.items():
        wide = expected.float() if expected.dtype == torch.bfloat16 else expected
        np.testing.assert_array_equal(values(found[name]), wide.numpy())


def test_a_pickled_module_unfolds(tmp_path):
    net = nn.Sequential(nn.Linear(3, 2), nn.ReLU())
    path = tmp_path / "t.pt"
    saved(path, net)

    found = torch_legacy.read(path)

    assert list(found.tree) == ["0.weight", "0.bias"]
    assert found.modules["1"]["class"] == "torch.nn.modules.activation.ReLU"


def test_views_of_storages_are_followed(tmp_path):
    tree = {
        "all": tensor("0", 4, 0, (2, 2), (2, 1)),
        "part": tensor("0", 4, 1, (1,), (1,), ("v", 2, 2)),
    }
    path = written(tmp_path / "t.pt", tree, ["0"], [floats(1, 2, 3, 4)])

    found = torch_legacy.read(path).tree

    np.testing.assert_array_equal(values(found["all"]), [[1, 2], [3, 4]])
    np.testing.assert_array_equal(values(found["part"]), [4])


def test_files_of_big_endian_machines_read_as_torch_reads_them(tmp_path):
    tree = {"w": tensor("0", 2, 0, (2,), (1,))}
    path = written(tmp_path / "t.pt", tree, ["0"], [floats(1, 2)], little=False)

    expected = torch.load(path)["w"].numpy()

    np.testing.assert_array_equal(values(torch_legacy.read(path).tree["w"]), expected)
    np.testing.assert_array_equal(expected, [1, 2])


def test_bytes_behind_are_said(tmp_path):
    path = saved(tmp_path / "t.pt", {"w": torch.ones(3)})
    path.write_bytes(path.read_bytes() + b"behind")

    assert torch_legacy.read(path).notices[0].code == "trailing-bytes"


def test_every_truncation_is_unreadable(tmp_path):
    data = saved(
        tmp_path / "t.pt", {"w": torch.ones(3), "v": torch.ones(2)}
    ).read_bytes()
    path = tmp_path / "cut.pt"
    for length in range(1, len(data), 3):
        path.write_bytes(data[:length])
        with pytest.raises(Unreadable):
            torch_legacy.read(path)


@pytest.mark.parametrize(
    ("keys", "storages", "cause"),
    [
        (["0"], [floats(1, 2, 3)], "has 3 elements instead of 2"),
        (["0"], [floats(1, 2)[:-1]], "truncated in storage '0'"),
        ([], [], "storage '0' is not in the file"),
        (["0", "1"], [floats(1, 2)], "storage '1' has no known type"),
        ("0", [], "the list of storages is damaged"),
    ],
)
def test_storages_that_do_not_fit_are_named(tmp_path, keys, storages, cause):
    tree = {"w": tensor("0", 2, 0, (2,), (1,))}
    path = written(tmp_path / "t.pt", tree, keys, storages)

    with pytest.raises(Unreadable, match=cause):
        torch_legacy.read(path)


@pytest.mark.parametrize(
    ("view", "cause"),
    [
        (("v", 3, 2), "smaller than its tensors declare"),
        (("v", -1, 2), "makes no sense"),
    ],
)
def test_views_that_do_not_fit_are_refused(tmp_path, view, cause):
    tree = {"w": tensor("0", 4, 0, (1,), (1,), view)}
    path = written(tmp_path / "t.pt", tree, ["0"], [floats(1, 2, 3, 4)])

    with pytest.raises(Unreadable, match=cause):
        torch_legacy.read(path)


@pytest.mark.parametrize(
    ("identifier", "cause"),
    [
        (("storage", 1, "0", "cpu", 2), "no storage"),
        (("storage", Named("torch", "FloatStorage"), "0", "cpu", -2), "no storage"),
        (("storage", Named("torch", "FloatStorage"), 1.5, "cpu", 2), "has no key"),
        ("text", "no storage"),
    ],
)
def test_persistent_ids_that_are_no_storage_are_refused(tmp_path, identifier, cause):
    storage = Storage()
    storage.identifier = identifier
    path = written(tmp_path / "t.pt", storage, [], [])

    with pytest.raises(Unreadable, match=cause):
        torch_legacy.read(path)


def test_a_wrong_magic_number_is_refused(tmp_path):
    with pytest.raises(Unreadable, match="the magic number is wrong"):
        torch_legacy.read(written(tmp_path / "t.pt", {}, [], [], magic=5))


def test_a_missing_file_is_unreadable(tmp_path):
    with pytest.raises(Unreadable, match="cannot be opened"):
        torch_legacy.read(tmp_path / "none.pt")
