"""The certificate of a coded network, put together."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from boundkit.arguments import named
from boundkit.posthoc.certificate import CertificateFile
from boundkit.posthoc.coded import bits
from boundkit.posthoc.coded_json import plain_network
from boundkit.posthoc.family import center_sha256
from boundkit.posthoc.occam import nats_of, occam, relaxed
from boundkit.posthoc.taken import place_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

    from boundkit.posthoc.code_search import Found
    from boundkit.posthoc.counting import Count
    from boundkit.posthoc.opened import Opened
    from boundkit.posthoc.sample import Sample

__all__ = ["code_certificate"]

_PREMISES = (
    (
        "the sample is independent and identically distributed; new inputs come from"
        " the same distribution"
    ),
    "preprocessing, architecture and, if given, init were fixed without the sample",
    "the errors are counted on the samples as they are, without augmentation",
    (
        "this certificate was not chosen among several; if it was, each needs its"
        " share of delta"
    ),
)
_ENDED = {
    "budget": "the budget ended the search; a larger one may find a smaller bound",
    "interrupted": "the search was interrupted; the best code so far was taken",
}


def code_certificate(
    found: Opened,
    sample: Sample,
    best: Found,
    count: Count,
    center: Mapping[str, torch.Tensor],
    delta: float,
    model: Any,
    init: Any,
    beside: Mapping[str, float | None],
    seconds: Mapping[str, float],
) -> CertificateFile:
    """Return what is proved about a coded network in memory.

    Args:
        found: The checkpoint in its model.
        sample: The training sample.
        best: The code.
        count: Its errors on the whole sample.
        center: What it is added to.
        delta: Probability that the statement fails.
        model: As the user gave it.
        init: Likewise, or None.
        beside: Hold-out numbers.
        seconds: Of each stage.
    """
    spent = bits(best.network).total
    bound = occam(count.guarded, sample.n, spent, delta)
    classes = max(count.outputs, 2)
    return CertificateFile(
        kind="code",
        certifies="the returned state_dict, not the checkpoint that was given",
        bound=bound,
        delta=delta,
        n=sample.n,
        errors=count.guarded,
        classes=classes,
        chance_error=sample.chance_error,
        complexity_nats=nats_of(spent),
        model=named(model),
        sha256_in=found.sha256,
        sha256_out=None,
        data_sha256=sample.sha256,
        premises=_PREMISES,
        warnings=_warnings(found, sample, best, vacuous=bound >= 1 - 1 / classes),
        reference=MappingProxyType(dict(beside)),
        own=_own(
            best, relaxed(count.guarded, sample.n, spent, delta), center, place_of(init)
        ),
        seconds=seconds,
    )


def _warnings(
    found: Opened, sample: Sample, best: Found, *, vacuous: bool
) -> tuple[str, ...]:
    told = []
    if found.net.unfolded:
        told.append(
            f"{len(found.net.unfolded)} BatchNorm could not be folded into a layer; its"
            " factors are counted as parameters"
        )
    if len(sample.x) < sample.n:
        told.append(f"the search saw {len(sample.x)} of {sample.n} samples")
    if best.stopped in _ENDED:
        told.append(_ENDED[best.stopped])
    if vacuous:
        told.append("the bound is vacuous: guessing among the classes is as good")
    return tuple(told)


def _own(
    best: Found,
    bound_kl: float,
    center: Mapping[str, torch.Tensor],
    init: str | None,
) -> Mapping[str, Any]:
    """Return the keys that only this kind has."""
    spent, tensors = bits(best.network), best.network.tensors
    return MappingProxyType({
        "bits": spent.total,
        "bits_settings": spent.settings,
        "bits_codebook": spent.codebook,
        "bits_symbols": spent.symbols,
        "bound_kl": bound_kl,
        "kept": sum(int((b.symbols > 0).sum()) for t in tensors for b in t.blocks),
        "tries": best.tries,
        "stopped": best.stopped,
        "prior": {
            "center": best.network.center,
            "source": init if best.network.center == "init" else None,
            "sha256": center_sha256(center),
        },
        "code": plain_network(best.network),
    })
