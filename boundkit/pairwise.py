"""Nets two by two: what orders them, and whether their held-out errors agree."""

from __future__ import annotations

import math
from itertools import combinations, starmap
from typing import TYPE_CHECKING

from boundkit.report.comparison_model import Agreement, Pair

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from boundkit.report.comparison_model import Ranking, Relative
    from boundkit.types import Certificate

__all__ = ["agreements", "order", "pairs", "ranking"]

#: In log10. Norms are good to 1e-12 each, so hundreds of layers to less than this.
_TIE = 1e-10
_HELD_OUT = "holdout"


def order(first: float | None, second: float | None) -> int | None:
    """Return the sign of ``first - second``, 0 within rounding, None if one is missing.

    Args:
        first: A logarithm to base 10.
        second: Another.
    """
    if first is None or second is None:
        return None
    if first == second or abs(first - second) <= _TIE:
        return 0
    return 1 if first > second else -1


def ranking(labels: Sequence[str], logs: Sequence[float | None]) -> Ranking:
    """Return the labels with the smallest number first, equal ones in one group.

    Args:
        labels: Of the nets.
        logs: A logarithm to base 10 for each; nets without one are left out.
    """
    known = [(log, at) for at, log in enumerate(logs) if log is not None]
    groups: list[list[str]] = []
    last: float | None = None
    for log, at in sorted(known):
        if last is not None and order(last, log) == 0:
            groups[-1].append(labels[at])
        else:
            groups.append([labels[at]])
        last = log
    return tuple(map(tuple, groups))


def pairs(labels: Sequence[str], found: Relative) -> tuple[Pair, ...]:
    """Return how every pair compares, by bound and by held-out error.

    Args:
        labels: One per net.
        found: Their relative generalization.
    """
    logs, errors = found.chosen.log10_ratios, found.test_errors

    def pair(a: int, b: int) -> Pair:
        first, second = logs[a], logs[b]
        factor = None if first is None or second is None else first - second
        decided = order(first, second)
        return Pair(labels[a], labels[b], decided, factor, _exact(errors[a], errors[b]))

    return tuple(starmap(pair, combinations(range(len(labels)), 2)))


def agreements(
    labels: Sequence[str],
    found: Relative,
    certificates: Mapping[str, Sequence[Certificate]],
) -> tuple[Agreement, ...]:
    """Return how rho / gamma and every bound order the pairs, against held-out errors.

    Args:
        labels: One per net.
        found: Their relative generalization.
        certificates: Bound -> its certificate for each net.

    Returns:
        One for rho / gamma and one for each bound that two nets have a value of; none
        where fewer than two held-out errors are known. The bound from the held-out
        sample itself is left out.
    """
    if sum(error is not None for error in found.test_errors) < 2:
        return ()
    sizes = {"rho / gamma": list(found.chosen.log10_ratios)}
    for bound, row in certificates.items():
        logs = [_size(one) for one in row]
        if bound != _HELD_OUT and sum(log is not None for log in logs) > 1:
            sizes[bound] = logs
    return tuple(
        _agreement(by, labels, logs, found.test_errors) for by, logs in sizes.items()
    )


def _size(one: Certificate) -> float | None:
    if one.log10 is not None or one.value is None:
        return one.log10
    return math.log10(one.value) if one.value > 0 else -math.inf


def _exact(first: float | None, second: float | None) -> int | None:
    if first is None or second is None:
        return None
    return (first > second) - (first < second)


def _agreement(
    by: str,
    labels: Sequence[str],
    logs: Sequence[float | None],
    errors: Sequence[float | None],
) -> Agreement:
    orders = [
        (
            (labels[a], labels[b]),
            order(logs[a], logs[b]),
            _exact(errors[a], errors[b]),
        )
        for a, b in combinations(range(len(labels)), 2)
    ]

    def those(which: Callable[[int, int], bool]) -> tuple[tuple[str, str], ...]:
        return tuple(
            pair
            for pair, mine, its in orders
            if mine is not None and its is not None and which(mine, its)
        )

    return Agreement(
        by,
        agree=those(lambda mine, its: mine * its > 0),
        disagree=those(lambda mine, its: mine * its < 0),
        ties=those(lambda mine, its: mine * its == 0),
        undefined=tuple(pair for pair, *signs in orders if None in signs),
    )
