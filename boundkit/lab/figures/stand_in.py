"""Saying which images a figure ran on, where the paper names others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.lab.data.known import known_as

if TYPE_CHECKING:
    from collections.abc import Sequence

    from boundkit.lab.data import Images

__all__ = ["data_note", "in_place"]

_OTHER = "another set of images"


def in_place(images: Images, wanted: Sequence[str]) -> str:
    """Return the start of what was measured: which images stand in, if any do.

    Args:
        images: That were used.
        wanted: Data sets of the figure.
    """
    found = known_as(images)
    if found in wanted:
        return ""
    return f"{found or _OTHER} in place of {' or '.join(wanted)}: "


def data_note(images: Images, wanted: Sequence[str]) -> str:
    """Return a sentence that says whether these are the images of the paper's figure.

    Args:
        images: That were used.
        wanted: Data sets of the figure; it is drawn for one of them at a time.
    """
    found = known_as(images)
    named = " and ".join(wanted)
    if found not in wanted:
        return (
            f"the paper's figure is of {named}; this is {found or _OTHER} in its place: name"
            " the folder of its files with --data"
        )
    if len(wanted) > 1:
        return f"the paper's figure is of {named}; this is {found}"
    return f"these are the paper's own images, {found}"
