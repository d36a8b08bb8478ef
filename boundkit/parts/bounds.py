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

    from boundkit.report.model import Rho
    from boundkit.types import Certificate, Measurement, Network, Norms

__all__ = ["bounded", "taken_on_trust"]


def taken_on_trust(n: int | None, input_norm: float) -> Evidence | None:
    """Return what is assumed of a sample that nobody has shown, None without its size.

    Args:
        n: Number of samples, or None.
        input_norm: Norm that inputs are taken to stay below.
    """
    if n is None:
        return None
    return Evidence(n, None, 0, input_norm**2, input_norm, measured=False)


def bounded(
    parts: frozenset[str],
    network: Network,
    rewritten: Network,
    sizes: Norms,
    train: Evidence | None,
    test: Evidence | None,
    *,
    delta: float,
    gamma: float | None,
    input_norm: float,
    stored: Rho,
    columns: Mapping[str, Mapping[str, float | None]],
    folds: Mapping[str, str],
    init: Any,
    trust: bool,
) -> tuple[tuple[Certificate, ...], tuple[Measurement, ...]]:
    """Return the certificates and the measures of the literature; nothing unless asked.

    Args:
        parts: To be computed.
        network: As its tensors tell it.
        rewritten: The same function after the passes.
        sizes: Norms of the rewritten weights.
        train: The training sample, measured or assumed, or None.
        test: A held-out sample, or None.
        delta: Probability that a certificate fails.
        gamma: A margin fixed in advance, or None for the best.
        input_norm: Norm that inputs are taken to stay below, without data.
        stored: The product of norms.
        columns: Spectral columns of layers; empty where they were not computed.
        folds: Tensor -> layer it was folded into.
        init: The checkpoint from before training, or None.
        trust: Whether code in that checkpoint may run.

    Raises:
        CheckpointError: ``init`` is broken, not ours to open, or empty.
    """
    if "bounds" not in parts:
        return (), ()
    touched = set(folds.values())
    unchanged = {name: row for name, row in columns.items() if name not in touched}
    return _certificates(
        rewritten,
        sizes,
        train,
        test,
        delta=delta,
        gamma=gamma,
        input_norm=input_norm,
    ), (
        *assembly.heuristics(network, stored, train, delta),
        *_quantities(
            network,
            rewritten,
            sizes,
            train,
            delta,
            unchanged if "spectra" in parts else None,
            init,
            trust=trust,
        ),
    )


def _certificates(
    network: Network,
    sizes: Norms,
    train: Evidence | None,
    test: Evidence | None,
    *,
    delta: float,
    gamma: float | None,
    input_norm: float,
) -> tuple[Certificate, ...]:
    from boundkit.certify import BOUNDS, evaluate
    from boundkit.measure.completion import completed

    sizes = completed(network, sizes)
    found = (
        evaluate(bound, network, sizes, train, test, delta, gamma, input_norm)
        for bound in BOUNDS
    )
    # A held-out sample says more than any bound from training: it comes first.
    return tuple(sorted(found, key=lambda one: test is None or one.bound != "holdout"))


def _quantities(
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
    from boundkit.measure.distances import distances, rewritten_like
    from boundkit.measure.quantities import quantities as measured

    moved = None
    if init is not None:
        before = readers.read(init, trust=trust)
        start, _ = from_tensors(before)
        start = rewritten_like(start, before.tensors, stored, network)
        moved = distances(network, start)
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
