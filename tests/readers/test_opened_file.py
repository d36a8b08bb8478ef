"""A file read by copies and by mappings."""

import errno
import mmap
import os

import pytest

from boundkit.errors import Unreadable
from boundkit.readers import opened_file as module
from boundkit.readers.opened_file import opened_file

SIZE = 3 << 20


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(bytes(range(251)) * (SIZE // 251 + 1))
    return path


@pytest.mark.parametrize("offset", [0, 1, 8, 4095, 4096, 5000])
@pytest.mark.parametrize("count", [1, 4096, 1 << 20, 2 << 20])
def test_a_view_holds_the_bytes_of_the_file(path, offset, count):
    expected = path.read_bytes()[offset : offset + count]

    assert opened_file(path).view(offset, count) == expected


def test_a_view_survives_its_handle(path):
    view = opened_file(path).view(7, 2 << 20)

    assert bytes(view[:5]) == bytes(range(7, 12))


@pytest.mark.parametrize("count", [100, 2 << 20])
def test_a_file_that_has_shrunk_is_said_to_be_truncated(path, count):
    file = opened_file(path)
    os.truncate(path, 50)

    with pytest.raises(Unreadable, match=r"truncated: bytes 0 to .* copy or download"):
        file.view(0, count)


def test_where_nothing_can_be_mapped_bytes_are_copied(path, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise OSError(errno.ENODEV, "no such device")

    monkeypatch.setattr(module.mmap, "mmap", refuse)

    assert opened_file(path).view(3, 2 << 20) == path.read_bytes()[3 : 3 + (2 << 20)]


def test_a_kernel_that_cannot_fill_a_mapping_gets_copies(path, monkeypatch):
    class Old(mmap.mmap):
        def madvise(self, *_args):
            raise OSError(errno.EINVAL, "invalid argument")

    monkeypatch.setattr(module.mmap, "mmap", Old)

    assert opened_file(path).view(3, 2 << 20) == path.read_bytes()[3 : 3 + (2 << 20)]


def test_a_missing_file_cannot_be_opened(tmp_path):
    with pytest.raises(Unreadable, match=r"cannot be opened .*check the path"):
        opened_file(tmp_path / "none")


def test_a_read_that_fails_is_said(path):
    with pytest.raises(Unreadable, match=r"reading 4 bytes at byte -1 failed"):
        opened_file(path).pread(-1, 4)


def test_one_handle_serves_every_reader_of_a_file(path):
    first = opened_file(path)

    assert opened_file(path) is first
