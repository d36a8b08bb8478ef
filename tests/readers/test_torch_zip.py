"""Zip checkpoints give the numbers that torch saved, and say what is wrong with them."""

import io
import pickle
import struct
import zipfile

import ml_dtypes
import numpy as np
import pytest
import torch
from torch import nn

from boundkit.errors import Refused, Unreadable
from boundkit.readers import torch_zip
from boundkit.readers.zip_archive import open_archive

NUMPY = {
    "bfloat16": ml_dtypes.bfloat16,
    "float8_e4m3fn": ml_dtypes.float8_e4m3fn,
    "float8_e4m3fnuz": ml_dtypes.float8_e4m3fnuz,
    "float8_e5m2": ml_dtypes.float8_e5m2,
    "float8_e5m2fnuz": ml_dtypes.float8_e5m2fnuz,
    "float8_e8m0fnu": ml_dtypes.float8_e8m0fnu,
}


def values(tensor):
    raw = bytes(tensor.storage.read(0, tensor.storage.nbytes))
    dtype = np.dtype(NUMPY.get(tensor.dtype, tensor.dtype))
    flat = np.frombuffer(raw, dtype)
    if tensor.big_endian:
        flat = flat.byteswap()
    if tensor.stride is None:
        size = tensor.numel
        return flat[tensor.offset : tensor.offset + size].reshape(tensor.shape)
    steps = [s * dtype.itemsize for s in tensor.stride]
    view = np.lib.stride_tricks.as_strided
    return view(flat[tensor.offset :], tensor.shape, steps)


def saved(path, value, **options):
    torch.save(value, path, **options)
    return path


def members(path):
    with zipfile.ZipFile(path) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def packed(path, records, **options):
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, data in records.items():
            archive.writestr(name, data)
    return path


def codes(contents):
    return {notice.code for notice in contents.notices}


@pytest.fixture
def small(tmp_path):
    return saved(tmp_path / "small.pt", {"fc.weight": torch.arange(6.0).view(2, 3)})


@pytest.mark.parametrize(
    "dtype",
    [
        torch.float64,
        torch.float32,
        torch.float16,
        torch.bfloat16,
        torch.float8_e4m3fn,
        torch.float8_e4m3fnuz,
        torch.float8_e5m2,
        torch.float8_e5m2fnuz,
        torch.float8_e8m0fnu,
        torch.int8,
        torch.int16,
        torch.int32,
        torch.int64,
        torch.uint8,
        torch.uint16,
        torch.uint32,
        torch.uint64,
        torch.bool,
        torch.complex64,
        torch.complex128,
    ],
)
def test_every_dtype_keeps_its_numbers(tmp_path, dtype):
    tensor = torch.tensor([[0.0, 1.0], [2.0, 0.5]]).to(dtype)
    path = saved(tmp_path / "t.pt", {"w": tensor})

    found = torch_zip.read(path).tree["w"]

    assert f"torch.{found.dtype}" == str(dtype)
    wide = torch.complex128 if dtype.is_complex else torch.float64
    np.testing.assert_array_equal(
        values(found).astype(complex if dtype.is_complex else float),
        tensor.to(wide).numpy(),
    )


@pytest.mark.parametrize(
    "tensor",
    [
        torch.arange(24.0).view(2, 3, 4).transpose(0, 2),
        torch.arange(24.0)[5:20:3],
        torch.arange(4.0).expand(3, 4),
        torch.tensor(7.0),
        torch.zeros(0, 3),
        torch.arange(64.0).view(2, 2, 2, 2, 2, 2),
        torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last),
    ],
    ids=lambda t: str(tuple(t.shape)),
)
def test_every_layout_keeps_its_numbers(tmp_path, tensor):
    found = torch_zip.read(saved(tmp_path / "t.pt", {"w": tensor})).tree["w"]

    assert found.shape == tuple(tensor.shape)
    np.testing.assert_array_equal(values(found), tensor.numpy())


