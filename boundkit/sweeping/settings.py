"""What all results of a folder have in common: options, and the version of boundkit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn

from boundkit.errors import UsageError
from boundkit.sweeping.atomic import write_whole
from boundkit.sweeping.identity import options_digest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["refuse_to_write", "settle", "stored"]

SCHEMA = "boundkit.sweep/1"
_SETTINGS = "sweep.json"


def refuse_to_write(folder: Path, error: OSError) -> NoReturn:
    """Say that the folder of results cannot be written.

    Args:
        folder: Of the results.
        error: What the system says.

    Raises:
        UsageError: Always.
    """
    raise UsageError(
        f"cannot write in '{folder}': {error.strerror or error}; make room or choose "
        "another --out (results that are there are kept: run again to go on)"
    ) from error


def settle(folder: Path, options: Mapping[str, Any]) -> None:
    """Check that the folder's results are of this kind, or say from now on they are.

    Args:
        folder: Of the sweep.
        options: Of the analysis, plain values.

    Raises:
        OSError: The folder cannot be written.
        UsageError: It holds something else, or results with other options or of another
            version.
    """
    from boundkit import __version__

    plain = json.loads(json.dumps(options, default=list))
    ours = {"schema": SCHEMA, "boundkit": __version__, "options": plain}
    path = folder / _SETTINGS
    if not path.exists():
        _require_empty(folder)
        write_whole(path, (json.dumps(ours, indent=1) + "\n").encode())
        return
    theirs = stored(folder)
    if theirs.get("boundkit") != __version__ or theirs.get("schema") != SCHEMA:
        raise UsageError(
            f"'{folder}' holds results of boundkit {theirs.get('boundkit')}, and this is "
            f"{__version__}: choose another --out, since numbers may differ"
        )
    if options_digest(theirs["options"]) != options_digest(options):
        raise UsageError(
            f"'{folder}' holds results with other options ({_differences(theirs, ours)})"
            ": choose another --out, or give the same options"
        )


def _differences(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> str:
    then, now = theirs["options"], ours["options"]
    found = []
    for name in sorted({*then, *now}):
        if name == "files":
            old, new = then.get(name, {}), now.get(name, {})
            found += [
                f"the file of {part} has changed"
                for part in sorted({*old} & {*new})
                if old[part] != new[part]
            ]
        elif then.get(name) != now.get(name):
            found.append(f"{name} was {then.get(name)!r}, now {now.get(name)!r}")
    return "; ".join(found)


def _require_empty(folder: Path) -> None:
    strange = sorted(
        path.name
        for path in folder.iterdir()
        if not path.name.startswith(".")
        and (path.name != "results" or any(path.glob("[!.]*")))
    )
    if strange:
        raise UsageError(
            f"'{folder}' is no folder of results, and not empty ({strange[0]!r} is in "
            "it): choose a new one for --out"
        )


def stored(folder: Path) -> dict[str, Any]:
    """Return the settings of a folder of results: schema, boundkit, options.

    Args:
        folder: Of the sweep.

    Raises:
        UsageError: It is none, or they are damaged.
    """
    path = folder / _SETTINGS
    try:
        found: dict[str, Any] = json.loads(path.read_bytes())
        found["options"].keys()
    except FileNotFoundError:
        raise UsageError(
            f"'{folder}' is no folder of results: it has no {_SETTINGS}; give what "
            "--out named"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"'{path}' is damaged ({type(error).__name__}): choose another --out"
        ) from error
    return found
