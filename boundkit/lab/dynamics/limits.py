"""Claims about limits, held against a run that ends before the limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from boundkit.lab.dynamics.checks import Check, equal, open_claim

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["approached"]

#: Share of the distance that a quantity which comes nearer has lost at least.
_STILL = 1e-6


def approached(
    name: str,
    claim: str,
    source: str,
    limit: float,
    values: NDArray[np.float64],
    tolerance: float,
    earlier: int,
) -> Check:
    """Check that a quantity tends to a limit.

    It holds where the last value is there; else the run was too short to decide, and the
    check is open and says whether the quantity came nearer.

    Args:
        name: Short, unique.
        claim: In one line.
        source: Paper and equation.
        limit: As the claim says.
        values: (T,) along the run; NaN where it is not defined.
        tolerance: Of the last value, absolutely.
        earlier: Which of the values is "before".
    """
    found, before = float(values[-1]), float(values[earlier])
    check = equal(name, claim, source, limit, found, tolerance, relative=False)
    if check.holds or not np.isfinite([found, before]).all():
        return check
    nearer = abs(found - limit) < (1 - _STILL) * abs(before - limit)
    course = "on its way" if nearer else "no nearer"
    reason = f"{course}, {before:.3g} before and {found:.3g} at the end"
    if nearer:
        reason += "; run longer"
    return open_claim(name, claim, source, reason, predicted=limit, found=found)
