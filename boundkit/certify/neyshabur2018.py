"""The PAC-Bayesian spectrally normalized bound of Neyshabur et al. (2018)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from boundkit.certify.bound import Bound, Missing, Outcome
from boundkit.certify.margin import grid_delta, smallest
from boundkit.certify.opening import opening
from boundkit.certify.premises import PREMISES, about_evidence
from boundkit.certify.rademacher import needed
from boundkit.certify.unrolled import unroll
from boundkit.types import Assumption

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from boundkit.certify.chain import Chain
    from boundkit.certify.unrolled import Unrolled
    from boundkit.types import Evidence, Network, Norms

__all__ = ["NEYSHABUR2018", "neyshabur2018", "printed_excess", "printed_log_kl"]

_LOG_ETA = math.log(1.05)
#: Share of delta for the inputs that are longer than all those of the sample.
_UNSEEN = 0.1
_NO_BIAS = "no layer has a bias"
_BIASED = "nets with a bias: sparse_cnn, toeplitz, bartlett2017, golowich2018_l1"


@dataclass(frozen=True, slots=True)
class _Posterior:
    """What the bound needs to know of a network and its inputs.

    Attributes:
        depth: Number of layers.
        width: h, the size of the largest map.
        log_product: Log of the product of the operator norms.
        log_ratios: Log of the sum of squared Frobenius over operator norms.
        log_reach: Log of ``B kappa``: largest input norm times Lipschitz constants.
        tolerance: How far outputs may move at margin 1.
    """

    depth: int
    width: int
    log_product: float
    log_ratios: float
    log_reach: float
    tolerance: float


@dataclass(frozen=True, slots=True)
class _Found:
    log10: float
    margin: float
    margin_loss: float
    log_kl: float
    delta_k: float


def printed_log_kl(
    depth: int,
    width: int,
    largest: float,
    log_product: float,
    stable_ranks: float,
    gamma: float,
) -> float:
    """Return log of ``42^2 e^2 d^2 B^2 h log(4dh) prod s_l^2 sum_l (F_l/s_l)^2 / (2 g^2)``.

    Neyshabur, Bhojanapalli and Srebro (2018), proof of Theorem 1.

    Args:
        depth: d.
        width: h.
        largest: B, the largest input norm.
        log_product: Log of the product of the spectral norms.
        stable_ranks: Sum of squared Frobenius over spectral norms.
        gamma: The margin.
    """
    constant = 2 * math.log(42) + 2 + 2 * math.log(depth) + math.log(width / 2)
    constant += math.log(math.log(4 * depth * width))
    data = 2 * math.log(largest) + 2 * log_product - 2 * math.log(gamma)
    return constant + data + math.log(stable_ranks)


def printed_excess(kl: float, depth: int, n: int, delta: float) -> float:
    """Return ``4 sqrt((KL + log(6 n K / delta)) / (n - 1))``, ``K = d n^(1/(2d))``.

    Args:
        kl: Divergence of posterior and prior.
        depth: d.
        n: Sample size.
        delta: Probability of failure.
    """
    covers = depth * n ** (1 / (2 * depth))
    return 4 * math.sqrt((kl + math.log(6 * n * covers / delta)) / (n - 1))


def _posterior(of: Unrolled, largest: float, classes: int) -> _Posterior:
    operators = [m.sizes.operator for m in of.matrices]
    ratios = math.fsum((m.frobenius / m.sizes.operator) ** 2 for m in of.matrices)
    reach = [m.before for m in of.matrices] + [of.after, largest]
    return _Posterior(
        len(of.matrices),
        of.width,
        math.fsum(map(math.log, operators)),
        math.log(ratios),
        math.fsum(math.log(max(r, 1e-300)) for r in reach),
        0.5 if classes <= 2 else 0.5 / math.sqrt(2),
    )


def _candidates(
    margins: NDArray[np.float64] | None, gamma: float | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return margins worth looking at, and the share of samples at or below each."""
    ordered = np.ones(1) if margins is None else np.sort(margins)
    if gamma is not None:
        tried = np.array([gamma])
    else:
        positive = np.unique(ordered[ordered > 0])
        tried = positive * (1 - 1e-12) if positive.size else np.ones(1)
    below = np.searchsorted(ordered, tried, side="right")
    return tried, np.asarray(below / ordered.size, np.float64)