def test_aliases_share_an_identity(tmp_path):
    tensor = torch.arange(6.0)
    tree = {"a": tensor, "b": tensor, "view": tensor.view(2, 3), "copy": tensor.clone()}

    found = torch_zip.read(saved(tmp_path / "t.pt", tree)).tree

    assert found["a"].identity == found["b"].identity
    assert found["a"].storage.key == found["view"].storage.key
    assert found["a"].storage.key != found["copy"].storage.key


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_every_pickle_protocol_is_read(tmp_path, protocol):
    tree = {"model": {"w": torch.ones(3)}, "epoch": 3, "lr": [0.1, None]}
    path = saved(tmp_path / "t.pt", tree, pickle_protocol=protocol)

    found = torch_zip.read(path).tree

    np.testing.assert_array_equal(values(found["model"]["w"]), np.ones(3))
    assert (found["epoch"], found["lr"]) == (3, [0.1, None])


def test_parameters_and_bare_tensors_are_read(tmp_path):
    path = saved(tmp_path / "t.pt", nn.Parameter(torch.ones(3)))

    np.testing.assert_array_equal(values(torch_zip.read(path).tree), np.ones(3))


# torch warns that these layouts are prototypes or deprecated.
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_unreadable_layouts_say_why(tmp_path):
    tree = {
        "coo": torch.eye(3).to_sparse(),
        "csr": torch.eye(3).to_sparse_csr(),
        "meta": torch.empty(4, 5, device="meta"),
        "quantized": torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8),
        "nested": torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]),
    }
    path = saved(tmp_path / "t.pt", tree)

    found = torch_zip.read(path).tree

    assert {k: (v.shape, v.unread) for k, v in found.items()} == {
        "coo": ((3, 3), "sparse layout"),
        "csr": ((3, 3), "sparse layout"),
        "meta": ((4, 5), "meta tensor: it has no numbers"),
        "quantized": ((2,), "quantized"),
        "nested": ((5,), "nested tensor"),
    }


def test_big_endian_storages_are_marked(tmp_path, small):
    records = members(small)
    records["small/byteorder"] = b"big"
    records["small/data/0"] = np.arange(6, dtype=">f4").tobytes()

    found = torch_zip.read(packed(tmp_path / "big.pt", records)).tree["fc.weight"]

    assert found.big_endian
    np.testing.assert_array_equal(values(found), np.arange(6.0).reshape(2, 3))


def test_an_unknown_byte_order_is_refused(tmp_path, small):
    records = members(small) | {"small/byteorder": b"middle"}

    with pytest.raises(Unreadable, match="not little or big"):
        torch_zip.read(packed(tmp_path / "t.pt", records))


def test_deflated_members_are_read(tmp_path, small):
    path = packed(tmp_path / "z.pt", members(small), compression=zipfile.ZIP_DEFLATED)

    found = torch_zip.read(path).tree["fc.weight"]

    np.testing.assert_array_equal(values(found), np.arange(6.0).reshape(2, 3))


