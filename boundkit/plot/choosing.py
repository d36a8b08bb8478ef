"""One figure out of a catalog, by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from boundkit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.figure import Figure

__all__ = ["chosen"]

Subject = TypeVar("Subject")


def chosen(
    catalog: Sequence[Callable[[Subject], Figure | None]],
    subject: Subject,
    name: str | None,
) -> Figure:
    """Return the figure of that name, or the first that there are numbers for.

    Args:
        catalog: Figures; each is called as its function is.
        subject: What is drawn.
        name: Of a figure; None for the first that can be drawn.

    Raises:
        UsageError: There is no figure of that name, or no numbers for it.
    """
    names = [each.__name__ for each in catalog]
    if name is not None and name not in names:
        raise UsageError(f"no figure is called {name!a}; there are {', '.join(names)}")
    for each in catalog:
        if name is None or each.__name__ == name:
            figure = each(subject)
            if figure is not None:
                return figure
    what = "no figure can be drawn" if name is None else f"{name} cannot be drawn"
    raise UsageError(
        f"{what}: the numbers that it shows are not there; margins and collapse need "
        "model and data, spectra need the part 'spectra'"
    )
