"""Storages give the bytes that lie there, in any order, and say when they do not."""

import gc
import os
import zlib
from pathlib import Path

import numpy as np
import pytest

from boundkit.errors import Unreadable
from boundkit.readers.storage import (
    ArrayStorage,
    ComputedStorage,
    DeflatedStorage,
    FileStorage,
    Inflater,
    opened_file,
)


def descriptors():
    return len(list(Path("/proc/self/fd").iterdir()))


def deflated(path, data, declared=None):
    packer = zlib.compressobj(wbits=-15)
    packed = packer.compress(data) + packer.flush()
    path.write_bytes(b"head" + packed)
    inflater = Inflater(opened_file(path))
    size = len(data) if declared is None else declared
    return DeflatedStorage(path, 4, len(packed), size, inflater)


def test_a_file_storage_returns_its_window(tmp_path):
    path = tmp_path / "bytes"
    path.write_bytes(bytes(range(100)))

    assert bytes(FileStorage(path, 10, 50).read(5, 8)) == bytes([15, 16, 17])


def test_keys_tell_places_apart(tmp_path):
    path = tmp_path / "bytes"
    path.write_bytes(bytes(100))

    assert FileStorage(path, 0, 4).key == FileStorage(path, 0, 8).key
    assert FileStorage(path, 0, 4).key != FileStorage(path, 4, 4).key


def test_ten_thousand_storages_share_one_descriptor_and_give_it_back(tmp_path):
    path = tmp_path / "bytes"
    path.write_bytes(bytes(10_000))
    before = descriptors()
    storages = [FileStorage(path, i, 1) for i in range(10_000)]
    for storage in storages:
        storage.read(0, 1)

    assert descriptors() == before + 1

    del storages, storage
    gc.collect()

    assert descriptors() == before


def test_a_rewritten_file_is_opened_anew(tmp_path):
    path = tmp_path / "bytes"
    path.write_bytes(b"old")
    old = FileStorage(path, 0, 3)
    old.read(0, 3)
    path.unlink()
    path.write_bytes(b"newer")

    assert bytes(FileStorage(path, 0, 3).read(0, 3)) == b"new"


def test_a_file_that_shrinks_is_an_error_and_not_a_crash(tmp_path):
    path = tmp_path / "bytes"
    path.write_bytes(bytes(100))
    storage = FileStorage(path, 0, 100)
    os.truncate(path, 50)

    with pytest.raises(Unreadable, match="truncated: bytes 0 to 100 are not there"):
        storage.read(0, 100)


def test_a_window_outside_is_refused(tmp_path):
    path = tmp_path / "bytes"
    path.write_bytes(bytes(100))

    with pytest.raises(Unreadable, match="bytes 5 to 11 of 10 were asked for"):
        FileStorage(path, 0, 10).read(5, 11)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(Unreadable, match="cannot be opened"):
        FileStorage(tmp_path / "none", 0, 1)


def test_a_folder_cannot_be_read(tmp_path):
    with pytest.raises(Unreadable, match="reading 1 bytes at byte 0 failed"):
        FileStorage(tmp_path, 0, 1).read(0, 1)


@pytest.mark.parametrize(
    "windows",
    [
        [(0, 3_000_000)],
        [(2_999_990, 3_000_000), (0, 10), (1_048_570, 1_048_600)],
        [(i, i + 100_000) for i in range(0, 3_000_000, 100_000)],
        [(7, 7)],
    ],
)
def test_deflated_windows_match_the_bytes(tmp_path, windows):
    data = np.random.default_rng(0).integers(0, 4, 3_000_000, "u1").tobytes()
    storage = deflated(tmp_path / "z", data)

    assert [bytes(storage.read(a, b)) for a, b in windows] == [
        data[a:b] for a, b in windows
    ]


def test_two_deflated_members_can_be_read_in_turns(tmp_path):
    one = deflated(tmp_path / "z", b"a" * 100)
    two = DeflatedStorage(one.path, one.offset, one.packed, 100, one.inflater)

    assert bytes(one.read(0, 2)) + bytes(two.read(98, 100)) == b"aaaa"


def test_deflated_data_that_end_early_are_an_error(tmp_path):
    storage = deflated(tmp_path / "z", b"abc", declared=10_000)

    with pytest.raises(Unreadable, match="end before their declared size"):
        storage.read(0, 10_000)


def test_damaged_deflated_data_are_an_error(tmp_path):
    storage = deflated(tmp_path / "z", bytes(range(256)) * 50)
    path = tmp_path / "z"
    path.write_bytes(b"head" + b"\xff" * (path.stat().st_size - 4))

    with pytest.raises(Unreadable, match="damaged compressed data"):
        storage.read(0, 100)


def test_a_bomb_is_never_unpacked_beyond_the_window(tmp_path):
    storage = deflated(tmp_path / "z", bytes(50_000_000))

    assert bytes(storage.read(10, 20)) == bytes(10)
    assert len(storage.inflater._chunk) <= 1 << 20


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0).reshape(2, 3),
        np.float32(3.0).reshape(()),
        np.zeros((0, 2)),
        b"ab",
    ],
)
def test_array_bytes(array):
    data = array if isinstance(array, bytes) else array.tobytes()
    storage = ArrayStorage(array)

    assert storage.nbytes == len(data)
    assert bytes(storage.read(0, len(data))) == data


def test_an_array_computes_once():
    calls = []

    def compute():
        calls.append(1)
        return np.arange(3.0)

    storage = ComputedStorage("norm", 24, compute)

    assert bytes(storage.read(8, 24)) == np.array([1.0, 2.0]).tobytes()
    assert bytes(storage.read(0, 8)) == np.array([0.0]).tobytes()
    assert calls == [1]


def test_a_computed_array_that_is_too_small_is_an_error():
    storage = ComputedStorage("short", 24, lambda: np.zeros(1))

    with pytest.raises(Unreadable, match="short: bytes 0 to 24 of 8"):
        storage.read(0, 24)
