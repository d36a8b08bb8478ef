"""The certificate of a drawn network, put together."""

from __future__ import annotations

import hashlib
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from boundkit.arguments import named
from boundkit.posthoc.certificate import CertificateFile
from boundkit.posthoc.family import (
    center_sha256,
    encoded,
    posterior_bytes,
    prior_document,
)
from boundkit.posthoc.taken import place_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

    from boundkit.posthoc.drawn import Drawn
    from boundkit.posthoc.opened import Opened
    from boundkit.posthoc.sample import Sample
    from boundkit.posthoc.search import Searched

__all__ = ["draw_certificate"]

_PREMISES = (
    (
        "the sample is independent and identically distributed; new inputs come from the"
        " same distribution"
    ),
    "preprocessing, architecture and, if given, init were fixed without the sample",
    "the errors are counted on the samples as they are, without augmentation",
    (
        "this certificate was not chosen among several; if it was, each needs its share"
        " of delta"
    ),
)
_OF_THE_BRIDGE = (
    "the unlabelled inputs are independent, from the same distribution, and neither"
    " network was chosen with their help"
)
_ENDED = {
    "budget": "the budget ended the search; a larger one may find a smaller bound",
    "interrupted": "the search was interrupted; the best posterior so far was taken",
    "diverged": "the search diverged; the best posterior before that was taken",
}


def draw_certificate(
    found: Opened,
    sample: Sample,
    searched: Searched,
    drawn: Drawn,
    center: Mapping[str, torch.Tensor],
    delta: float,
    model: Any,
    init: Any,
    bridge: Mapping[str, Any] | None,
    beside: Mapping[str, float | None],
    seconds: Mapping[str, float],
) -> CertificateFile:
    """Return what is proved about a drawn network in memory.

    Args:
        found: The checkpoint in its model.
        sample: The training sample.
        searched: The posterior.
        drawn: The best draw.
        center: Of the prior, by name.
        delta: Probability that the statement fails.
        model: As the user gave it.
        init: Likewise, or None.
        bridge: To the original network, or None.
        beside: Hold-out numbers.
        seconds: Of each stage.
    """
    return CertificateFile(
        kind="draw",
        certifies="the returned state_dict, not the checkpoint that was given",
        bound=drawn.bound,
        delta=delta,
        n=sample.n,
        errors=drawn.count.guarded,
        classes=max(drawn.count.outputs, 2),
        chance_error=sample.chance_error,
        complexity_nats=drawn.cost.total,
        model=named(model),
        sha256_in=found.sha256,
        sha256_out=None,
        data_sha256=sample.sha256,
        premises=(*_PREMISES, *([] if bridge is None else [_OF_THE_BRIDGE])),
        warnings=_warnings(found, sample, drawn, searched.stopped, bridge),
        reference=MappingProxyType(dict(beside)),
        own=_own(drawn, searched, init, center, bridge, delta),
        seconds=seconds,
    )


def _warnings(
    found: Opened,
    sample: Sample,
    drawn: Drawn,
    stopped: str,
    bridge: Mapping[str, Any] | None,
) -> tuple[str, ...]:
    told = []
    if found.net.unfolded:
        told.append(
            f"{len(found.net.unfolded)} BatchNorm could not be folded into a layer; its"
            " factors are counted as parameters"
        )
    if len(sample.x) < sample.n:
        told.append(f"the search saw {len(sample.x)} of {sample.n} samples")
    if stopped in _ENDED:
        told.append(_ENDED[stopped])
    if drawn.bound >= 1 - 1 / max(drawn.count.outputs, 2):
        told.append("the bound is vacuous: guessing among the classes is as good")
    if bridge is not None and bridge["known"]:
        told.append(
            f"{bridge['known']} of {bridge['samples']} unlabelled inputs are in the"
            " training sample, too: they are hardly fresh"
        )
    return tuple(told)


def _own(
    drawn: Drawn,
    searched: Searched,
    init: Any,
    center: Mapping[str, torch.Tensor],
    bridge: Mapping[str, Any] | None,
    delta: float,
) -> Mapping[str, Any]:
    """Return the keys that only this kind has."""
    cost, posterior = drawn.cost, searched.posterior
    return MappingProxyType({
        "log_ratio": cost.log_ratio,
        "rounding_nats": cost.rounding,
        "union_nats": cost.union,
        "log_moment": cost.log_moment,
        "delta_share": delta / drawn.draws,
        "draws": drawn.draws,
        "chosen": drawn.index,
        "prior": prior_document(
            searched.net,
            drawn.chosen,
            "zero" if init is None else "init",
            place_of(init),
            center_sha256(center),
        ),
        "posterior": {
            "sha256": hashlib.sha256(posterior_bytes(posterior)).hexdigest(),
            "steps": searched.steps,
            "mean": encoded(posterior.mean),
            "log_scale": encoded(posterior.log_scale),
        },
        "seed": drawn.seed,
        "seed_rule": drawn.seed_rule,
        "stopped": searched.stopped,
        "bridge": None if bridge is None else dict(bridge),
    })
