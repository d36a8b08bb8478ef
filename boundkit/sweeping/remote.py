"""Checkpoints behind URLs, through fsspec: found, told apart, read by ranges."""

from __future__ import annotations

import hashlib
import json
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from boundkit.errors import Unreadable, UsageError
from boundkit.readers.ranged import ranged
from boundkit.sweeping.folder import checkpoints_among, is_checkpoint_name
from boundkit.sweeping.natural import natural

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

__all__ = ["content", "expanded", "is_url", "local", "version"]

#: What file systems call a mark that changes with the content, the surest first.
_MARKS = (
    "sha256",
    "blob_id",
    "md5",
    "md5Hash",
    "Content-MD5",
    "crc32c",
    "ETag",
    "etag",
    "generation",
    "VersionId",
    "version_id",
    "Last-Modified",
    "LastModified",
    "last_modified",
    "updated",
    "mtime",
    "created",
)
_MAGIC = frozenset("*?[")
_INSTALL = "install it with: pip install 'boundkit[remote]'"


def is_url(text: str) -> bool:
    """Say whether a source is a URL.

    Args:
        text: As the user wrote it.
    """
    scheme, colon, _ = text.partition("://")
    return bool(colon) and scheme.replace("+", "").replace("::", "").isalnum()


def _opened(url: str) -> tuple[Any, str]:
    """Return the file system of a URL, and the path there.

    Raises:
        Unreadable: The file system refuses.
        UsageError: It is not installed.
    """  # noqa: DOC501 - _failed makes the Unreadable
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise UsageError(f"{url}: URLs need fsspec; {_INSTALL}") from None
    try:
        found: tuple[Any, str] = url_to_fs(url)
    except ImportError as error:
        what = " ".join(str(error).split())
        raise UsageError(f"{url}: {what}; {_INSTALL}, or what it names") from error
    except Exception as error:
        raise _failed(url, error) from error
    return found


def _failed(url: str, error: Exception) -> Unreadable:
    """Say what a file system of others, which may raise anything, has met."""
    if isinstance(error, FileNotFoundError):
        return Unreadable(url, "no such file or folder", "check the address")
    what = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    return Unreadable(url, f"cannot be reached ({what})", "check address and network")


def content(url: str) -> bytes:
    """Return all bytes of a small file, such as a manifest.

    Args:
        url: Of the file.

    Raises:
        Unreadable: It cannot be fetched.
        UsageError: The file system is not installed.
    """  # noqa: DOC501 - _failed makes the Unreadable
    system, path = _opened(url)
    try:
        return bytes(system.cat_file(path))
    except Exception as error:
        raise _failed(url, error) from error


def expanded(url: str) -> list[str]:
    """Return the URLs of the checkpoints that a URL stands for.

    Args:
        url: Of a file, of a folder, or with wildcards.

    Returns:
        URLs in natural order; the URL itself where it is called like a checkpoint.

    Raises:
        Unreadable: The place cannot be listed.
        UsageError: The file system is not installed.
    """  # noqa: DOC501 - _failed makes the Unreadable
    wild = bool(_MAGIC & set(url.partition("?")[0] if _is_web(url) else url))
    if "::" in url or (not wild and (is_checkpoint_name(url) or _is_web(url))):
        _opened(url)
        return [url]
    system, path = _opened(url)
    try:
        files = _listed(system, path, wild=wild)
    except Exception as error:
        raise _failed(url, error) from error
    return [system.unstrip_protocol(file) for file in files]


def _listed(system: Any, path: str, *, wild: bool) -> list[str]:
    if wild:
        found = system.glob(path, detail=True)
        files = [name for name, info in found.items() if info["type"] == "file"]
        folders = [name for name in found if name not in set(files)]
    else:
        files, folders = ([], [path]) if system.isdir(path) else ([path], [])
    files.sort(key=natural)
    for folder in folders:
        files += checkpoints_among(system.find(folder))
    return files


def _is_web(url: str) -> bool:
    """Say whether asking for a folder would fetch a whole file."""
    return url.startswith(("http://", "https://"))


def _details(url: str, system: Any, path: str) -> dict[str, Mapping[str, Any]]:
    """Return what is known of the file, or of each file in the folder.

    Raises:
        Unreadable: It cannot be reached.
    """  # noqa: DOC501 - _failed makes the Unreadable
    try:
        info = system.info(path)
        if info.get("type") != "directory":
            return {path: info}
        found: dict[str, Mapping[str, Any]] = system.find(path, detail=True)
    except Exception as error:
        raise _failed(url, error) from error
    return found


def version(url: str) -> str | None:
    """Return what changes when the content behind a URL does, without reading it.

    Args:
        url: Of a checkpoint.

    Returns:
        A digest of sizes and marks such as ETags; None where there are no marks.

    Raises:
        Unreadable: It cannot be reached.
        UsageError: The file system is not installed.
    """
    system, path = _opened(url)
    lines = []
    for name, info in sorted(_details(url, system, path).items()):
        mark = next((f"{key}={info[key]}" for key in _MARKS if info.get(key)), None)
        if mark is None:
            return None
        lines.append([name, info.get("size"), mark])
    text = json.dumps([type(system).__name__, lines])
    return hashlib.sha256(text.encode()).hexdigest()


@contextmanager
def local(url: str) -> Generator[Path]:
    """Stand a checkpoint behind a URL on the disk, to be filled as it is read.

    Args:
        url: Of a file, or of a folder that is one checkpoint.

    Yields:
        A path that every reader takes, until the context ends.

    Raises:
        Unreadable: It cannot be reached, or there is no room.
        UsageError: The file system is not installed.
    """
    system, path = _opened(url)
    details = _details(url, system, path)
    whole = PurePosixPath(path.partition("?")[0] if _is_web(url) else path)
    with TemporaryDirectory(prefix="boundkit-") as folder, ExitStack() as stack:
        place = Path(folder, whole.name or "checkpoint")
        for name, info in details.items():
            inner = name.removeprefix(path).strip("/") if name != path else ""
            file = place / inner if inner else place
            file.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(_stood(url, system, name, info, file))
        yield place


@contextmanager
def _stood(
    url: str, system: Any, name: str, info: Mapping[str, Any], file: Path
) -> Generator[None]:
    size = info.get("size")
    data = b""
    if size is None:
        try:
            data = system.cat_file(name)
        except Exception as error:
            raise _failed(url, error) from error

    def fetch(start: int, stop: int) -> bytes:
        if size is None:
            return bytes(data)
        return bytes(system.cat_file(name, start=start, end=stop))

    with ranged(file, len(data) if size is None else int(size), fetch):
        yield
