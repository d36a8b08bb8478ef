"""The part ``bounds``: every certificate of the catalog, and what stands beside them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from boundkit import readers
from boundkit.layers import from_tensors
from boundkit.report import assembly
from boundkit.types import Evidence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from boundkit.types import Certificate, Measurement, Network, Norms

__all__ = ["certificates", "quantities", "taken_on_trust"]


def taken_on_trust(n: int | None, input_norm: float) -> Evidence | None:
    """Return what is assumed of a sample that nobody has shown, None without its size.

    Args:
        n: Number of samples, or None.
        input_norm: Norm that inputs are taken to stay below.
    """
    if n is None:
        return None
    return Evidence(n, None, 0, input_norm**2, input_norm, measured=False)


def certificates(
    network: Network,
    sizes: Norms,
    train: Evidence | None,
    test: Evidence | None,
    *,
    delta: float,
    gamma: float | None,
    input_norm: float,
) -> tuple[Certificate, ...]:
    """Return one certificate per bound of the catalog.

    Args:
        network: As rewritten by the passes.
        sizes: Norms of its weights.
        train: The training sample, measured or assumed, or None.
        test: A held-out sample, or None.
        delta: Probability that a certificate fails.
        gamma: A margin fixed in advance, or None for the best.
        input_norm: Norm that inputs are taken to stay below, without data.
    """
    from boundkit.certify import BOUNDS, evaluate
    from boundkit.measure.completion import completed

    sizes = completed(network, sizes)
    return tuple(
        evaluate(bound, network, sizes, train, test, delta, gamma, input_norm)
        for bound in BOUNDS
    )


def quantities(
    stored: Network,
    network: Network,
    sizes: Norms,
    sample: Evidence | None,
    delta: float,
    columns: Mapping[str, Mapping[str, float | None]] | None,
    init: Any,
    *,
    trust: bool,
) -> tuple[Measurement, ...]:
    """Return the measures of the literature that are no bounds.

    Args:
        stored: The network as its tensors tell it.
        network: As rewritten by the passes.
        sizes: Norms of its weights.
        sample: The training sample, or None.
        delta: Probability that the formulas speak of.
        columns: Spectral columns of layers that nothing was folded into, or None.
        init: The checkpoint from before training, or None.
        trust: Whether code in that checkpoint may run.

    Raises:
        CheckpointError: ``init`` is broken, not ours to open, or empty.
    """
    from boundkit.measure.distances import distances
    from boundkit.measure.quantities import quantities as measured

    moved = None
    if init is not None:
        moved = distances(stored, from_tensors(readers.read(init, trust=trust))[0])
    log10 = assembly.rho(network, sizes).log10
    return measured(
        network,
        sizes,
        None if log10 is None else log10 * math.log(10),
        sample,
        delta,
        spectra=columns,
        moved=moved,
    )
