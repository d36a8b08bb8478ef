"""Complexity measures and formulas that are printed as bounds and are none."""

from __future__ import annotations

from types import MappingProxyType

from boundkit.measure.glossary.entry import Group

__all__ = ["JIANG2020", "PRINTED_FORMS"]

_XU = "Xu et al. (2023)"

PRINTED_FORMS = Group(
    "printed forms, not proved",
    "--n, or --data with --model",
    _XU,
    MappingProxyType({
        "dense_printed": (
            "2 (rho + 1)(sqrt(2 log 2 L) + 1) / sqrt(n) + "
            "3 sqrt(log(2 (log rho + 1)^2 / delta) / (2 n)). Its logarithm of rho "
            "does not follow from shells of unit width (docs/theory.md, section 6)."
        ),
        "sparse_cnn_printed": (
            "2^L rho sqrt(sum_i ||x_i||^2) / n. The proof gives 2^(L-1) where "
            "patches do not overlap, and says nothing where they do."
        ),
        "conjecture1": (
            "2^(L-1) rho prod sqrt(K / (K - O)) sqrt(sum_i ||x_i||^2) / n, the "
            "product over convolutions and axes, K - O the stride. False for worst "
            "inputs; sparse_cnn counts paths instead."
        ),
        "rho_over_sqrt_n": "rho / sqrt(n)",
        "long_sedghi2020": (
            "with beta = sum ||change of layer||_2, W parameters, lambda = 1 / "
            "margin: sqrt((W (beta + log lambda) + log(1 / delta)) / n) for beta >= "
            "5, else beta lambda sqrt(W / n) + sqrt(log(1 / delta) / n). The "
            "constant is not specified there and set to 1 here; --init gives the "
            "changes, norms stand in for them without."
        ),
        "pinto2024": "prod ||W||_2 sqrt(max_l rank_l width_l), constants left out",
        "galanti2023_literal": (
            "the bound of galanti2023 with the degree of the head left out, as "
            "printed: it certifies 0.205 where the test error is 0.4955 "
            "(docs/bounds/galanti2023.md)"
        ),
    }),
    MappingProxyType({
        "dense_printed": f"{_XU}, (16)",
        "sparse_cnn_printed": f"{_XU}, (19)",
        "conjecture1": f"{_XU}, (24) with 1/m, product over layers",
        "rho_over_sqrt_n": f"{_XU}, figures 6 and 7",
        "long_sedghi2020": "Long and Sedghi (2020), Theorem 2.1",
        "pinto2024": "Pinto, Rangamani and Poggio (2024)",
        "galanti2023_literal": "Galanti et al. (2023), public form",
    }),
    frozenset({
        "dense_printed",
        "sparse_cnn_printed",
        "conjecture1",
        "rho_over_sqrt_n",
        "long_sedghi2020",
        "pinto2024",
        "galanti2023_literal",
    }),
)

_LOGS = {
    "log_prod_of_fro": "sum log F",
    "log_sum_of_fro": "log d + (sum log F) / d",
    "log_prod_of_fro_over_margin": "sum log F - 2 log g",
    "log_sum_of_fro_over_margin": "log d + (sum log F - 2 log g) / d",
    "log_prod_of_spec": "sum log S",
    "log_sum_of_spec": "log d + (sum log S) / d",
    "log_prod_of_spec_over_margin": "sum log S - 2 log g",
    "log_sum_of_spec_over_margin": "log d + (sum log S - 2 log g) / d",
    "log_spec_orig_main": "sum log S - 2 log g + log sum F / S",
    "log_spec_init_main": "sum log S - 2 log g + log sum F(W - W0) / S; with --init",
}
_PLAIN = {
    "param_norm": "sum F",
    "fro_over_spec": "sum F / S",
    "fro_dist": "sum F(W - W0); with --init",
    "dist_spec_init": "sum S(W - W0); with --init",
    "inverse_margin": "1 / g^2",
    "path_norm": "sum of the outputs for ones, all parameters squared",
    "path_norm_over_margin": "path_norm / g^2",
    "pacbayes_orig": "||w||^2 / (4 sigma^2) + log(n / sigma) + 10",
    "pacbayes_init": "||w - w0||^2 / (4 sigma^2) + log(n / sigma) + 10; with --init",
    "pacbayes_flatness": "1 / sigma^2",
    "pacbayes_mag_orig": "pacbayes_orig with noise relative to weights; with --init",
    "pacbayes_mag_init": "pacbayes_init with noise relative to weights; with --init",
    "pacbayes_mag_flatness": "1 / sigma^2 for noise relative to weights",
}
_NOTE = (
    "; F and S squared Frobenius and spectral norms, d layers, g the tenth percentile of "
    "the training margins, sigma the largest noise that costs a tenth of accuracy. "
)

JIANG2020 = Group(
    "complexity measures of Jiang et al.",
    "--n for norms; --model and --data for margins, paths and noise",
    "Jiang et al. (2020), constants as in Dziugaite et al. (2020)",
    MappingProxyType(
        {
            f"jiang2020.{name}": f"(v - log n) / 2 for v = {v}{_NOTE.rstrip()}"
            for name, v in _LOGS.items()
        }
        | {
            f"jiang2020.{name}": f"sqrt(v / n) for v = {v}{_NOTE.rstrip()}"
            for name, v in _PLAIN.items()
        }
    ),
    MappingProxyType({}),
)
