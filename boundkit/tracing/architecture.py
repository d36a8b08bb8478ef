"""Checkpoints of one run have one architecture; strangers among them are set aside."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from boundkit.errors import UsageError
from boundkit.tracing.points import ASIDE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from boundkit.tracing.points import Point

__all__ = ["of_one_architecture"]

_Shapes: TypeAlias = dict[str, tuple[int, ...]]


def of_one_architecture(points: Sequence[Point]) -> tuple[Point, ...]:
    """Return checkpoints with those set aside whose layers are not those of most.

    Args:
        points: In any order.

    Raises:
        UsageError: No architecture is that of most.
    """
    sound = [one for one in points if one.sound]
    counted = Counter(frozenset(_shapes(one).items()) for one in sound).most_common()
    if len(counted) < 2:
        return tuple(points)
    most = dict(counted[0][0])
    friend = next(one for one in sound if _shapes(one) == most)
    ours = _shapes(friend)
    if counted[1][1] == counted[0][1]:
        stranger = next(one for one in sound if _shapes(one) != ours)
        raise UsageError(
            f"these are checkpoints of several architectures: {friend.path!r} and "
            f"{stranger.path!r} differ ({_difference(ours, _shapes(stranger))}), and rho "
            "is comparable within one only; trace one run at a time"
        )
    return tuple(_judged(one, ours, friend.path) for one in points)


def _judged(one: Point, ours: _Shapes, friend: str) -> Point:
    theirs = _shapes(one)
    if not one.sound or theirs == ours:
        return one
    reason = f"of another architecture than {friend!r}: {_difference(ours, theirs)}"
    return replace(one, status=ASIDE, reason=reason)


def _shapes(one: Point) -> _Shapes:
    return {layer["name"]: tuple(layer["shape"]) for layer in one.layers}


def _difference(ours: _Shapes, theirs: _Shapes) -> str:
    """Name the first layer in which two architectures differ, which they do."""
    name = next(n for n in {**ours, **theirs} if ours.get(n) != theirs.get(n))
    return f"{name!r} is {_shape(ours.get(name))} and {_shape(theirs.get(name))}"


def _shape(shape: tuple[int, ...] | None) -> str:
    return "missing" if shape is None else "x".join(map(str, shape))
