"""What is known of the scalar reduction, beside what was computed."""

from __future__ import annotations

from dataclasses import dataclass
from math import log, log10, pi, sqrt
from typing import TYPE_CHECKING

import numpy as np

from boundkit.lab.dynamics import scalar_closed as closed
from boundkit.lab.dynamics.checks import Check, at_most, equal, open_claim, residual
from boundkit.measure.margins import margin_summary

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from boundkit.lab.dynamics.simulation import Table

    Numbers = NDArray[np.float64]

__all__ = ["Reduction", "descent_claims", "flow_claims"]


@dataclass(frozen=True, slots=True, eq=False)
class Reduction:
    """Fixed margins, from where rho starts.

    Attributes:
        margins: (n,) fb, the net's with unit layers.
        rho: At time 0, above 0.
        decay: lam.
        depth: L, layers of the flow without unit norms.
        rate: eta of descent, or None.
    """

    margins: Numbers
    rho: float
    decay: float
    depth: int
    rate: float | None

    @property
    def mean(self) -> float:
        """The mean margin mu."""
        return float(self.margins.mean())

    @property
    def square(self) -> float:
        """The second moment M."""
        return float((self.margins**2).mean())

    @property
    def stiffness(self) -> float:
        """The sum A = M + lam."""
        return self.square + self.decay

    @property
    def rest(self) -> float:
        """The equilibrium rho_eq, as the margins' own summary has it."""
        return float(self._summary()["rho_eq"])

    @property
    def epsilon(self) -> float:
        """The loss at rho_eq, as the margins' own summary has it."""
        return float(self._summary()["epsilon"])

    def _summary(self) -> dict[str, float]:
        raw = self.rho * self.margins
        found: dict[str, float] = margin_summary(raw, log10(self.rho), self.decay)
        return found


def flow_claims(reduction: Reduction, table: Table, rtol: float) -> tuple[Check, ...]:
    """Return what P1 and P0 say of rho with fixed margins.

    Args:
        reduction: What is fixed.
        table: Of the flow.
        rtol: Of the solver.
    """
    rho, exact, slack = table.column("rho"), table.column("rho_closed"), 20 * rtol
    span = max(np.abs(exact).max(), 1e-300)
    return (
        residual(
            "relaxation",
            "rho = rho_eq + (rho_0 - rho_eq) exp(-2 (M + lam) t): deviation over its size",
            "P1 (6)",
            float(np.abs(rho - exact).max() / span),
            slack,
        ),
        *_rest_claims(reduction, table),
        _free_claim(reduction, table, slack),
    )


def _rest_claims(reduction: Reduction, table: Table) -> tuple[Check, ...]:
    rest = ("rho_eq", "at rest, rho = mu/(M + lam)", "P1 (7)")
    lowest = ("epsilon", "at rest, the loss is epsilon", "P1 (8), (29)")
    left = np.exp(-2 * reduction.stiffness * table.column("time")[-1])
    rho, loss = float(table.column("rho")[-1]), float(table.column("loss")[-1])
    if not left < 1e-4:
        reason = f"{left:.1e} of the way is left; give more --time"
        return (
            open_claim(*rest, reason, predicted=reduction.rest, found=rho),
            open_claim(*lowest, reason, predicted=reduction.epsilon, found=loss),
        )
    return (
        equal(*rest, reduction.rest, rho, 1e-3),
        equal(*lowest, reduction.epsilon, loss, 1e-3, relative=False),
    )


def _free_claim(reduction: Reduction, table: Table, slack: float) -> Check:
    """Return the claim about free norms: a closed form, or the time of arrival."""
    depth, rho, times = reduction.depth, table.column("rho_free"), table.column("time")
    start, mean, stiffness = reduction.rho, reduction.mean, reduction.stiffness
    source = "P0 (12), with lam"
    if depth <= 2:
        exact = (closed.relaxation, closed.logistic)[depth - 1](
            times, start, mean, stiffness
        )
        kind = ("an exponential", "logistic")[depth - 1]
        claim = (
            f"with free norms and L = {depth}, rho is {kind}: deviation over its size"
        )
        size = max(np.abs(exact).max(), 1e-300)
        return residual(
            "free norms", claim, source, float(np.abs(rho - exact).max() / size), slack
        )
    claim = f"with free norms and L = {depth}, when rho gets there, by quadrature"
    told = ("free norms", claim, source)
    if mean <= 0:
        return open_claim(*told, "without average separability rho only nears 0")
    # Up to nine tenths of the way; the rest point is only reached in infinite time.
    under_way = (rho - reduction.rest) / (start - reduction.rest or np.nan) >= 0.1
    at = int(np.flatnonzero(under_way)[-1]) if under_way.any() else 0
    if at == 0:
        reason = "rho is at rest from the first time on; give more --points"
        return open_claim(*told, reason)
    predicted = closed.arrival(start, float(rho[at]), mean, stiffness, depth)
    return equal(*told, predicted, float(times[at]), slack)


