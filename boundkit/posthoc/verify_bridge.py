"""The bound on the original network, recomputed from both networks and fresh inputs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from boundkit.errors import DataError
from boundkit.numerics.binomial_tail import binomial_upper
from boundkit.posthoc.bridge import differences, fresh_inputs
from boundkit.posthoc.opened import opened
from boundkit.posthoc.verification import Check, close, same

if TYPE_CHECKING:
    import torch

    from boundkit.posthoc.certificate import CertificateFile
    from boundkit.posthoc.opened import Opened
    from boundkit.posthoc.sample import Sample

__all__ = ["verify_bridge"]

_COUNTS = ("samples", "disagreements")


def verify_bridge(
    certificate: CertificateFile,
    found: Opened,
    sample: Sample,
    original: Any,
    unlabelled: Any,
    device: torch.device,
    batch_size: int,
    trust: bool,
) -> tuple[Check, ...]:
    """Recompute what a certificate states about the network it started from.

    Args:
        certificate: Trusted in nothing but both deltas, which are the claim.
        found: The certified weights in their model.
        sample: The training sample.
        original: The checkpoint that ``draw`` was given.
        unlabelled: The fresh inputs.
        device: Where to run.
        batch_size: Samples at a time.
        trust: Allow code in the original to run, where it cannot be read otherwise.

    Raises:
        BoundkitError: The bridge is none, or the original or the inputs cannot be used.
    """
    stated = _usable(certificate.own.get("bridge"))
    fresh, known = fresh_inputs(unlabelled, sample, batch_size)
    start = opened(original, found.made, fresh.shape, trust=trust)
    count, sha256 = differences(start.trained, found.trained, fresh, device, batch_size)
    within = count.plain <= stated["disagreements"] <= count.loose
    seen = f"{count.plain} to {count.loose}"
    share = binomial_upper(
        stated["disagreements"], count.samples, math.log(stated["delta"])
    )
    digest = (
        ()
        if start.sha256 is None
        else (same("original weights", certificate.sha256_in, start.sha256),)
    )
    return (
        *digest,
        same("fresh inputs", stated.get("sha256"), sha256),
        same("fresh inputs known to training", stated.get("known", 0), known),
        same("fresh sample size", stated["samples"], count.samples),
        Check("disagreements", within, str(stated["disagreements"]), seen),
        close("disagreement bound", stated.get("disagreement_bound"), share, 1e-8),
        close(
            "bound on the original",
            stated.get("bound_original"),
            min(1.0, certificate.bound + share),
            1e-8,
        ),
    )


def _usable(bridge: Any) -> Mapping[str, Any]:
    fine = isinstance(bridge, Mapping) and all(
        isinstance(bridge.get(key), int) and bridge[key] >= 0 for key in _COUNTS
    )
    fine = fine and bridge["disagreements"] <= bridge["samples"]
    delta = bridge.get("delta") if fine else None
    if not isinstance(delta, float) or not 0 < delta < 1:
        raise DataError(
            "the certificate's bridge has no usable samples, disagreements and delta;"
            " give the .json file that draw wrote"
        )
    return dict(bridge)
