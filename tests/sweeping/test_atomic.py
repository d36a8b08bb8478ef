import errno
import os

import pytest

from boundkit.sweeping.atomic import write_whole
from tests.sweeping.nets import names_in


def test_a_file_is_replaced_whole(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"old")
    write_whole(path, b"new" * 100_000)

    assert path.read_bytes() == b"new" * 100_000
    assert names_in(tmp_path) == ["a"]


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "a"
    path.write_bytes(b"old")
    write = os.write

    def half(descriptor, data):
        if len(data) < 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, data[: len(data) // 2])

    monkeypatch.setattr(os, "write", half)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, b"new" * 10)

    assert path.read_bytes() == b"old"
    assert names_in(tmp_path) == ["a"]


def test_bytes_are_on_the_disk_before_the_name_is(tmp_path, monkeypatch):
    calls = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(
            os, name, lambda *a, real=real, name=name: (calls.append(name), real(*a))
        )
    write_whole(tmp_path / "a", b"x")

    assert calls == ["fsync", "replace"]