def _log_kl(
    of: _Posterior, log_margin: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return log KL and the index of the grid of standard deviations, per margin."""
    log_scale = of.log_product - log_margin
    log_beta = log_scale / of.depth
    # Outputs move by at most B kappa ((beta + u)^d - beta^d): solved for u.
    log_x = math.log(of.tolerance) - of.log_reach - log_scale
    power = np.logaddexp(0.0, log_x) / of.depth
    with np.errstate(divide="ignore"):
        exact = np.log(np.expm1(np.minimum(power, 700.0)))
    log_u = log_beta + np.where(log_x < -30, log_x - math.log(of.depth), exact)
    spread = 0.5 * math.log(2 * of.width * math.log(4 * of.depth * of.width))
    anchor = -math.log(of.depth)
    k = np.floor((log_u - anchor) / _LOG_ETA).astype(np.int64)
    log_sigma = anchor + k * _LOG_ETA - spread
    return of.log_ratios + 2 * log_beta - math.log(2) - 2 * log_sigma, k


def _evaluate(
    of: _Posterior,
    candidates: tuple[NDArray[np.float64], NDArray[np.float64]],
    *,
    log_n: float,
    delta: float,
    measured: bool,
) -> _Found:
    tried, loss = candidates
    log_kl, k = _log_kl(of, np.log(tried))
    share = grid_delta(k, (1 - _UNSEEN) * delta)
    rest = 2 * math.log(2) + math.log(2) + log_n / 2 - np.log(share)
    inner = np.logaddexp(math.log(2) + log_kl, np.log(rest))
    complexity = 0.5 * (inner - math.log(2) - log_n)
    unseen = -math.log(_UNSEEN * delta) * math.exp(-log_n) if measured else 0.0
    with np.errstate(divide="ignore"):
        total = np.logaddexp(complexity, np.log(loss + unseen))
    best = int(np.argmin(total))
    return _Found(
        float(total[best]) / math.log(10),
        float(tried[best]),
        float(loss[best]),
        float(log_kl[best]),
        float(share[best]),
    )


def _terms(
    of: _Posterior, found: _Found, n: int, largest: float
) -> dict[str, float | str | None]:
    ratios = math.exp(of.log_ratios)
    printed = printed_log_kl(
        of.depth, of.width, max(largest, 1e-300), of.log_product, ratios, found.margin
    )
    return {
        "n": n,
        "gamma": found.margin,
        "margin_loss": found.margin_loss,
        "KL_log10": found.log_kl / math.log(10),
        "KL_printed_log10": printed / math.log(10),
        "input_norm": largest,
        "delta_k": found.delta_k,
    }


def neyshabur2018(
    network: Network,
    norms: Norms,
    evidence: Evidence | None,
    held_out: Evidence | None,
    delta: float,
    gamma: float | None,
    input_norm: float,
) -> Outcome:
    """Evaluate Neyshabur, Bhojanapalli, Srebro (2018), Theorem 1, constants explicit.

    Args:
        network: A traced chain without biases; dense layers need no trace.
        norms: With upper bounds on the operator norms of the unrolled layers.
        evidence: The training sample.
        held_out: Not used.
        delta: Probability that the statement fails.
        gamma: A margin fixed in advance, or None for the best.
        input_norm: The norm that inputs are taken to stay below, without data.

    Raises:
        Missing: There is no sample size, or no architecture to unroll.
    """
    del held_out
    of_chain, assumptions = opening(network, norms, evidence, _unbiased, mend=_mend)
    unrolled = unroll(of_chain, network, norms, assumptions)
    largest = input_norm if evidence is None else evidence.max_norm
    of = _posterior(unrolled, largest, network.outputs or 1)
    candidates = _candidates(evidence.margins if evidence else None, gamma)
    measured = evidence is not None and evidence.measured

    def at(log_n: float) -> _Found:
        return _evaluate(of, candidates, log_n=log_n, delta=delta, measured=measured)

    terms: dict[str, float | str | None] = {"layers": of.depth, "width": of.width}
    terms |= needed(smallest(lambda log_n: at(log_n).log10 < 0))
    assumptions += about_evidence(evidence, input_norm)
    if evidence is None:
        raise Missing(
            "the number of training samples is missing: give --n, or --model and --data",
            terms,
            assumptions,
        )
    found = at(math.log(evidence.n))
    terms |= _terms(of, found, evidence.n, largest)
    return Outcome(found.log10, terms, assumptions)


def _mend(broken: Assumption) -> str:
    return _BIASED if broken.name == _NO_BIAS else ""


def _unbiased(of: Chain | None, network: Network) -> Assumption:
    del of
    name = _NO_BIAS
    biased = [x.name for x in network.layers if x.bias is not None]
    if biased:
        why = f"{biased[0]} has one, which the theorem does not cover"
        return Assumption(name, holds=False, detail=why)
    return Assumption(name, holds=True, detail="none")


NEYSHABUR2018 = Bound(
    id="neyshabur2018",
    title="PAC-Bayesian spectrally normalized margin bound",
    statement=(
        "With probability at least 1 - delta over an i.i.d. sample of size n, for every "
        "network of this architecture, every margin gamma and every k: err <= share of "
        "margins at or below gamma + log(10 / delta) / n + sqrt((2 KL + 2 log 2 + log(2 "
        "sqrt(n) / delta_k)) / (2 n)), KL = beta^2 sum_l (F_l / s_l)^2 / (2 sigma_k^2), "
        "beta = (prod s_l / gamma)^(1/d), for sigma_k = 1.05^k / (d sqrt(2 h log(4 d h))) "
        "with sigma_k sqrt(2 h log(4 d h)) <= beta ((1 + 1 / (2 Lip B kappa beta^d))^(1/d) "
        "- 1). s_l and F_l are operator and Frobenius norm of layer l on whole maps, d "
        "the number of layers, h the size of the largest map, B the largest input norm "
        "of the sample, kappa the product of the Lipschitz constants of poolings, Lip = 1 "
        "for one or two outputs, else sqrt(2); delta_k = 0.6 delta / ((|k| + 1)(|k| + 2))."
    ),
    assumptions=(
        "the network is a chain of linear layers (dense, convolution, pooling)",
        "between layers stand ReLU or LeakyReLU, and max pooling",
        "no biases, normalization layer, attention, recurrence or residual addition",
        "operator norms are bounded from above, never estimated from below",
        "every weight is read, finite and not zero",
        "the margins and norms of the training inputs are known",
    ),
    premises=PREMISES,
    citation=(
        "Neyshabur, Bhojanapalli and Srebro (2018), A PAC-Bayesian approach to "
        "spectrally-normalized margin bounds, Theorem 1; Maurer (2004), A note on the "
        "PAC Bayesian theorem, Theorem 5; constants as in docs/bounds/neyshabur2018.md"
    ),
    corrections=(
        "The printed bound hides its constants; its proof gives KL <= 42^2 e^2 d^2 B^2 h "
        "log(4dh) prod s_l^2 sum (F_l/s_l)^2 / (2 gamma^2) and 4 sqrt((KL + log(6 n K / "
        "delta)) / (n - 1)). A grid of prior variances in place of one of spectral norms "
        "makes margin and norms free and B a number that is read off the sample, at the "
        "price of the chance log(10/delta)/n of a longer input; the perturbation is "
        "solved for, not bounded by e."
    ),
    rule=neyshabur2018,
)
