"""Exported programs of each layout give the weights under their names."""

import io
import json
import zipfile

import numpy as np
import pytest
import torch
from torch import nn

from boundkit.errors import Empty, Refused, Unreadable
from boundkit.readers import exported


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 2)
        self.tied = nn.Linear(3, 2, bias=False)
        self.tied.weight = self.fc.weight
        self.register_buffer("turned", torch.arange(6.0).view(2, 3).T)

    def forward(self, x):
        return self.fc(x) + self.tied(x) + (x @ self.turned)


@pytest.fixture
def net():
    torch.manual_seed(0)
    return Net()


@pytest.fixture
def program(tmp_path, net):
    path = tmp_path / "net.pt2"
    with pytest.warns(UserWarning, match="No complete tensor"):  # for the view
        torch.export.save(torch.export.export(net, (torch.ones(1, 3),)), path)
    return path


def values(found):
    flat = np.frombuffer(found.storage.read(0, found.storage.nbytes), found.dtype)
    steps = found.stride or tuple(
        int(np.prod(found.shape[i + 1 :])) for i in range(len(found.shape))
    )
    bytes_ = [s * flat.itemsize for s in steps]
    view = np.lib.stride_tricks.as_strided
    return view(flat[found.offset :], found.shape, bytes_)


def members(path):
    with zipfile.ZipFile(path) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def archive(path, records, **options):
    with zipfile.ZipFile(path, "w", **options) as file:
        for name, data in records.items():
            file.writestr(name, data)
    return path


def saved(value):
    out = io.BytesIO()
    torch.save(value, out)
    return out.getvalue()


def test_the_present_layout_keeps_names_numbers_and_ties(program, net):
    found = exported.read(program)

    expected = net.state_dict()
    assert set(found.tree) == set(expected)
    for name, tensor in expected.items():
        np.testing.assert_array_equal(values(found.tree[name]), tensor.numpy())
    assert found.tree["fc.weight"].identity == found.tree["tied.weight"].identity
    assert found.tree["turned"].stride == (1, 3)


@pytest.mark.parametrize(
    "name", ["serialized_state_dict.pt", "n/data/weights/model.pt"]
)
def test_older_layouts_are_read(tmp_path, net, name):
    records = {
        name: saved(net.state_dict()),
        "version": b"8.4",
        "n/archive_format": b"pt2",
    }
    path = archive(tmp_path / "old.pt2", records)

    found = exported.read(path).tree

    assert exported.recognizes(path, b"PK\x03\x04")
    np.testing.assert_array_equal(
        values(found["fc.weight"]), net.fc.weight.detach().numpy()
    )


def test_a_compressed_archive_in_an_archive_is_refused(tmp_path, net):
    records = {"serialized_state_dict.pt": saved(net.state_dict())}
    path = archive(tmp_path / "z.pt2", records, compression=zipfile.ZIP_DEFLATED)

    with pytest.raises(Refused, match="compressed once more"):
        exported.read(path)


def test_a_record_that_is_no_checkpoint_is_unreadable(tmp_path):
    inner = archive(tmp_path / "in.zip", {"a": b"b"}).read_bytes()
    path = archive(tmp_path / "z.pt2", {"serialized_state_dict.pt": inner})

    with pytest.raises(Unreadable, match=r"is no torch.save file"):
        exported.read(path)


def edited(program, path, change):
    records = members(program)
    name = next(n for n in records if n.endswith("weights_config.json"))
    table = json.loads(records[name])
    change(table["config"])
    records[name] = json.dumps(table).encode()
    return archive(path, records)


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (lambda c: c["fc.bias"].pop("path_name"), "path_name"),
        (lambda c: c["fc.bias"].update(path_name="none"), "is missing"),
        (lambda c: c["fc.bias"]["tensor_meta"].update(dtype=99), "99"),
        (
            lambda c: c["fc.bias"]["tensor_meta"].update(sizes=[{"as_int": 9}]),
            r"tensor fc.bias: shape larger than storage",
        ),
        (
            lambda c: c["fc.bias"]["tensor_meta"].update(sizes=[{"as_int": -9}]),
            "holds what is no size",
        ),
        (lambda c: c["fc.bias"].update(tensor_meta=None), "not subscriptable"),
    ],
)
def test_tables_that_do_not_fit_are_unreadable(tmp_path, program, change, cause):
    with pytest.raises(Unreadable, match=cause):
        exported.read(edited(program, tmp_path / "x.pt2", change))


def test_weights_without_numbers_say_so(tmp_path, program):
    records = members(program)
    for name in list(records):
        if "/weights/weight_" in name:
            records[name] = b""
    found = exported.read(archive(tmp_path / "x.pt2", records)).tree

    assert found["fc.bias"].unread == "it was exported without numbers"


def test_big_endian_records_are_marked(tmp_path, program):
    records = members(program) | {"net/byteorder": b"big"}

    found = exported.read(archive(tmp_path / "x.pt2", records)).tree

    assert found["fc.bias"].big_endian


def test_several_programs_are_kept_apart(tmp_path, net):
    data = saved(net.state_dict())
    records = {f"n/data/weights/{k}.pt": data for k in "ab"}
    records["n/archive_format"] = b"pt2"

    found = exported.read(archive(tmp_path / "x.pt2", records))

    assert set(found.tree) == {"a", "b"}
    assert found.notices[0].code == "several-programs"


def test_programs_without_weights_are_empty_or_refused(tmp_path):
    records = {"n/archive_format": b"pt2"}
    empty = archive(tmp_path / "e.pt2", records)
    compiled = archive(tmp_path / "c.pt2", records | {"n/data/a.so": b"code"})

    with pytest.raises(Empty, match="has no weights"):
        exported.read(empty)
    with pytest.raises(Refused, match="a compiled program"):
        exported.read(compiled)
