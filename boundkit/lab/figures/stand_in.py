"""Saying which images a figure ran on, where the paper names others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.lab.data.known import known_as

if TYPE_CHECKING:
    from collections.abc import Sequence

    from boundkit.lab.data import Images

__all__ = ["data_note"]


def data_note(images: Images, wanted: Sequence[str]) -> str:
    """Return a sentence that says whether these are the images of the paper's figure.

    Args:
        images: That were used.
        wanted: Data sets of the figure; it is drawn for one of them at a time.
    """
    found = known_as(images)
    named = " and ".join(wanted)
    if found not in wanted:
        others = found or "images of another set"
        return (
            f"the paper's figure is of {named}; {others} stand in for it here: name the"
            " folder of its files with --data"
        )
    if len(wanted) > 1:
        return f"the paper's figure is of {named}; this is {found}"
    return f"these are the paper's own images, {found}"
