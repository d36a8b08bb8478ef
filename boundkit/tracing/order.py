"""The order of a run's checkpoints: by a manifest, by their content, or by their names."""

from __future__ import annotations

import itertools
import math
import operator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from boundkit import readers
from boundkit.errors import BoundkitError, UsageError
from boundkit.sweeping.natural import natural
from boundkit.tracing.counters import EPOCH, STEP, from_metadata, from_names, number
from boundkit.tracing.points import ASIDE, TRACED, Point

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from boundkit.sweeping.sources import Source

    Places = list[float | None]

__all__ = ["Order", "in_order", "require_order"]

_HOW = "name files like 'epoch_3.pt', or say with --by which column or entry counts"


@dataclass(frozen=True, slots=True)
class Order:
    """What checkpoints are ordered by.

    Attributes:
        axis: ``"epoch"``, ``"step"``, or another word from their names.
        source: Where it was found, in words.
    """

    axis: str
    source: str


def in_order(
    points: Sequence[Point], by: str
) -> tuple[tuple[Point, ...], Order, tuple[str, ...]]:
    """Return checkpoints in the order of the run, with their place in it.

    Those that have none come last; of those that share one, the first keeps it.

    Args:
        points: In any order.
        by: ``"auto"``, ``"name"``, ``"content"``, or a column of the manifest or an entry
            of the checkpoints.

    Returns:
        The checkpoints, what they are ordered by, and lines for the user.

    Raises:
        UsageError: Nothing tells at least two of them apart.
    """
    order, places, notices = _places(points, by)
    if len({at for at in places if at is not None}) < 2:
        raise UsageError(
            f"there is nothing to order {len(points)} checkpoints by "
            f"({order.source}); {_HOW}"
        )
    placed = [replace(one, at=at) for one, at in zip(points, places, strict=True)]
    placed.sort(key=lambda one: (math.inf if one.at is None else one.at, _key(one)))
    return (*_set_aside(placed, order),), order, tuple(notices)


def require_order(sources: Sequence[Source], by: str) -> None:
    """Refuse what nothing orders before it is analyzed, as far as that can be told.

    Args:
        sources: Checkpoints, not yet read.
        by: As for ``in_order``.

    Raises:
        UsageError: Nothing tells them apart.
    """
    points = [Point(one.path, TRACED, carried=one.columns) for one in sources]
    if by == "auto" and not from_names([one.path for one in sources])[0]:
        points = [
            replace(point, metadata=_metadata(one.where))
            for point, one in zip(points, sources, strict=True)
        ]
    if by in {"auto", "name"}:
        in_order(points, by)


def _metadata(where: str) -> Mapping[str, Any]:
    try:
        return readers.read(where).metadata
    except BoundkitError:
        return {}


def _key(one: Point) -> Any:
    return natural(one.path)


def _places(points: Sequence[Point], by: str) -> tuple[Order, Places, list[str]]:
    if by == "name":
        return *_by_name(points), []
    if by == "content":
        return *_by_content(points), []
    if by != "auto":
        return *_by_column(points, by), []
    for name in ("epoch", "step"):
        order, places = _by_column(points, name, carried=True)
        if None not in places:
            return order, places, []
    content, inside = _by_content(points)
    naming, outside = _by_name(points)
    sound = [at for at, one in enumerate(points) if one.sound]
    if sum(inside[at] is not None for at in sound) < sum(
        outside[at] is not None for at in sound
    ) or not any(at is not None for at in inside):
        return naming, outside, []
    return (
        content,
        _completed(inside, outside),
        _contradictions(points, inside, outside),
    )


def _by_column(
    points: Sequence[Point], name: str, *, carried: bool = False
) -> tuple[Order, Places]:
    places: Places = []
    for one in points:
        table = one.carried if carried else one.columns | dict(one.carried)
        value = table.get(name, None if carried else one.metadata.get(name))
        places.append(number(value))
    axis = name.removeprefix("meta.")
    where = "of the manifest" if carried else "as asked for"
    return Order(axis, f"column {axis!r} {where}"), places


def _by_content(points: Sequence[Point]) -> tuple[Order, Places]:
    name, places = from_metadata([one.metadata for one in points])
    if not name:
        return Order("epoch", "no epoch in the checkpoints"), [None] * len(points)
    return Order(_axis(name.rpartition(".")[2]), f"{name!r} in the checkpoints"), places


def _by_name(points: Sequence[Point]) -> tuple[Order, Places]:
    name, places = from_names([one.path for one in points])
    if not name:
        source = "no number in their names tells them apart, nor does their content"
        return Order("epoch", source), [None] * len(points)
    word = "the number" if name == "number" else f"the number after {name!r}"
    return Order(_axis(name), f"{word} in their names"), places


def _axis(word: str) -> str:
    word = word.lower()
    return "epoch" if word in EPOCH else "step" if word in STEP else word


def _completed(inside: Places, outside: Places) -> Places:
    """Fill in from names what could not be read, where names and content run in step."""
    gaps = {
        here - there
        for here, there in zip(inside, outside, strict=True)
        if here is not None and there is not None
    }
    if len(gaps) != 1:
        return inside
    gap = gaps.pop()
    return [
        there + gap if here is None and there is not None else here
        for here, there in zip(inside, outside, strict=True)
    ]


def _contradictions(
    points: Sequence[Point], inside: Places, outside: Places
) -> list[str]:
    both = [
        (there, here, one.path)
        for here, there, one in zip(inside, outside, points, strict=True)
        if here is not None and there is not None
    ]
    both.sort(key=operator.itemgetter(slice(2)))
    for (low, first, path), (high, second, other) in itertools.pairwise(both):
        if low < high and first > second:
            return [
                (
                    f"names and content disagree on the order: {path!r} says {first:g} inside, "
                    f"{other!r} says {second:g}; the content decides (--by name for the names)"
                )
            ]
    return []


def _set_aside(placed: Sequence[Point], order: Order) -> list[Point]:
    """Give each place to one checkpoint, the first that could be analyzed."""
    taken: dict[float, Point] = {}
    found = []
    for one in placed:
        if not one.sound:
            found.append(one)
        elif one.at is None:
            reason = f"no {order.axis}: it has none by {order.source}"
            found.append(replace(one, status=ASIDE, reason=reason))
        elif one.at in taken:
            found.append(
                replace(one, status=ASIDE, reason=_twin(one, taken[one.at], order))
            )
        else:
            taken[one.at] = one
            found.append(one)
    return found


def _twin(one: Point, first: Point, order: Order) -> str:
    same = one.row.get("sha256") == first.row.get("sha256") is not None
    what = "the same content as" if same else "of the same place as"
    return f"{what} {first.path!r} ({order.axis} {one.at:g}), which comes first by name"
