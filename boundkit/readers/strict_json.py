"""JSON that says each thing once: no duplicate keys, no NaN, no bottomless nesting."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn

from boundkit.errors import Unreadable
from boundkit.readers.quoting import shown

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["parse"]


def parse(text: bytes, source: Path, what: str, remedy: str) -> dict[str, Any]:
    """Return the JSON object in ``text``.

    Args:
        text: UTF-8.
        source: The file, for messages.
        what: What the text is, such as ``"the header"``.
        remedy: What the user can do if it does not parse.

    Returns:
        The object; the order of its keys is the file's.

    Raises:
        Unreadable: The text is not UTF-8, not JSON, not an object, or names a key twice.
    """
    try:
        value = json.loads(
            text.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_constant
        )
    except RecursionError:
        raise Unreadable(source, f"{what} is nested too deeply", remedy) from None
    except ValueError as error:
        cause = f"{what} is not valid JSON ({_first_line(error)})"
        raise Unreadable(source, cause, remedy) from None
    if not isinstance(value, dict):
        raise Unreadable(source, f"{what} is not a JSON object", remedy)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    unique = dict(pairs)
    if len(unique) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise ValueError(f"duplicate key {shown(key)}")
            seen.add(key)
    return unique


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _first_line(error: ValueError) -> str:
    return ascii(str(error))[1:-1][:120]