class Net(nn.Module):
    """A module whose class will be gone."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, stride=2, padding=1)
        self.bn = nn.BatchNorm2d(4)
        self.act = nn.LeakyReLU(0.1)
        self.rnn = nn.LSTM(4, 5, num_layers=2, bidirectional=True, batch_first=True)
        self.again = self.conv
        self.register_buffer("kept", torch.ones(2))
        self.register_buffer("transient", torch.ones(2), persistent=False)


def test_a_pickled_module_unfolds_to_its_state_dict(tmp_path, monkeypatch):
    net = Net()
    path = saved(tmp_path / "net.pt", net)
    monkeypatch.delattr(f"{__name__}.Net", raising=False)

    found = torch_zip.read(path)

    expected = net.state_dict()
    assert list(found.tree) == list(expected)
    for name, tensor in expected.items():
        np.testing.assert_array_equal(values(found.tree[name]), tensor.numpy())
    assert found.wrapping == ("pickled module",)
    assert "transient" in found.notices[0].message


def test_module_attributes_are_plain(tmp_path):
    found = torch_zip.read(saved(tmp_path / "net.pt", Net())).modules

    assert found[""]["class"].endswith("Net")
    assert found["conv"]["class"] == "torch.nn.modules.conv.Conv2d"
    assert found["conv"]["stride"] == (2, 2)
    assert found["conv"]["groups"] == 1
    assert found["act"]["negative_slope"] == 0.1
    assert found["bn"]["eps"] == 1e-5
    assert found["rnn"]["bidirectional"] is True
    assert not any(k.startswith("_") for m in found.values() for k in m)


def test_modules_anywhere_in_the_tree_unfold(tmp_path):
    tree = {"model": nn.Linear(2, 1), "pair": (nn.Linear(1, 1), 5), "epoch": 3}

    found = torch_zip.read(saved(tmp_path / "t.pt", tree))

    assert list(found.tree["model"]) == ["weight", "bias"]
    assert list(found.tree["pair"][0]) == ["weight", "bias"]
    assert set(found.modules) == {"model", "pair.0"}


def test_parametrized_and_weight_normed_modules_unfold(tmp_path):
    old = nn.Conv1d(2, 3, 1)
    with pytest.warns(FutureWarning):
        nn.utils.weight_norm(old)
    path = saved(tmp_path / "t.pt", {"old": old})

    assert set(torch_zip.read(path).tree["old"]) == {"weight_g", "weight_v", "bias"}


def test_a_storage_smaller_than_its_tensor_is_named(tmp_path, small):
    records = members(small)
    records["small/data/0"] = records["small/data/0"][:-4]

    with pytest.raises(Unreadable, match="holds 20 bytes of the 24"):
        torch_zip.read(packed(tmp_path / "t.pt", records))


def test_a_missing_storage_is_named(tmp_path, small):
    records = members(small)
    del records["small/data/0"]

    with pytest.raises(Unreadable, match=r"record 'small/data/0' is missing"):
        torch_zip.read(packed(tmp_path / "t.pt", records))


def test_odd_members_are_said(tmp_path, small):
    records = members(small)
    records |= {"small/other.pkl": b"N.", "notes.txt": b"hello"}
    records["small/data/0"] += b"beyond"
    records["small/data.pkl"] += b"behind"

    found = torch_zip.read(packed(tmp_path / "t.pt", records))

    assert codes(found) == {
        "extra-pickle",
        "extra-member",
        "storage-slack",
        "trailing-bytes",
    }


def test_a_view_that_keeps_a_large_storage_is_said(tmp_path):
    path = saved(tmp_path / "t.pt", {"w": torch.zeros(1 << 20)[:3]})

    assert codes(torch_zip.read(path)) == {"storage-slack"}


def test_duplicate_members_are_said(tmp_path, small):
    path = tmp_path / "t.pt"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members(small).items():
            archive.writestr(name, data)
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("small/version", b"3")

    assert codes(torch_zip.read(path)) == {"duplicate-member"}


def test_bytes_around_the_archive_are_said(tmp_path, small):
    path = tmp_path / "t.pt"
    path.write_bytes(b"before" + small.read_bytes() + b"behind")

    found = torch_zip.read(path)

    assert torch_zip.recognizes(path, path.read_bytes()[:4096])
    assert codes(found) == {"leading-bytes", "trailing-bytes"}
    np.testing.assert_array_equal(
        values(found.tree["fc.weight"]), np.arange(6.0).reshape(2, 3)
    )


def test_an_archive_without_checksums_is_said(tmp_path):
    torch.serialization.set_crc32_options(False)
    try:
        path = saved(tmp_path / "t.pt", {"w": torch.ones(3)})
    finally:
        torch.serialization.set_crc32_options(True)

    assert codes(torch_zip.read(path)) == {"no-checksums"}


def test_a_compression_ratio_out_of_the_ordinary_is_said(tmp_path):
    path = saved(tmp_path / "t.pt", {"w": torch.zeros(2 << 20)})
    path = packed(tmp_path / "z.pt", members(path), compression=zipfile.ZIP_DEFLATED)

    assert codes(torch_zip.read(path)) == {"compression-ratio"}


def test_a_pickle_that_unpacks_to_megabytes_of_nothing_is_refused(tmp_path, small):
    records = members(small) | {"small/data.pkl": b"]" * (8 << 20)}
    path = packed(tmp_path / "z.pt", records, compression=zipfile.ZIP_DEFLATED)

    with pytest.raises(Unreadable, match=r"'small/data.pkl' unpacks"):
        torch_zip.read(path)


def patched(path, old, new, out):
    data = path.read_bytes()
    assert old in data
    out.write_bytes(data.replace(old, new))
    return out


def test_gigabytes_from_next_to_nothing_are_refused(tmp_path):
    path = packed(
        tmp_path / "z.pt",
        {"a/data.pkl": b"N.", "a/data/0": bytes(5_000_000)},
        compression=zipfile.ZIP_DEFLATED,
    )
    size = struct.pack("<I", 5_000_000)
    path = patched(path, size, struct.pack("<I", 3 << 30), tmp_path / "bomb.pt")

    with pytest.raises(Refused, match=r"compressed .* to 1, to 3072 MB"):
        torch_zip.read(path)


def test_a_wrong_checksum_names_the_member(tmp_path, small):
    old = np.arange(6, dtype="<f4").tobytes()
    path = patched(small, old, old[::-1], tmp_path / "t.pt")

    with pytest.raises(Unreadable, match=r"'small/data/0' has a wrong CRC-32"):
        torch_zip.read(path)


def test_every_truncation_is_unreadable(small, tmp_path):
    data = small.read_bytes()
    path = tmp_path / "t.pt"
    for length in range(4, len(data), 7):
        path.write_bytes(data[:length])
        assert torch_zip.recognizes(path, data[:length])
        with pytest.raises(Unreadable, match="truncated"):
            torch_zip.read(path)


def test_overlapping_members_are_refused(tmp_path):
    path = packed(tmp_path / "t.pt", {"a/data.pkl": b"N.", "b/data.pkl": b"N."})
    data = bytearray(path.read_bytes())
    first = data.index(b"PK\x01\x02")
    second = data.index(b"PK\x01\x02", first + 1)
    data[second + 42 : second + 46] = data[first + 42 : first + 46]
    data[second + 46 : second + 47] = b"a"
    path.write_bytes(data)

    with pytest.raises(Unreadable, match="overlap"):
        open_archive(path)


def test_a_member_that_is_not_there_is_refused(tmp_path):
    path = packed(tmp_path / "t.pt", {"a/data.pkl": b"N."})
    path = patched(path, b"PK\x03\x04", b"PK\x03\x05", tmp_path / "u.pt")

    with pytest.raises(Unreadable, match="is not where the directory says"):
        open_archive(path)


def test_encrypted_and_exotic_members_are_refused(tmp_path):
    path = packed(tmp_path / "t.pt", {"a/data.pkl": b"N."})
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02")
    data[at + 8] |= 1
    path.write_bytes(data)
    lzma = packed(
        tmp_path / "l.pt", {"a/data.pkl": b"N."}, compression=zipfile.ZIP_LZMA
    )

    with pytest.raises(Unreadable, match="is encrypted"):
        open_archive(path)
    with pytest.raises(Unreadable, match="compressed by method 14"):
        open_archive(lzma)


def test_data_beyond_the_directory_are_refused(tmp_path):
    path = packed(tmp_path / "t.pt", {"a/data.pkl": b"N" * 100 + b"."})
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02")
    data[at + 20 : at + 28] = struct.pack("<II", 150, 150)
    path.write_bytes(data)

    with pytest.raises(Unreadable, match="overlaps the directory"):
        open_archive(path)


def test_an_archive_without_a_pickle_is_not_ours(tmp_path):
    path = packed(tmp_path / "t.pt", {"a/b": b"N."})

    assert not torch_zip.recognizes(path, path.read_bytes())
    with pytest.raises(Unreadable, match=r"has no data.pkl"):
        torch_zip.read(path)


@pytest.mark.parametrize(
    "identifier",
    [
        "text",
        ("storage",),
        ("module", 1, 2, 3, 4),
        ("storage", 1, "0", "cpu", 3),
        ("storage", torch.float32, "0", "cpu", -1),
    ],
)
def test_persistent_ids_that_are_no_storage_are_refused(tmp_path, identifier):
    out = io.BytesIO()
    pickler = pickle.Pickler(out, 2)
    pickler.persistent_id = lambda value: identifier if value is Ellipsis else None
    pickler.dump(Ellipsis)
    path = packed(tmp_path / "t.pt", {"a/data.pkl": out.getvalue()})

    with pytest.raises(Unreadable, match="a persistent id is no storage"):
        torch_zip.read(path)


def test_zip64_and_data_descriptors_are_read(tmp_path, small):
    path = tmp_path / "t.pt"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members(small).items():
            with archive.open(name, "w", force_zip64=True) as stream:
                stream.write(data)

    found = torch_zip.read(path).tree["fc.weight"]

    np.testing.assert_array_equal(values(found), np.arange(6.0).reshape(2, 3))
