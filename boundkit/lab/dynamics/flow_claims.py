"""What P1 and P0 say of the flow, beside what a path shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from boundkit.lab.dynamics.checks import (
    Check,
    at_least,
    at_most,
    equal,
    open_claim,
    residual,
)

if TYPE_CHECKING:
    from boundkit.lab.dynamics.flow_paths import Path

__all__ = ["free_claims", "normalized_claims"]

#: Speed below which a path is said to rest, per unit of time.
_REST = 1e-4
#: How near a net at rest must be to what holds at rest exactly.
_NEAR_REST = 1e-3
#: Relative spread of margins up to which they count as equal.
_EQUAL_MARGINS = 0.05


def normalized_claims(path: Path, decay: float, rtol: float) -> tuple[Check, ...]:
    """Return the claims about the flow with unit norms.

    Args:
        path: Of that flow.
        decay: lam.
        rtol: Of the solver; identities along the path are judged by it.
    """
    slack = 20 * rtol
    return (
        *_constraints(path, slack),
        *_identities(path, slack),
        *_energy(path, slack),
        _growth(path, decay, slack),
        *_at_rest(path, decay),
    )


def _constraints(path: Path, slack: float) -> tuple[Check, ...]:
    column = path.table.column
    return (
        residual(
            "unit norms",
            "every ||V_k|| stays 1: largest deviation",
            "P1 (2) and below (8)",
            column("norm_error").max(),
            slack,
        ),
        residual(
            "multipliers",
            "all layers have one nu_k = mean rho fb (1 - rho fb): largest deviation",
            "P1 (3), (4), with fb in the second factor",
            column("multiplier_error").max(),
            1e-9,
        ),
    )


def _identities(path: Path, slack: float) -> tuple[Check, ...]:
    """Return the claims about d rho/dt, which is taken from the path."""
    column = path.table.column
    found, top = column("rho_dot_found"), np.abs(column("rho_dot")).max()
    known = np.isfinite(found)
    gap = np.abs(found - column("rho_dot"))[known].max(initial=0.0)
    return (
        residual(
            "rho dot",
            "d rho/dt of the path is 2 (mu - rho (M + lam)): deviation over its largest value",
            "P1 (6)",
            gap / top if top else 0.0,
            slack,
        ),
        residual(
            "Lemma 4",
            "the loss is 1 - rho (d rho/dt / 2 + mu), d rho/dt from the path: deviation",
            "P1 Lemma 4",
            np.abs(column("lemma_4") - column("loss"))[known].max(initial=0.0),
            slack,
        ),
    )


def _energy(path: Path, slack: float) -> tuple[Check, ...]:
    column, loss = path.table.column, path.table.column("loss")
    return (
        residual(
            "dissipation",
            "the loss falls by the integral of the squared speed: deviation",
            "gradient flow of P1 (1)",
            np.abs(loss + column("dissipated") - loss[0]).max(),
            slack,
        ),
        at_most(
            "loss falls",
            "the loss never rises: largest rise between two times",
            "gradient flow of P1 (1)",
            0.0,
            np.diff(loss).max(initial=0.0),
            slack,
        ),
    )


def _growth(path: Path, decay: float, slack: float) -> Check:
    """Return the claim about growing rho while all samples are on the right side."""
    column = path.table.column
    claim = (
        "while all fb > 0 and rho < 1, d rho/dt - 2 (mu (1 - rho) - lam rho) is not"
        " negative: its least value"
    )
    told = ("growth", claim, "P1 3.5, small initialization, with lam")
    rho = column("rho")
    where = (column("least_margin") > 0) & (rho < 1) & (rho > 0)
    if not where.any():
        return open_claim(*told, "the net was never separable while rho < 1")
    floor = 2 * (column("mean_margin") * (1 - rho) - decay * rho)
    return at_least(*told, 0.0, (column("rho_dot") - floor)[where].min(), slack)


def _at_rest(path: Path, decay: float) -> tuple[Check, ...]:
    last = {column.name: float(column.numbers[-1]) for column in path.table.columns}
    speed = float(np.hypot(last["rho_dot"], last["speed"]))
    equilibrium = ("rho_eq", "at rest, rho = mu/(M + lam)", "P1 (7)")
    lowest = ("epsilon", "at rest, the loss is epsilon", "P1 (8), (29)")
    gap = ("gap", "at rest, 1 - rho mu = epsilon", "P1 (8)")
    layers = (
        "layers at rest",
        "V_k = sum l_n d fb_n/dV_k / sum l_n fb_n, l_n = 1 - rho fb_n: largest residual",
        "P1 (9), with fb for the f printed",
    )
    if not speed < _REST:
        reason = (
            f"not at rest: it moves by {speed:.1e} per unit of time; give more --time"
        )
        return (
            open_claim(
                *equilibrium, reason, predicted=last["rho_eq"], found=last["rho"]
            ),
            open_claim(*lowest, reason, predicted=last["epsilon"], found=last["loss"]),
            open_claim(*gap, reason, predicted=last["epsilon"], found=last["gap"]),
            open_claim(*layers, reason, predicted=0.0, found=last["rest_residual"]),
            _equal_margins(last, decay, reason),
        )
    return (
        equal(*equilibrium, last["rho_eq"], last["rho"], _NEAR_REST),
        equal(*lowest, last["epsilon"], last["loss"], _NEAR_REST, relative=False),
        equal(*gap, last["epsilon"], last["gap"], _NEAR_REST, relative=False),
        _layers_at_rest(layers, last["rest_residual"], decay),
        _equal_margins(last, decay, ""),
    )


def _layers_at_rest(told: tuple[str, str, str], found: float, decay: float) -> Check:
    if decay == 0 and not found < 1e-2:
        reason = "without decay the net interpolates and the quotient becomes 0/0"
        return open_claim(*told, reason, predicted=0.0, found=found)
    return residual(*told, found, 1e-2)


def _equal_margins(last: dict[str, float], decay: float, reason: str) -> Check:
    """Return the claim of Lemma 6, which is about equal margins."""
    mean, spread = last["mean_margin"], last["margin_deviation"]
    total = mean**2 + decay
    predicted = decay / total if total else float("nan")
    told = (
        "Lemma 6",
        "at convergence margins are equal, so epsilon = lam/(mu^2 + lam)",
        "P1 Lemma 6",
    )
    if not reason and spread > _EQUAL_MARGINS * abs(mean):
        reason = (
            f"margins are not equal here (sigma/mu = {spread / abs(mean):.2f}); the lemma"
            " is about overparametrized nets and SGD at rest on every minibatch"
        )
    if reason:
        return open_claim(*told, reason, predicted=predicted, found=last["epsilon"])
    return equal(*told, predicted, last["epsilon"], 2 * _EQUAL_MARGINS)


def free_claims(path: Path, depth: int, rtol: float) -> tuple[Check, ...]:
    """Return the claims about the flow without unit norms.

    Args:
        path: Of that flow.
        depth: L.
        rtol: Of the solver.
    """
    column, slack = path.table.column, 20 * rtol
    found, formula = column("rho_dot_found"), column("rho_dot")
    known = np.isfinite(found)
    top = np.abs(formula).max()
    gap = np.abs(found - formula)[known].max(initial=0.0)
    loss = column("loss")
    return (
        residual(
            "balance",
            "norms of layers that begin equal stay equal: largest spread",
            "P0 3.2.10, Lemma 10",
            column("norm_error").max(),
            slack,
        ),
        residual(
            "rho dot, free",
            f"d rho/dt = {2 * depth} rho^(2 - 2/{depth}) (mu - rho (M + lam)): deviation over"
            " its largest value",
            "P0 (12), with lam",
            gap / top if top else 0.0,
            slack,
        ),
        residual(
            "directions, free",
            f"dV_k/dt is that of P1 (5) times rho^(-2/{depth}): deviation over its size",
            "P0 (13), with its sign mended",
            np.nanmax(column("direction_error")),
            max(slack, 1e-3),
        ),
        residual(
            "dissipation, free",
            "the loss falls by the integral of the squared speed: deviation",
            "gradient flow",
            np.abs(loss + column("dissipated") - loss[0]).max(),
            slack,
        ),
        _same_rest(path),
    )


def _same_rest(path: Path) -> Check:
    last = {column.name: float(column.numbers[-1]) for column in path.table.columns}
    told = (
        "rho_eq, free",
        "rest points are those of unit norms: at rest, rho = mu/(M + lam)",
        "P0 3.2.10",
    )
    speed = float(np.hypot(last["rho_dot"], last["speed"]))
    if not speed < _REST:
        return open_claim(
            *told,
            f"not at rest: it moves by {speed:.1e} per unit of time; give more --time",
            predicted=last["rho_eq"],
            found=last["rho"],
        )
    return equal(*told, last["rho_eq"], last["rho"], _NEAR_REST)
