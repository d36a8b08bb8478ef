"""What P4 says of the saddle of Example 3.1, beside what was found."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from boundkit.lab.dynamics.checks import Check, equal, open_claim, residual
from boundkit.lab.dynamics.layer_peeled_saddle import escape, pull

if TYPE_CHECKING:
    from boundkit.lab.dynamics.layer_peeled_paths import Model
    from boundkit.lab.dynamics.layer_peeled_rows import Path
    from boundkit.lab.dynamics.layer_peeled_saddle import Saddle

__all__ = ["saddle_checks"]

#: Tangent of the angle up to which the linear theory is held to its number.
_LINEAR = 0.15


def saddle_checks(path: Path, model: Model, scale: float) -> tuple[Check, ...]:
    """Hold the saddle, and the way out of it, against Example 3.1 and Theorem 3.4.

    Args:
        path: From the saddle.
        model: Of the path.
        scale: Of the saddle.
    """
    saddle = path.saddle
    if saddle is None:
        return ()
    return (*_still(saddle, model, scale), _left(path, model))


def _still(saddle: Saddle, model: Model, scale: float) -> tuple[Check, ...]:
    margin = 2 * scale**2
    downhill = model.slope()(0.0, saddle.center.flat) / model.share
    off = downhill + saddle.pull * saddle.center.flat
    aside = float(np.linalg.norm(off) / np.linalg.norm(downhill))
    return (
        residual(
            "saddle",
            "the gradient points along the point itself (share that does not)",
            "P4 Example 3.1",
            aside,
            1e-9,
        ),
        equal(
            "multiplier",
            "lam of grad L = lam theta, its printed denominator corrected",
            "P4 Example 3.1",
            -pull(model.classes, model.per_class, margin),
            saddle.pull,
            1e-9,
        ),
        residual(
            "first order",
            "the loss has no slope along the way out (over its size)",
            "P4 Theorem 3.4",
            saddle.slope / saddle.loss,
            1e-6,
        ),
        equal(
            "curvature",
            "second derivative of the loss along the way out, by the angle",
            "P4 Theorem 3.4, (C.8)",
            saddle.curvature,
            saddle.bend,
            # Of a difference quotient.
            1e-3,
        ),
    )


def _left(path: Path, model: Model) -> Check:
    name = "escape"
    claim = "log of the angle off the saddle's ray grows as linear theory says"
    source = "follows from P4 (C.8)"
    tangent, margin = np.tan(path.named["angle"]), path.named["ray_margin"]
    if abs(tangent[0]) < 1e-12:
        return _stayed(path)
    small = np.flatnonzero(np.abs(tangent) <= _LINEAR)
    if not path.is_flow or len(small) < 3 or small[0] != 0:
        reason = (
            "linear theory is of gradient flow and small angles; choose method flow and an"
            f" offset below {_LINEAR}"
        )
        return open_claim(name, claim, source, reason)
    # Up to where the angle is first too large.
    last = int(np.argmax(np.abs(tangent) > _LINEAR)) or len(tangent)
    last -= 1
    told = escape(model.classes, float(margin[0]), float(margin[last]))
    found = math.log(tangent[last] / tangent[0])
    return equal(name, claim, source, told, found, 0.02)


def _stayed(path: Path) -> Check:
    """Return how far a path from the saddle itself has come off its ray."""
    check = residual(
        "stuck",
        "from the saddle itself the point is only stretched (largest angle)",
        "P4 Example 3.1",
        float(np.abs(path.named["angle"]).max()),
        1e-6,
    )
    return check if check.holds else replace(check, reason="rounding grew")
