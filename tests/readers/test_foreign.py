"""Every file that is not ours is named, with a way out, in one line."""

import bz2
import gzip
import io
import lzma
import os
import tarfile
import zipfile

import numpy as np
import pytest

from boundkit.errors import Empty, Refused, Unreadable
from boundkit.readers.foreign import head_of, refuse

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n"


def tar(first):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(tarfile.TarInfo(first))
    return out.getvalue()


def zipped(*names):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), b"x")
    return out.getvalue()


def npy():
    out = io.BytesIO()
    np.save(out, np.arange(3))
    return out.getvalue()


CASES = [
    ("w.bin", LFS, Refused, "a git-lfs pointer.*run git lfs pull"),
    ("w.pt", b"<!DOCTYPE html><html>", Refused, "a web page"),
    ("w.pt", b"\n  <html lang='en'>", Refused, "a web page"),
    ("w.onnx", b"\x08\x07\x12\x07pytorch\x1a", Refused, "ONNX"),
    ("w.pt", b"\x08\x07\x12\x07pytorch\x1a\xff", Refused, "ONNX"),
    ("w.h5", b"\x89HDF\r\n\x1a\n" + bytes(99), Refused, "HDF5"),
    ("w.keras", zipped("config.json", "model.weights.h5"), Refused, "a Keras model"),
    ("w.npy", npy(), Refused, "a numpy array"),
    ("w.npz", zipped("x.npy", "y.npy"), Refused, "numpy arrays"),
    ("w.gguf", b"GGUF\x03\0\0\0", Refused, "GGUF"),
    ("w.tar", tar("a/b"), Refused, "a tar archive; unpack it"),
    ("w.pt", tar("sys_info"), Refused, r"torch before 0.1.10"),
    ("w.gz", gzip.compress(b"x", mtime=0), Refused, "gzip; unpack it"),
    ("w.xz", lzma.compress(b"x"), Refused, "xz; unpack it"),
    ("w.bz2", bz2.compress(b"x"), Refused, "bzip2; unpack it"),
    ("w.7z", b"7z\xbc\xaf\x27\x1c" + bytes(9), Refused, "a 7z archive"),
    ("w.rar", b"Rar!\x1a\x07\x00", Refused, "a rar archive"),
    ("w.json", b'{"a": 1}', Refused, "JSON"),
    ("w.json", b'{"a": "' + "ß".encode() * 3000, Refused, "JSON"),
    ("w.py", b"import torch\n", Refused, "Python source"),
    ("w.txt", b"hello world", Refused, "this is text"),
    ("w.msgpack", b"\x81\xa6params\x80", Refused, "msgpack"),
    ("w.bin", b"\x81\xa6params\x80", Refused, "msgpack"),
    ("w.pb", b"\x0a\xff\x00", Refused, "a TensorFlow graph"),
    ("m.data-00000-of-00001", b"\xff\xfe\x01", Refused, "a TensorFlow checkpoint"),
    ("m.index", b"\xff\xfe\x01", Refused, "a TensorFlow checkpoint"),
    ("w.tflite", b"\x1c\0\0\0TFL3", Refused, "TensorFlow Lite"),
    ("w.ptl", b"\x1c\0\0\0PTMF", Refused, "flatbuffer"),
    ("w.pt", zipped("m/model.json", "m/tensors/0"), Refused, r"before 1.4"),
    ("w.pt", zipped("word/document.xml"), Refused, "without a model"),
    ("w.pt", zipped(), Empty, "the archive is empty"),
    ("w.pt", zipped("a")[:20], Unreadable, "truncated archive"),
    ("w.pt", bytes(5000), Empty, "nothing but zero bytes"),
    ("w.pt", bytes(5000) + b"\x01", Refused, "of no known kind"),
    ("w.pt", b"\xfa\xfb\xfc\xfd" * 9, Refused, "of no known kind"),
    ("w.pt", b"", Empty, "the file is empty"),
]


@pytest.mark.parametrize(("name", "data", "error", "cause"), CASES)
def test_a_file_of_another_kind_is_named(tmp_path, name, data, error, cause):
    path = tmp_path / name
    path.write_bytes(data)

    with pytest.raises(error, match=cause) as caught:
        refuse(path, data[:4096])

    assert "\n" not in str(caught.value)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("names", "error", "cause"),
    [
        (["saved_model.pb"], Refused, "a TensorFlow SavedModel"),
        (["checkpoint", "m.index"], Refused, "a TensorFlow checkpoint"),
        (["_METADATA"], Refused, "an Orbax"),
        (["notes.txt"], Empty, "no weights in this folder"),
        ([], Empty, "the folder is empty"),
    ],
)
def test_a_folder_without_weights_is_named(tmp_path, names, error, cause):
    for name in names:
        (tmp_path / name).touch()

    with pytest.raises(error, match=cause):
        refuse(tmp_path, b"")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(Unreadable, match="no such file or folder; check the path"):
        refuse(tmp_path / "none.pt", b"")


def test_a_path_that_cannot_be_is_named(tmp_path):
    with pytest.raises(Unreadable, match="the path is too long"):
        head_of(tmp_path / ("x" * 5000))
    with pytest.raises(Unreadable, match="cannot be opened"):
        head_of(tmp_path / "a\0b")


def test_a_forbidden_file_is_named(tmp_path, monkeypatch):
    path = tmp_path / "w.pt"
    path.write_bytes(b"x")

    def forbidden(*_args, **_options):
        raise PermissionError(13, "Permission denied")

    # Tests may run as root, whom no mode keeps out.
    monkeypatch.setattr(type(path), "open", forbidden)

    with pytest.raises(Unreadable, match="permission denied; check the permissions"):
        head_of(path)


def test_a_pipe_is_not_waited_for(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)

    with pytest.raises(Refused, match="a pipe, socket or device"):
        head_of(path)


def test_a_folder_has_no_head(tmp_path):
    with pytest.raises(Refused, match="a folder"):
        head_of(tmp_path)


def test_the_head_is_what_the_file_begins_with(tmp_path):
    path = tmp_path / "w.pt"
    path.write_bytes(b"x" * 5000)

    assert head_of(path) == b"x" * 4096
