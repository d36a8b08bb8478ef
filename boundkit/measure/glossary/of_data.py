"""Measurements that need the training sample: margins, and noise of SGD."""

from __future__ import annotations

from types import MappingProxyType

from boundkit.measure.glossary.entry import Group

__all__ = ["MARGINS", "NOISE"]

_XU = "Xu et al. (2023)"

MARGINS = Group(
    "margins",
    "--model and --data; the equilibrium takes --weight-decay",
    f"{_XU}, section 2",
    MappingProxyType({
        "mean": "mean of the margins y f, or f_y - max of the others",
        "second_moment": "mean of their squares",
        "variance": "mean of (m - mean)^2, divided by n",
        "min": "the least",
        "max": "the largest",
        "q01": "1 % quantile, interpolated linearly",
        "q05": "5 % quantile",
        "q10": "10 % quantile",
        "median": "50 % quantile",
        "q90": "90 % quantile",
        "q95": "95 % quantile",
        "q99": "99 % quantile",
        "train_error": "share of margins <= 0",
        "separable": "whether every margin is positive",
        "rho_eq": (
            "mu / (M + lambda), mu and M mean and second moment of margins over "
            "rho: where the flow of the square loss rests"
        ),
        "epsilon": "(sigma^2 + lambda) / (mu^2 + sigma^2 + lambda): the loss there",
        "rho_dot": "2 (mu - rho (M + lambda)): how fast rho moves",
        "interpolation_gap": "1 - rho mu; equals epsilon at rho_eq",
        "equilibrium_gap": "rho - rho_eq",
    }),
    MappingProxyType({
        "rho_eq": f"{_XU}, (7); (33) for several outputs",
        "epsilon": f"{_XU}, (8); (34) for several outputs",
        "rho_dot": f"{_XU}, (6)",
        "interpolation_gap": f"{_XU}, (8)",
    }),
)

NOISE = Group(
    "noise of SGD, by layer",
    "--model, --data and --only noise; g_n is the gradient of sample n",
    "docs/noise.md",
    MappingProxyType({
        "gradient_noise": (
            "trace of the covariance of the gradient of minibatches of B out of N: "
            "(1/B - 1/N) sum ||g_n - mean||^2 / (m - 1), m samples looked at"
        ),
        "normalized_noise": "||W||^2 gradient_noise",
        "signal": "||mean g||^2 over all N, estimated without bias",
        "signal_with_decay": "the same of g + 2 lambda W",
        "noise_scale": "population trace over signal, in samples",
        "update_norm": (
            "root mean square over minibatches of ||(2 rho / B) sum l_n (d fb_n/dV "
            "- fb_n V)||, l_n = 1 - rho fb_n, V = W / ||W||"
        ),
        "update_norm_bound": "the same with the norm inside the sum, as printed",
        "update_noise": "trace of the covariance of that update",
        "identity_residual": "largest |<W, df/dW> - f| over the largest |f|",
        "lemma8_residual": "largest ||h_i - h_j||, h_n = l_n (d fb_n/dV - fb_n V)",
        "lemma8_norm": "largest ||h_n||",
        "patches": "largest rank that the gradient of one sample can have, P",
        "distance_to_rank_p": "||V - X|| for the nearest X of rank at most P",
        "distance_to_rank_2p": "||V - X|| for the nearest X of rank at most 2 P",
        "rank_bound": (
            "n B P with the least n for which (1 - 2 mu lambda)^n <= 0.01, mu the "
            "learning rate"
        ),
        "weight_jitter": "||V - V'|| against an earlier checkpoint",
        "update_rank": "numerical rank of what SGD added since then",
        "update_rank_limit": "steps B P",
        "update_rank_distance": "(1 - 2 mu lambda)^steps ||W'|| / ||W||",
    }),
    MappingProxyType({
        "noise_scale": "McCandlish et al. (2018), (2.9)",
        "update_norm": f"{_XU}, (53), corrected",
        "update_norm_bound": f"{_XU}, (53), right side",
        "lemma8_residual": f"{_XU}, Lemma 8",
        "rank_bound": "Galanti, Siegel, Gupte, Poggio (2022)",
    }),
)