def descent_claims(
    reduction: Reduction, table: Table, fine: Table, rtol: float
) -> tuple[Check, ...]:
    """Return what is known of descent and of the second-order flow.

    Args:
        reduction: What is fixed, with a rate.
        table: Of descent.
        fine: The second-order flow, at more times.
        rtol: Of the solver.
    """
    rate, stiffness = reduction.rate or 0.0, reduction.stiffness
    column = table.column
    second, oscillating = column("rho_second"), column("rho_second_closed")
    span = max(np.abs(oscillating).max(), 1e-300)
    steps, exact = column("rho_descent"), column("rho_descent_closed")
    known = np.isfinite(steps) & np.isfinite(exact)
    scale = np.maximum(np.abs(exact[known]), np.abs(reduction.rest))
    return (
        residual(
            "descent",
            "after k steps, rho - rho_eq has shrunk by (1 - 2 eta (M + lam))^k: deviation",
            "P1 (46), signs mended",
            float((np.abs(steps - exact)[known] / scale).max()),
            1e-9,
        ),
        residual(
            "oscillator",
            "(eta/2) rho'' + rho' = 2 (mu - (M + lam) rho) in closed form: deviation over"
            " its size",
            "P0 (20)",
            float(np.abs(second - oscillating).max() / span),
            1000 * rtol,
        ),
        _stable(2 * rate * stiffness, steps, reduction.rest),
        _frequency(reduction, fine),
        *_model(reduction, column("rho_flow"), second, steps),
    )


def _stable(product: float, steps: Numbers, rest: float) -> Check:
    """Return the claim about which rates descend to rho_eq."""
    gaps = np.abs(steps - rest)
    moved = gaps[0] > 0 and len(gaps) > 1
    told = (
        "stable rate",
        "descent nears rho_eq iff eta (M + lam) < 1; 1 if it does",
        "P1 (46), signs mended",
    )
    if not moved:
        return open_claim(*told, "it starts at rho_eq, or takes no step")
    return equal(
        *told, float(product < 2), float(gaps[1] < gaps[0]), 0.0, relative=False
    )


def _frequency(reduction: Reduction, fine: Table) -> Check:
    """Return the claim about how fast the second-order flow turns around rho_eq."""
    rate, stiffness = reduction.rate or 0.0, reduction.stiffness
    told = (
        "frequency",
        "the second-order flow turns with sqrt(4 eta (M + lam) - 1)/eta",
        "P0 6, where 4 (M + 2 lam)/eta is printed",
    )
    turning = closed.turning_rate(stiffness, rate)
    if turning is None:
        return open_claim(
            *told,
            f"4 eta (M + lam) = {4 * rate * stiffness:.3g} is at most 1: overdamped",
        )
    times, gaps = fine.column("time"), fine.column("rho_second") - reduction.rest
    turns = np.flatnonzero(np.diff(np.sign(gaps)) != 0)
    if len(turns) < 2:
        return open_claim(*told, "fewer than two passages of rho_eq; give more --time")
    before, after = gaps[turns], gaps[turns + 1]
    passages = times[turns] + np.diff(times)[turns] * before / (before - after)
    return equal(*told, turning, pi / float(np.diff(passages)[0]), 1e-2)


def _model(
    reduction: Reduction, flow: Numbers, second: Numbers, steps: Numbers
) -> tuple[Check, ...]:
    """Return the claims that the second-order flow is the better model of descent."""
    rate, stiffness = reduction.rate or 0.0, reduction.stiffness
    nearer = (
        "second order",
        "the second-order flow is nearer to descent than gradient flow: distances",
        "P0 6",
    )
    turns = (
        "turns alike",
        "descent passes rho_eq iff the second-order flow does; 1 if it does",
        "P0 6",
    )
    if not np.isfinite(steps).all():
        return (
            open_claim(*nearer, "descent diverged"),
            Check(*turns, 0.0, 1.0, 1.0, 0.0, False, False, _UNSTABLE),
        )
    far, near = np.abs(flow - steps).max(), np.abs(second - steps).max()
    model, own = 4 * rate * stiffness > 1, 2 * rate * stiffness > 1
    reason = ""
    if model != own:
        reason = (
            "the second-order flow turns around rho_eq from eta (M + lam) = 1/4 on,"
            f" descent only from 1/2 on; here it is {rate * stiffness:.3g}"
        )
    return (
        at_most(*nearer, float(far), float(near), 0.0),
        Check(
            *turns,
            float(model),
            float(own),
            float(model != own),
            0.0,
            False,
            model == own,
            reason,
        ),
        _slow_mode(rate, stiffness),
    )


_UNSTABLE = (
    "descent diverges, while the second-order flow, whose modes fall like exp(-t/eta),"
    " never does"
)


def _slow_mode(rate: float, stiffness: float) -> Check:
    """Compare the rates at which both near rho_eq, where neither turns."""
    told = (
        "slow mode",
        "descent nears rho_eq at the rate (1 - sqrt(1 - 4 eta A))/eta, A = M + lam",
        "P0 (20); equal up to eta^2",
    )
    if 4 * rate * stiffness >= 1:
        return open_claim(*told, "the second-order flow turns, so it has no slow mode")
    predicted = (1 - sqrt(1 - 4 * rate * stiffness)) / rate
    found = -log(1 - 2 * rate * stiffness) / rate
    # Both are 2 A (1 + eta A + c (eta A)^2 + ...) with c = 2 and 4/3.
    allowed = 5 * (rate * stiffness) ** 2
    return equal(*told, predicted, found, allowed)
