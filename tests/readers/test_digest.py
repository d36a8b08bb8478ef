"""A digest names bytes, not places."""

import hashlib

import pytest

from boundkit.errors import Unreadable
from boundkit.readers.digest import sha256


def test_one_file_has_its_own_digest(tmp_path):
    path = tmp_path / "a.pt"
    path.write_bytes(b"abc" * 1000)

    assert sha256([path]) == hashlib.sha256(b"abc" * 1000).hexdigest()


def test_several_files_are_a_sorted_list_of_names_and_digests(tmp_path):
    (tmp_path / "sub").mkdir()
    b, a = tmp_path / "sub" / "b.bin", tmp_path / "a.bin"
    b.write_bytes(b"2")
    a.write_bytes(b"1")

    lines = "".join(
        f"{name}\0{hashlib.sha256(data).hexdigest()}\n"
        for name, data in (("a.bin", b"1"), ("sub/b.bin", b"2"))
    )
    assert sha256([b, a]) == hashlib.sha256(lines.encode()).hexdigest()


def test_the_digest_does_not_depend_on_the_folder(tmp_path):
    digests = set()
    for folder in ("x", "y/z"):
        home = tmp_path / folder
        home.mkdir(parents=True)
        for name in ("1.bin", "2.bin"):
            (home / name).write_bytes(name.encode())
        digests.add(sha256([home / "1.bin", home / "2.bin"]))

    assert len(digests) == 1


def test_a_missing_file_is_unreadable(tmp_path):
    with pytest.raises(Unreadable, match="cannot be read"):
        sha256([tmp_path / "gone.pt"])


def test_no_files_have_no_digest():
    with pytest.raises(ValueError, match="files must hold at least one path"):
        sha256([])
