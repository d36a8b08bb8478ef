"""Files that are not ours to open, told apart so that the message says what to do."""

from __future__ import annotations

import errno
import re
import stat
from types import MappingProxyType
from typing import TYPE_CHECKING, NoReturn

from boundkit.errors import Empty, Refused, Unreadable
from boundkit.readers.ranged import fill
from boundkit.readers.zip_archive import member_names

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["head_of", "refuse"]

_HEAD = 4096
_TORCH = "load it there, convert the weights to torch tensors and save a state_dict"
_UNPACK = "unpack it first and analyze what comes out"
_DATA = (
    "if these are weights, load them with numpy and save them with "
    "safetensors.numpy.save_file"
)

_MAGIC: tuple[tuple[int, bytes, str, str], ...] = (
    (
        0,
        b"version https://git-lfs",
        "a git-lfs pointer, not the file itself",
        "run git lfs pull",
    ),
    (0, b"\x89HDF\r\n\x1a\n", "HDF5, such as Keras or MATLAB write", _TORCH),
    (0, b"GGUF", "GGUF, the format of llama.cpp", "analyze the model it was made from"),
    (
        0,
        b"ggml",
        "GGML, the format of llama.cpp",
        "analyze the model it was made from",
    ),
    (0, b"\x93NUMPY", "a numpy array", _DATA),
    (257, b"ustar", "a tar archive", _UNPACK),
    (0, b"\x1f\x8b", "compressed by gzip", _UNPACK),
    (0, b"\xfd7zXZ\x00", "compressed by xz", _UNPACK),
    (0, b"BZh", "compressed by bzip2", _UNPACK),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (0, b"Rar!\x1a\x07", "a rar archive", _UNPACK),
    (0, b"\x28\xb5\x2f\xfd", "compressed by zstandard", _UNPACK),
    (0, b"%PDF", "a PDF document", "give the checkpoint itself"),
    (0, b"\x89PNG", "a picture", "give the checkpoint itself"),
    (0, b"\xff\xd8\xff", "a picture", "give the checkpoint itself"),
    (0, b"\x7fELF", "a program or library", "give the checkpoint itself"),
    (0, b"MZ", "a program or library", "give the checkpoint itself"),
    (4, b"TFL3", "TensorFlow Lite", _TORCH),
    (
        4,
        b"PTMF",
        "a TorchScript file in flatbuffer form",
        "analyze the state_dict it was made from",
    ),
    (4, b"ET12", "an ExecuTorch program", "analyze the state_dict it was made from"),
    (0, b"SQLite format 3", "an SQLite database", "give the checkpoint itself"),
    (0, b"PAR1", "a Parquet table", "give the checkpoint itself"),
)

_ERRORS: Mapping[int, tuple[str, str]] = MappingProxyType({
    errno.ENOENT: ("no such file or folder", "check the path"),
    errno.ENOTDIR: ("no such file or folder", "check the path"),
    errno.EACCES: ("permission denied", "check the permissions"),
    errno.EPERM: ("permission denied", "check the permissions"),
    errno.ELOOP: ("a link that leads to itself", "check the path"),
    errno.ENAMETOOLONG: ("the path is too long", "check the path"),
})


def _unopened(path: Path, error: OSError | ValueError) -> Unreadable:
    number = error.errno if isinstance(error, OSError) else None
    fallback = (f"cannot be opened ({error})", "check the path and the disk")
    cause, remedy = _ERRORS.get(number or 0, fallback)
    return Unreadable(path, cause, remedy)


def head_of(path: Path) -> bytes:
    """Return the first 4096 bytes of a regular file.

    Raises:
        Unreadable: There is no such file, or it may not be read.
        Refused: It is a pipe, a socket or a device.
        Empty: It holds no bytes.
    """  # noqa: DOC501 - _unopened makes the Unreadable
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        raise _unopened(path, error) from error
    if stat.S_ISDIR(mode):
        raise Refused(path, "a folder", "name the file in it that holds the weights")
    if not stat.S_ISREG(mode):
        cause = "a pipe, socket or device, not a file"
        raise Refused(path, cause, "write it to a file first")
    fill(path, 0, _HEAD)
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise _unopened(path, error) from error
    if not head:
        raise Empty(path, "the file is empty", "copy or download it again")
    return head


