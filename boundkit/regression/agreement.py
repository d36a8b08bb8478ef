"""How well a measure orders pairs of nets, by several standards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from boundkit.regression.pairs import small_sets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from boundkit.regression.pairs import Environment, Pairs

__all__ = [
    "conditional_information",
    "granulated_kendall",
    "sign_errors",
    "signs_of",
]


def signs_of(measure: NDArray[np.float64], pairs: Pairs) -> NDArray[np.int8]:
    """Return the sign of the difference of a measure in each pair.

    Args:
        measure: (nets,).
        pairs: Of the nets.
    """
    high, low = measure[pairs.first], measure[pairs.second]
    # Infinite measures of one sign tie.
    found: NDArray[np.int8] = (high > low).astype(np.int8) - (high < low)
    return found


def granulated_kendall(
    signs: NDArray[np.int8], pairs: Pairs
) -> tuple[NDArray[np.float64], float]:
    """Return the rank correlation with one hyperparameter varied at a time.

    ``psi_i`` is the mean, over the settings of the others, of Kendall's coefficient
    among nets that differ in hyperparameter i alone; Psi is the mean of the psi_i that
    are defined (Jiang, Neyshabur, Mobahi, Krishnan, Bengio (2020), "Fantastic
    generalization measures and where to find them", section 2.2.2). Repeats of one
    setting make no pair.

    Args:
        signs: Of the measure, (pairs,).
        pairs: Of the nets.

    Returns:
        psi (hyperparameters,), NaN where no pair differs in it alone, and Psi.
    """
    count = pairs.codes.shape[1]
    differ = pairs.codes[pairs.first] != pairs.codes[pairs.second]
    alone = differ.sum(1) == 1
    agree = signs.astype(np.float64) * pairs.gap
    psi = np.full(count, np.nan)
    for i in range(count):
        chosen = np.flatnonzero(alone & differ[:, i])
        if len(chosen):
            others = np.delete(pairs.codes[pairs.first[chosen]], i, axis=1)
            _, setting = np.unique(others, axis=0, return_inverse=True)
            setting = setting.ravel()
            sums = np.bincount(setting, agree[chosen])
            psi[i] = (sums / np.bincount(setting)).mean()
    known = psi[np.isfinite(psi)]
    return psi, float(known.mean()) if len(known) else float("nan")


def conditional_information(signs: NDArray[np.int8], pairs: Pairs) -> float:
    """Return the least normalized mutual information of the signs, given settings.

    ``min over |S| <= 2 of I(V_measure; V_error | U_S) / H(V_error | U_S)``, where V are
    the signs of a pair's differences and U_S the values of the hyperparameters S in both
    nets (Jiang et al. (2020), section 2.2.3). Pairs with equal errors are left out; a
    set S under which no uncertainty is left says nothing and is passed over.

    Args:
        signs: Of the measure, (pairs,).
        pairs: Of the nets.

    Returns:
        From 0 (says nothing beyond two hyperparameters) to 1; NaN where no set tells.
    """
    told = pairs.gap != 0
    one, other = pairs.first[told], pairs.second[told]
    gap, sign = pairs.gap[told], signs[told]
    # A pair is one either way round.
    firsts, seconds = np.concatenate([one, other]), np.concatenate([other, one])
    gaps = np.concatenate([gap > 0, gap < 0]).astype(np.intp)
    measures = np.concatenate([sign, -sign]).astype(np.intp) + 1
    found = []
    for chosen in small_sets(pairs.codes.shape[1]):
        given = _numbered(pairs.codes[:, chosen], firsts, seconds)
        share = _share_of_entropy(given, measures, gaps)
        if np.isfinite(share):
            found.append(share)
    return min(found, default=float("nan"))


def _numbered(
    codes: NDArray[np.intp], firsts: NDArray[np.intp], seconds: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Return a number for the settings of each pair."""
    if not codes.shape[1]:
        return np.zeros(len(firsts), dtype=np.intp)
    _, setting = np.unique(codes, axis=0, return_inverse=True)
    setting = setting.ravel()
    found: NDArray[np.intp] = (
        setting[firsts] * (int(setting.max()) + 1) + setting[seconds]
    )
    return found


def _share_of_entropy(
    given: NDArray[np.intp], measures: NDArray[np.intp], gaps: NDArray[np.intp]
) -> float:
    cells = int(given.max(initial=0)) + 1
    counts = np.bincount((given * 3 + measures) * 2 + gaps, minlength=6 * cells)
    joint = counts.reshape(cells, 3, 2).astype(np.float64)
    total = joint.sum()
    if not total:
        return float("nan")
    joint /= total
    of_given = joint.sum((1, 2))
    # H(G | U) and H(G | U, M), by the chain rule.
    uncertain = _entropy(joint.sum(1)) - _entropy(of_given)
    left = _entropy(joint) - _entropy(joint.sum(2))
    if uncertain <= 1e-12:
        return float("nan")
    return min(max((uncertain - left) / uncertain, 0.0), 1.0)


def _entropy(shares: NDArray[np.float64]) -> float:
    known = shares[shares > 0]
    return float(-(known * np.log(known)).sum())


def sign_errors(
    signs: NDArray[np.int8], pairs: Pairs, environments: Sequence[Environment]
) -> NDArray[np.float64]:
    """Return the weighted share of pairs in the wrong order, by environment.

    The loss of a pair is ``(1 - sgn(dC) sgn(dG)) / 2``, a tie of the measure 1/2
    (Dziugaite et al. (2020), section 4).

    Args:
        signs: Of the measure, (pairs,).
        pairs: Of the nets.
        environments: With a positive effective number of pairs each.
    """
    loss = (1 - signs.astype(np.float64) * pairs.gap) / 2
    return np.array([
        pairs.weight[one.pairs] @ loss[one.pairs] / pairs.weight[one.pairs].sum()
        for one in environments
    ])
