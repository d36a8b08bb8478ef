"""Flow of the signal-to-noise values along the central path of P2, in closed form."""

from __future__ import annotations

import math

__all__ = ["clock", "moved"]


def clock(value: float, classes: int, per_class: float) -> float:
    """Return ``c1 log w + c2 w^2 + c3 w^4`` of P2 eq. (9), which grows by t in time t.

    P2 names the constants without their values. With the square loss of P2 eq. (2)
    without weight decay and the flow on the features, ``dw/dt = w / (N (C + w^2)^2)``,
    so c1 = N C^2, c2 = N C and c3 = N / 4.

    Args:
        value: w, a singular value of the signal-to-noise matrix; positive.
        classes: C.
        per_class: N, samples per class; 1 if the flow is on the class means.
    """
    square = value * value
    terms = classes**2 * math.log(value) + classes * square + square * square / 4
    return per_class * terms


def moved(value: float, time: float, classes: int, per_class: float) -> float:
    """Return the signal-to-noise value that flows from ``value`` in the given time.

    The solution w of ``clock(w) = clock(value) + time``, by Newton's method in log w,
    where the clock is convex and increasing; P2 Proposition 2.

    Args:
        value: At time 0; positive.
        time: Not negative.
        classes: C.
        per_class: N, samples per class; 1 if the flow is on the class means.
    """
    target = clock(value, classes, per_class) + time
    # From the right of the root Newton's steps on a convex function go down to it.
    upper = (value**4 + 4 * time / per_class) ** 0.25
    log = math.log(max(upper, value))
    for _ in range(200):
        at = math.exp(log)
        step = (clock(at, classes, per_class) - target) / (
            per_class * (classes + at * at) ** 2
        )
        log -= step
        if abs(step) <= 1e-15 * max(1.0, abs(log)):
            break
    return math.exp(log)