def refuse(path: Path, head: bytes) -> NoReturn:
    """Say what a file is that no reader recognizes, and what to do with it.

    Args:
        path: The file or folder.
        head: Its first 4096 bytes; ``b""`` for a folder or an unreadable file.

    Raises:
        Unreadable: It cannot be opened, or is damaged.
        Refused: It is of another kind.
        Empty: It holds nothing.
    """
    if not head and path.is_dir():
        _refuse_folder(path)
    if not head:
        head = head_of(path)
    _refuse_old_torch(path, head)
    for offset, magic, what, remedy in _MAGIC:
        if head.startswith(magic, offset):
            raise Refused(path, f"this is {what}", remedy)
    if head.startswith(b"PK"):
        _refuse_zip(path)
    if not head.strip(b"\0"):
        _refuse_zeros(path)
    _refuse_text(path, head)
    _refuse_tables(path, head)
    raise Refused(
        path,
        "of no known kind",
        "save the model's state_dict() with torch.save or safetensors",
    )


def _refuse_old_torch(path: Path, head: bytes) -> None:
    first = head[:100].rstrip(b"\0").removeprefix(b"./").rstrip(b"/")
    members = {b"storages", b"tensors", b"pickle", b"sys_info"}
    if first in members and re.fullmatch(rb"[0-7 \0]{8}", head[100:108]):
        cause = "this is a tar file of torch before 0.1.10"
        remedy = "load it with torch.load and save its state_dict() again"
        raise Refused(path, cause, remedy)


def _refuse_folder(path: Path) -> None:
    try:
        names = sorted(entry.name for entry in path.iterdir())
    except OSError as error:
        raise _unopened(path, error) from error
    if "saved_model.pb" in names or "keras_metadata.pb" in names:
        raise Refused(path, "this is a TensorFlow SavedModel", _TORCH)
    if "checkpoint" in names and any(name.endswith(".index") for name in names):
        raise Refused(path, "this is a TensorFlow checkpoint", _TORCH)
    if "_METADATA" in names or "_CHECKPOINT_METADATA" in names:
        raise Refused(path, "this is an Orbax (JAX) checkpoint", _TORCH)
    cause = "the folder is empty" if not names else "no weights in this folder"
    raise Empty(path, cause, "name the checkpoint file itself")


def _refuse_zip(path: Path) -> None:
    names = member_names(path)
    if names is None:
        cause = "truncated archive, or the directory at its end is damaged"
        raise Unreadable(path, cause, "copy or download the file again")
    if "model.weights.h5" in names:
        raise Refused(path, "this is a Keras model", _TORCH)
    if names and all(name.endswith(".npy") for name in names):
        raise Refused(path, "these are numpy arrays", _DATA)
    if any(name.rpartition("/")[2] == "model.json" for name in names):
        cause = "this is TorchScript of a release before 1.4"
        remedy = "load it with a current torch and save its state_dict()"
        raise Refused(path, cause, remedy)
    if not names:
        raise Empty(path, "the archive is empty", "copy or download the file again")
    raise Refused(path, "this is a zip archive without a model", _UNPACK)


def _refuse_zeros(path: Path) -> None:
    fill(path, 0, path.stat().st_size)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            if block.strip(b"\0"):
                return
    cause = "the file holds nothing but zero bytes"
    raise Empty(path, cause, "copy or download it again")


def _refuse_text(path: Path, head: bytes) -> None:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if re.match(rb"(?i)<(!doctype html|html|head|\?xml|!--)", start):
        cause = "this is a web page, not a checkpoint"
        raise Refused(path, cause, "use the link that downloads the file itself")
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if len(head) < _HEAD or error.start < _HEAD - 4:
            return
        text = head[: error.start].decode("utf-8")
    if any(c < " " and c not in "\t\n\r\f\x1b" for c in text):
        return
    if start[:1] in {b"{", b"["}:
        cause = "this is JSON, not weights"
        raise Refused(path, cause, "give the checkpoint or its folder")
    if re.search(r"(?m)^(import|from|def|class) \w", text):
        raise Refused(
            path, "this is Python source", "give the checkpoint that it makes"
        )
    raise Refused(path, "this is text, not a checkpoint", "give the checkpoint itself")


def _refuse_tables(path: Path, head: bytes) -> None:
    suffix = path.suffix.lower()
    # ONNX is a protobuf: field 1 (ir_version) is a small number, field 2 the producer.
    if suffix == ".onnx" or re.match(rb"\x08[\x01-\x1e](\x12|\x1a|:|B)", head):
        remedy = "analyze the torch model that it was exported from"
        raise Refused(path, "this is ONNX", remedy)
    if suffix == ".pb":
        raise Refused(path, "this is a TensorFlow graph", _TORCH)
    if ".data-0" in path.name or suffix in {".index", ".meta"}:
        raise Refused(path, "this is part of a TensorFlow checkpoint", _TORCH)
    if suffix == ".msgpack" or re.match(rb"[\x81-\x8f\xde\xdf].{0,4}[\xa1-\xbf]", head):
        raise Refused(path, "this is msgpack, such as Flax writes", _TORCH)
