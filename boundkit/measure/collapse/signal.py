"""Signal-to-noise matrix Sigma_W^{-1/2} M: its singular values, and what they predict."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from boundkit.errors import NotApplicable
from boundkit.measure.collapse.central_path import clock
from boundkit.measure.collapse.factor import cholesky
from boundkit.measure.collapse.formula import formula
from boundkit.measure.collapse.geometry import Geometry, Numbers, whole

__all__ = ["SIGNAL", "Signal", "Spectrum", "signal_of"]

# Part of the means, relative to the largest, outside the range of Sigma_W that counts
# as signal without noise; below it is what rounding leaves of eigenvectors.
_NOISELESS = 1e-7

_VALUES = (
    "omega_j: the C - 1 singular values of Sigma_W^{-1/2} M, M_c = mu_c - mu_G, mu_G the "
    "mean of class means, Sigma_W over all samples / n; where Sigma_W is singular (its "
    "eigenvalues below p eps of the largest are zero), the limit of a vanishing ridge, "
    "in which directions of M without noise have infinite omega"
)


@dataclass(frozen=True, slots=True, eq=False)
class Signal:
    """Singular values of the signal-to-noise matrix.

    Attributes:
        values: Finite ones, descending; C - 1 less the infinite ones.
        infinite: How many are infinite.
        rank: Of Sigma_W, numerically.
        classes: C, those with samples.
        width: p.
        per_class: Samples per class, None if the classes are not balanced.
    """

    values: Numbers
    infinite: int
    rank: int
    classes: int
    width: int
    per_class: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """Eigenvalues of Sigma_W, and what its inverse root is had from.

    Attributes:
        eigenvalues: (p,) ascending.
        factor: (p, p) lower triangle L with ``L L^T = Sigma_W``, the cheaper way; None
            where Sigma_W is nearly singular.
        vectors: (p, p) eigenvectors, columns; None where there is a factor.
    """

    eigenvalues: Numbers
    factor: Numbers | None
    vectors: Numbers | None

    @classmethod
    def of(cls, within: Numbers) -> Spectrum:
        """Decompose a covariance.

        Args:
            within: (p, p) symmetric.
        """
        factor = cholesky(within)
        if factor is not None:
            return cls(np.asarray(np.linalg.eigvalsh(within)), factor, None)
        values, vectors = np.linalg.eigh(within)
        return cls(values, None, vectors)


def signal_of(geometry: Geometry, spectrum: Spectrum) -> Signal:
    """Return the singular values of the signal-to-noise matrix; P2 eq. (8).

    Args:
        geometry: Of the features.
        spectrum: Of Sigma_W.

    Raises:
        NotApplicable: Fewer than two classes, or Sigma_W is known in part only.
    """
    if len(geometry.present) < 2:
        raise NotApplicable("needs two classes with samples")
    whole(geometry)
    means = geometry.centered
    inside, free, rank = _noisy(means, spectrum, geometry.width)
    infinite = free.shape[1]
    values = np.zeros(len(means) - 1 - infinite)
    if inside.shape[1]:
        found = np.linalg.svd(inside, compute_uv=False)[: len(values)]
        values[: len(found)] = found
    return Signal(
        values=values,
        infinite=infinite,
        rank=rank,
        classes=len(means),
        width=geometry.width,
        per_class=float(geometry.count[0]) if geometry.balanced else None,
    )


def _noisy(
    means: Numbers, spectrum: Spectrum, width: int
) -> tuple[Numbers, Numbers, int]:
    """Return ``M Sigma_W^{-1/2}``, rotated, what meets no noise, and the rank."""
    eigenvalues, vectors = spectrum.eigenvalues, spectrum.vectors
    if spectrum.factor is not None:
        from scipy.linalg import solve_triangular

        inside = solve_triangular(spectrum.factor, means.T, lower=True).T
        return inside, means[:, :0], len(eigenvalues)
    assert vectors is not None  # noqa: S101 - one of the two is there
    cutoff = max(eigenvalues.max(), 0.0) * width * np.finfo(np.float64).eps
    noisy = eigenvalues > cutoff
    inside = (means @ vectors[:, noisy]) / np.sqrt(eigenvalues[noisy])
    free = _noiseless(means @ vectors[:, ~noisy], means)
    inside -= free @ (free.T @ inside)
    return inside, free, int(noisy.sum())


def _noiseless(outside: Numbers, means: Numbers) -> Numbers:
    """Return (k, i) orthonormal mixtures of classes whose signal meets no noise."""
    if not outside.shape[1]:
        return np.zeros((len(means), 0))
    mixtures, sizes, _ = np.linalg.svd(outside, full_matrices=False)
    kept: Numbers = mixtures[:, sizes > _NOISELESS * np.linalg.norm(means)]
    return kept


@formula(
    "nc1_snr",
    f"sum over j of C / omega_j^2 = tr((Sigma_W^{{-1/2}} Sigma_B Sigma_W^{{-1/2}})^+), "
    f"unchanged by invertible linear maps of the features; {_VALUES}",
    "P2 section 3.2, eq. (8); our aggregate",
)
def nc1_snr(signal: Signal) -> float:
    """Return the sum of C / omega^2.

    Raises:
        NotApplicable: It is infinite.
    """
    rank = min(signal.classes - 1, signal.width) - signal.infinite
    squares = signal.values[: max(rank, 0)] ** 2
    if len(squares) and squares[-1] <= 1e-20 * squares[0]:
        raise NotApplicable(
            "is infinite: the class means do not span as many dimensions as they could,"
            " an omega is 0"
        )
    return float((signal.classes / squares).sum())


@formula("snr.infinite", f"number of infinite omega_j; {_VALUES}", "P2 eq. (8)")
def infinite(signal: Signal) -> float:
    """Return how many values are infinite."""
    return signal.infinite


@formula(
    "snr.rank",
    "number of eigenvalues of Sigma_W above p eps of the largest",
    "P2 section 3.1 takes Sigma_W to have full rank p",
)
def rank(signal: Signal) -> float:
    """Return the numerical rank of Sigma_W."""
    return signal.rank


@formula(
    "snr.ratio",
    f"omega_1 / omega_{{C-1}}, which tends to 1 along the central path; {_VALUES}",
    "P2 Corollary 1, 2",
)
def ratio(signal: Signal) -> float:
    """Return the largest value over the smallest.

    Raises:
        NotApplicable: It is infinite, or one of the values is.
    """
    _require_finite(signal)
    if signal.values[-1] <= 0:
        raise NotApplicable("is infinite: the smallest omega is 0")
    return float(signal.values[0] / signal.values[-1])


def _require_finite(signal: Signal) -> None:
    if signal.infinite:
        raise NotApplicable(
            f"{signal.infinite} of the omega are infinite: no noise within classes in"
            " directions that part them"
        )


@formula(
    "snr.central_path_loss",
    f"(1/2) sum over j of 1 / (C + omega_j^2): the square loss of P2 eq. (2) of the best "
    f"last layer, without weight decay, balanced classes; {_VALUES}",
    "follows from P2 Proposition 1 and eq. (8)",
)
def central_path_loss(signal: Signal) -> float:
    """Return the least square loss that the signal-to-noise values allow.

    Raises:
        NotApplicable: The classes are not balanced.
    """
    if signal.per_class is None:
        raise NotApplicable("needs equally many samples in every class")
    return float((0.5 / (signal.classes + signal.values**2)).sum())


def _clock(signal: Signal, at: int) -> float:
    if signal.per_class is None:
        raise NotApplicable("needs equally many samples in every class")
    _require_finite(signal)
    value = float(signal.values[at])
    if value <= 0:
        raise NotApplicable("an omega of 0 stays there")
    return clock(value, signal.classes, signal.per_class)


_CLOCK = (
    "N (C^2 log omega + C omega^2 + omega^4 / 4), which grows by t in time t along the "
    "flow, for the {} omega; the differences of two omega stay as they are"
)


@formula(
    "snr.clock_largest",
    _CLOCK.format("largest"),
    "P2 eq. (9), its constants derived: c1 = N C^2, c2 = N C, c3 = N / 4",
)
def clock_largest(signal: Signal) -> float:
    """Return where the largest value is on the central path."""
    return _clock(signal, 0)


@formula(
    "snr.clock_smallest",
    _CLOCK.format("smallest"),
    "P2 eq. (9), its constants derived: c1 = N C^2, c2 = N C, c3 = N / 4",
)
def clock_smallest(signal: Signal) -> float:
    """Return where the smallest value is on the central path."""
    return _clock(signal, -1)


SIGNAL = (
    nc1_snr,
    infinite,
    rank,
    ratio,
    central_path_loss,
    clock_largest,
    clock_smallest,
)
