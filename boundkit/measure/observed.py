"""What a net and its data turn out to be, before anything is measured on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

    from boundkit.data import Samples
    from boundkit.measure.features import Collected
    from boundkit.types import Evidence, Network, Notice

__all__ = ["Architecture", "Observed"]


@dataclass(frozen=True, slots=True, eq=False)
class Architecture:
    """A network with what is known of its architecture.

    Attributes:
        network: With nodes if it could be followed; weights as stored.
        rewritten: The same function after the passes; what the bounds see.
        notices: Why it could not be followed, and where graph and model disagree.
    """

    network: Network
    rewritten: Network
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Observed:
    """What the model and the data add to the tensors of a checkpoint.

    Attributes:
        architecture: As far as it is known.
        train: What the training sample tells, or None.
        test: What a held-out sample tells, or None.
        module: The net with the checkpoint's weights, or None.
        train_samples: The training sample itself, or None.
        train_features: What enters the last layer on it, if that was asked for.
        test_features: The same of the held-out sample.
    """

    architecture: Architecture
    train: Evidence | None = None
    test: Evidence | None = None
    module: nn.Module | None = None
    train_samples: Samples | None = None
    train_features: Collected | None = None
    test_features: Collected | None = None
