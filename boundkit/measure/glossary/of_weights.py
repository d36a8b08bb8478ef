"""Measurements that the stored weights alone give."""

from __future__ import annotations

from types import MappingProxyType

from boundkit.measure.glossary.entry import Group

__all__ = ["COLUMNS", "NET", "SPECTRA"]

_XU = "Xu et al. (2023)"
_MARTIN = "Martin, Mahoney (2021), Implicit self-regularization in deep neural networks"
_CLAUSET = "Clauset, Shalizi, Newman (2009), eq. (3.1), section 3.3"

COLUMNS = Group(
    "columns of the layer table",
    "a checkpoint; s are the singular values of the filter matrix, outputs x rest",
    "docs/spectra.md",
    MappingProxyType({
        "rho": "Frobenius norm of the weight, a convolution by its filter tensor",
        "log10_rho": "log10 of rho of the layer",
        "spectral_norm": "s_1 of the filter matrix",
        "operator_norm": "largest singular value of the layer on whole maps, zero-padded",
        "stable_rank": "sum s^2 / s_1^2",
        "effective_rank": "exp(-sum p log p) with p = s^2 / sum s^2",
        "numerical_rank": "number of s > 1e-3 s_1",
        "participation_ratio": "(sum s^2)^2 / sum s^4",
        "s3_over_s1": "s_3 / s_1: 0 at the rank 2 of Lemma 8",
        "nuclear_norm": "sum s",
        "condition": "s_1 / s_min, where s_min is known",
        "alpha": "exponent of the power law that fits the largest s^2 best",
        "theorem7_factor": (
            "sqrt(numerical rank / smaller side). As printed it multiplies rho, which "
            "counts the rank twice: a rank-one matrix of Frobenius norm 1 keeps the "
            "norm of its best input. Never multiplied here."
        ),
    }),
    MappingProxyType({
        "rho": f"{_XU}, section 3",
        "s3_over_s1": f"{_XU}, Lemma 8",
        "theorem7_factor": f"{_XU}, Theorem 7",
        "alpha": _CLAUSET,
    }),
    frozenset({"theorem7_factor"}),
)

NET = Group(
    "of the net as a whole",
    "a checkpoint",
    "docs/spectra.md",
    MappingProxyType(
        {"inverse_rho": "1 / rho, rho the product of the norms of the counted layers"}
        | {
            f"{rank}.{over}": f"{what} over the counted layers of {rank}"
            for rank in ("numerical_rank", "stable_rank", "effective_rank")
            for over, what in (
                ("median", "median"),
                ("mean", "mean"),
                ("max", "largest"),
            )
        }
        | {"power_law.alpha.mean": "mean over the counted layers of power_law.alpha"}
    ),
    MappingProxyType({
        "inverse_rho": f"{_XU}, figure 6",
        "power_law.alpha.mean": _MARTIN,
    }),
)

SPECTRA = Group(
    "of the spectrum of one layer",
    "--spectra auto or full; a layer with a side of at least 50",
    _MARTIN,
    MappingProxyType({
        "log10_lambda_max": "log10 s_1^2",
        "rank_99": "smallest rank that keeps 99 % of sum s^2",
        "spectral_entropy": "-sum p log p / log n with p = s^2 / sum s^2",
        "power_law.alpha": (
            "alpha = 1 + n / sum log(x / x_min) over the n values x = s^2 >= x_min; "
            "its standard error is (alpha - 1) / sqrt(n)"
        ),
        "power_law.x_min": "start of the fitted tail, of least distance",
        "power_law.distance": "Kolmogorov-Smirnov distance of tail and fit",
        "power_law.tail": "number of values in the tail",
        "alpha_weighted": "alpha log10 s_1^2",
        "log10_alpha_norm": "log10 sum s^(2 alpha)",
        "mp_soft_rank": (
            "edge of a random matrix of the same size and norm over s_1^2: "
            "F^2 (sqrt(m) + sqrt(n))^2 / (m n s_1^2)"
        ),
        "mp_spikes": "number of s^2 beyond that edge",
    }),
    MappingProxyType(
        {"rank_99": "Eckart, Young (1936)"}
        | {
            f"power_law.{name}": _CLAUSET
            for name in ("alpha", "x_min", "distance", "tail")
        }
    ),
)
