"""What is trained, and what the certificates are held to."""

from __future__ import annotations

from dataclasses import dataclass

from boundkit.errors import UsageError

__all__ = ["ARCHITECTURES", "DELTA", "RUNS", "Plan", "plan_named"]

DELTA = 0.05

#: Every architecture that was tried on these data, also those that were not kept. Each
#: task spends an equal share of delta on each of them.
ARCHITECTURES = (
    "linear",
    "dense, ReLU",
    "4x4 patches, ReLU",
    "4x4 patches, LeakyReLU(0.5)",
    "4x4 patches, ReLU, biases",
    "4x4 patches, ReLU, BatchNorm",
    "4x4 patches, ReLU, two residual blocks",
    "7x7 patches, ReLU, 2x2 max pooling",
    "three 3x3 convolutions of stride 2, ReLU",
    "four 3x3 convolutions of stride 2, ReLU",
    "three 3x3 convolutions of stride 2, LeakyReLU(0.5)",  # tried, not kept
    "5x5 convolution of stride 2, LeakyReLU(0.5)",  # tried, not kept
    "7x7 patches, ReLU",  # tried, not kept
    "14x14 patches, ReLU",  # tried, not kept
    "2x2 patches twice, ReLU",  # tried, not kept
)


@dataclass(frozen=True, slots=True)
class Plan:
    """One training.

    Attributes:
        name: Of the checkpoint.
        task: ``"3v8"`` or ``"all"``.
        net: The factory in ``nets``.
        architecture: One of ``ARCHITECTURES``.
        target: What the certificate is to stay below, or None.
        epochs: Passes over the sample.
        alpha: Share of the certificate's complexity that is charged.
        batch: Samples per step.
        rate: Of Adam.
        clip_from: Share of the steps after which the hinge is clipped.
        routes: Factories of the chains whose prices are charged; empty for the net's own.
        branch_share: Share of its price that each branch on a route is charged.
        seed: Of the weights and the order.
        bias_energy: Where layers have biases, the scale at which they are charged.
    """

    name: str
    task: str
    net: str
    architecture: str
    target: float | None
    epochs: int
    alpha: float
    batch: int = 128
    rate: float = 3e-3
    clip_from: float = 0.5
    routes: tuple[str, ...] = ()
    branch_share: float = 1.0
    seed: int = 0
    bias_energy: float = 0.0


_LINEAR, _DENSE, _RELU, _LEAKY, _BIASED, _NORM, _RESIDUAL, _POOL, _THREE, _FOUR = (
    ARCHITECTURES[:10]
)
_ROUTES = ("relu", "route_one", "route_two")

RUNS = (
    Plan("0v9_linear", "0v9", "linear", _LINEAR, None, 10, 0.8),
    Plan("1v8_linear", "1v8", "linear", _LINEAR, None, 10, 0.8),
    Plan("3v8_linear", "3v8", "linear", _LINEAR, None, 10, 0.8),
    Plan("0v9_dense", "0v9", "dense", _DENSE, None, 14, 0.8),
    Plan("0v9_relu", "0v9", "relu", _RELU, 0.17, 14, 0.8),
    Plan("1v8_relu", "1v8", "relu", _RELU, 0.18, 14, 0.8),
    Plan("3v8_relu", "3v8", "relu", _RELU, 0.24, 14, 0.8),
    Plan("3v8_relu_wide", "3v8", "relu_wide", _RELU, 0.27, 10, 0.8),
    Plan("0v9_leaky", "0v9", "leaky", _LEAKY, 0.13, 10, 0.8),
    Plan("1v8_leaky", "1v8", "leaky", _LEAKY, 0.15, 10, 0.8),
    Plan("3v8_leaky", "3v8", "leaky", _LEAKY, 0.19, 10, 0.8),
    Plan("0v9_overlap_three", "0v9", "overlap_three", _THREE, 0.32, 10, 1.0),
    Plan("0v9_overlap_four", "0v9", "overlap_four", _FOUR, 0.43, 10, 0.7),
    Plan("0v9_biased", "0v9", "biased", _BIASED, None, 14, 0.8, bias_energy=1 / 16),
    Plan(
        "0v9_batch_norm",
        "0v9",
        "batch_norm",
        _NORM,
        None,
        14,
        0.8,
        routes=("biased",),
        bias_energy=1 / 16,
    ),
    Plan("0v9_max_pool", "0v9", "max_pool", _POOL, None, 14, 0.8),
    Plan("0v9_residual", "0v9", "residual", _RESIDUAL, None, 14, 0.8, routes=_ROUTES),
    Plan(
        "0v9_residual_open",
        "0v9",
        "residual",
        _RESIDUAL,
        None,
        14,
        0.8,
        routes=_ROUTES,
        branch_share=0.4,
    ),
    Plan("all_linear", "all", "linear_ten", _LINEAR, None, 6, 0.6, 256, 3e-3, 0.6),
    Plan("all_relu", "all", "relu_ten", _RELU, 1.0, 14, 0.8, 256, 6e-3, 0.6),
    Plan("all_leaky", "all", "leaky_ten", _LEAKY, 1.0, 14, 0.8, 256, 6e-3, 0.6),
    Plan("all_leaky_light", "all", "leaky_ten", _LEAKY, 1.0, 14, 0.3, 256, 6e-3, 0.6),
)


def plan_named(name: str) -> Plan:
    """Return the run of this name.

    Raises:
        UsageError: There is none.
    """
    for run in RUNS:
        if run.name == name:
            return run
    names = ", ".join(run.name for run in RUNS)
    raise UsageError(
        f"--net {name!r}: there is no such net; choose all or one of {names}"
    )
