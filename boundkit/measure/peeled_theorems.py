"""The numbers of the layer-peeled theorems, from finished sums.

P4: Ji, Lu, Zhang, Deng, Su (2022), "An unconstrained layer-peeled perspective on neural
collapse": Theorems 3.1 and 3.3 and Lemma B.1, with any number of samples per class.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from boundkit.numerics.layer_peeled import head_of

if TYPE_CHECKING:
    from torch import Tensor

    from boundkit.measure.peeled_descent import Gradient
    from boundkit.numerics.layer_peeled import PeeledResiduals, PeeledSums

__all__ = ["Point", "log_expm1", "optimum", "theorem"]


@dataclass(frozen=True, slots=True)
class Point:
    """What the theorems need of (W, H), as plain numbers.

    Attributes:
        classes: K.
        count: N, samples in all.
        largest_class: Samples of the largest class.
        balanced: Whether all classes have as many.
        width: Dimensions of the features, the constant of a bias counted.
        biased: Whether there is a bias.
        radius: ``sqrt(||W||^2 + ||H||^2)``.
        reach: Upper bound on the mean of the centered score of the true class, times
            K/(K-1), that scaling W against H does not change.
        least_margin: q.
        log_loss: Logarithm of the summed loss.
        misalignment: 1 - beta, beta the cosine of theta and minus the gradient; None
            where one of them is zero.
        log_largest: Logarithm of the largest product of multiplier and slack.
        log_total: Logarithm of their sum.
    """

    classes: int
    count: int
    largest_class: int
    balanced: bool
    width: int
    biased: bool
    radius: float
    reach: float
    least_margin: float
    log_loss: float
    misalignment: float | None
    log_largest: float
    log_total: float

    @classmethod
    def of(
        cls,
        sums: PeeledSums,
        residuals: PeeledResiduals,
        gradient: Gradient,
        weight: Tensor,
        bias: Tensor | None,
    ) -> Point:
        """Gather the numbers.

        Args:
            sums: The first pass.
            residuals: The second pass.
            gradient: Its sizes.
            weight: (K, p).
            bias: (K,) or None.
        """
        count, q = sums.count, float(sums.least_margin)
        head = head_of(weight, bias)
        size = gradient.norm * gradient.radius
        # Multipliers are ||theta|| p / ||g||, constraints s / q - 1.
        log_unit = -math.inf
        if gradient.norm > 0 and q > 0:
            log_unit = math.log(gradient.radius / gradient.norm / q)
            log_unit -= gradient.log_scale
        return cls(
            classes=weight.shape[0],
            count=int(count.sum()),
            largest_class=int(count.max()),
            balanced=bool((count == count[0]).all()),
            width=weight.shape[1] + (bias is not None),
            biased=bias is not None,
            radius=gradient.radius,
            reach=_reach(sums, weight, bias),
            least_margin=q,
            log_loss=float(sums.log_loss),
            misalignment=_misalignment(sums, residuals, gradient, head)
            if size
            else None,
            log_largest=float(residuals.log_largest) + log_unit,
            log_total=float(residuals.log_total) + log_unit,
        )


def _reach(sums: PeeledSums, weight: Tensor, bias: Tensor | None) -> float:
    """Return ``K/(K-1) (||W~ Y|| ||H|| + sum_k n_k b~_k) / N``; rows centered."""
    classes, total = weight.shape[0], float(sums.count.sum())
    wide = weight.double()
    rows = (wide - wide.mean(0)).square().sum(1)
    reach = math.sqrt(float((rows * sums.count).sum()) * float(sums.energy))
    if bias is not None:
        shift = bias.double()
        reach += float(((shift - shift.mean()) * sums.count).sum())
    return classes / (classes - 1) * reach / total


def _misalignment(
    sums: PeeledSums,
    residuals: PeeledResiduals,
    gradient: Gradient,
    head: Tensor,
) -> float:
    """Return 1 - beta without cancellation: sin^2 / (1 + cos) where cos > 0."""
    off = sums.gradient - gradient.pull * head
    square = float(off.square().sum() + residuals.off_course) / gradient.norm**2
    cosine = -gradient.along / (gradient.norm * gradient.radius)
    return square / (1 + cosine) if cosine > 0 else 1 - cosine


def log_expm1(log_x: float) -> float:
    """Return ``log(exp(x) - 1)`` from the logarithm of x > 0."""
    if log_x < -30:
        return log_x + math.exp(log_x) / 2
    x = math.exp(log_x)
    return x + math.log1p(-math.exp(-x)) if x > 30 else math.log(math.expm1(x))


def _log_bound(point: Point, margin: float) -> float:
    """Return the logarithm of ``N log(1 + (K-1) exp(-margin))``."""
    log_odds = math.log(point.classes - 1) - margin
    if log_odds < -30:
        soft = log_odds - math.exp(log_odds) / 2
    else:
        soft = math.log(max(log_odds, 0.0) + math.log1p(math.exp(-abs(log_odds))))
    return math.log(point.count) + soft


def _largest_margin(point: Point) -> float:
    """Return what Theorem 3.1 allows at this norm.

    ``K sqrt(n_max) (||W||^2 + ||H||^2) / (2 (K-1) N)``; in balanced classes of n, that
    is ``(||W||^2 + ||H||^2) / (2 (K-1) sqrt(n))``.
    """
    share = point.classes * math.sqrt(point.largest_class)
    return share * point.radius**2 / (2 * (point.classes - 1) * point.count)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _exp(log: float) -> float:
    return math.exp(log) if log < 709 else math.inf


def theorem(point: Point) -> tuple[dict[str, float | None], dict[str, str]]:
    """Return the measures by name, and the reason for each that is None.

    Args:
        point: Of the whole sample.
    """
    allowed = _largest_margin(point)
    log_bound = _log_bound(point, allowed)
    loss, bound = _exp(point.log_loss), _exp(log_bound)
    q = point.least_margin
    values: dict[str, float | None] = {
        "margin_efficiency": q / allowed if allowed > 0 else None,
        "margin_efficiency_scale_free": q / point.reach if point.reach > 0 else None,
        "loss": _finite(loss),
        "loss_bound": _finite(bound),
        "loss_gap": _finite(loss - bound),
        "log10_loss": point.log_loss / math.log(10),
        "log10_loss_bound": log_bound / math.log(10),
        "least_margin": q,
    }
    reasons = {}
    if allowed <= 0:
        reasons["margin_efficiency"] = "every weight and every feature is zero"
    if point.reach <= 0:
        reasons["margin_efficiency_scale_free"] = (
            "the largest margin at these norms is not positive"
        )
    kkt, why = _stationarity(point)
    return values | kkt, reasons | why


def _stationarity(point: Point) -> tuple[dict[str, float | None], dict[str, str]]:
    """Return the quantities of Lemma B.1, and the exact residuals that they bound."""
    names = ("alignment", "kkt_residual", "complementarity", "complementarity_total")
    values = dict.fromkeys(("gamma_tilde", "kkt_epsilon", "kkt_delta", *names))
    if point.misalignment is None:
        reason = "the gradient or the point itself is zero"
        return values, dict.fromkeys(values, reason)
    q, radius = point.least_margin, point.radius
    reasons: dict[str, str] = {}
    gamma = -log_expm1(point.log_loss) / radius**2
    values |= {"gamma_tilde": gamma, "alignment": 1 - point.misalignment}
    chord = math.sqrt(2 * point.misalignment)
    if q > 0:
        values["kkt_residual"] = radius / math.sqrt(q) * chord
        values["complementarity"] = _exp(point.log_largest)
        values["complementarity_total"] = _exp(point.log_total)
    else:
        reason = f"the smallest margin, {q:.4g}, is not positive"
        reasons |= dict.fromkeys(names[1:], reason)
    if q > 0 and gamma > 0:
        values["kkt_epsilon"] = chord / math.sqrt(gamma)
        slack = point.classes * point.count * (point.classes - 1)
        values["kkt_delta"] = slack / (2 * math.e * gamma * q)
    else:
        loss = _exp(point.log_loss)
        reason = f"the summed loss, {loss:.4g}, is not below log 2, as Lemma B.1 needs"
        reasons |= dict.fromkeys(("kkt_epsilon", "kkt_delta"), reason)
    for name in [name for name, value in values.items() if value == math.inf]:
        values[name], reasons[name] = None, "it overflows"
    return values, reasons


def optimum(point: Point) -> dict[str, str]:
    """Return what keeps the bounds of Theorems 3.1 and 3.3 from being attained.

    Args:
        point: Of the whole sample.
    """
    caveats = []
    if not point.balanced:
        caveats.append(
            "classes are not balanced: the largest class stands for all, and the"
            " optimum is a lower bound"
        )
    if point.width - point.biased < point.classes - 1:
        caveats.append(
            f"a simplex of {point.classes} classes does not fit into"
            f" {point.width - point.biased} dimensions"
        )
    if point.biased:
        caveats.append("the constant appended for the bias cannot collapse")
    return {"optimum": "; ".join(caveats)} if caveats else {}
