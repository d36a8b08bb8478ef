"""The one way in for code: ``torch.load`` as its author meant it, if the user says so."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from boundkit.errors import Unreadable
from boundkit.readers.in_memory import read as read_memory
from boundkit.readers.quoting import shown
from boundkit.types import Notice

if TYPE_CHECKING:
    from pathlib import Path

    from boundkit.readers.contents import Contents

__all__ = ["NAME", "read"]

NAME = "torch.load, trusted"


def read(path: Path) -> Contents:
    """Run the code in a torch file, and describe the tensors that come out.

    Args:
        path: A file that the user trusts as much as a program.

    Returns:
        The tree, with a notice that code was allowed to run.

    Raises:
        Unreadable: The code fails, or its classes are not installed.
    """
    import torch

    try:
        value = torch.load(path, map_location="cpu", weights_only=False)
    except Exception as error:  # noqa: BLE001 - foreign code raises what it likes
        cause = f"torch.load failed ({type(error).__name__}: {shown(error)})"
        remedy = "install the package that saved it, or save the state_dict alone"
        raise Unreadable(path, cause, remedy) from None
    notice = Notice(
        "trusted", f"CODE FROM {path.name} WAS ALLOWED TO RUN, because of --trust"
    )
    return replace(read_memory(value), format=NAME, files=(path,), notices=(notice,))
