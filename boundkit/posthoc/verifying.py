"""Certificates recomputed: ``boundkit.verify`` trusts no optimizer and no file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from boundkit.errors import UsageError
from boundkit.measure.forward import resolved
from boundkit.posthoc.certificate import CertificateFile, read_certificate
from boundkit.posthoc.taken import taken
from boundkit.posthoc.verification import Check, Verification, same
from boundkit.posthoc.verify_bridge import verify_bridge

if TYPE_CHECKING:
    import torch

    from boundkit.posthoc.opened import Opened
    from boundkit.posthoc.sample import Sample

__all__ = ["verify"]

_BRIDGE = "the bound on the original network (the bridge)"


def verify(
    certificate: Any,
    weights: Any,
    *,
    data: Any,
    model: Any = None,
    init: Any = None,
    original: Any = None,
    unlabelled: Any = None,
    without_bridge: bool = False,
    device: str = "auto",
    batch_size: int = 1000,
    trust: bool = False,
) -> Verification:
    """Recompute a certificate from the certified weights and the sample.

    Errors, log ratio or bits, and the bound are computed anew; how the weights were
    found plays no part. A certificate that also speaks of the original network does not
    pass until its bridge is recomputed, too, or left aside on purpose.

    Args:
        certificate: The path of a certificate, or one in memory.
        weights: The file that it is about, or its state_dict.
        data: The sample that it rests on.
        model: An nn.Module or SPEC. One that the certificate names is not run by
            itself: it is code.
        init: The center of the prior; None for the path that the certificate names.
        original: The checkpoint that ``draw`` was given, for a certificate with a bridge
            to it.
        unlabelled: The fresh inputs of that bridge.
        without_bridge: Verify what is said of the certified weights only.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:1"`` or ``"mps"``.
        batch_size: Samples at a time.
        trust: Allow code in a checkpoint to run, where it cannot be read otherwise.

    Returns:
        Everything that was compared.

    Raises:
        CheckpointError: The weights cannot be read.
        DataError: The certificate or the data cannot be used.
        ModelError: The weights do not fit the model.
        UsageError: The model, the init or half a bridge is missing, or an argument is out
            of range.
    """
    stated = (
        certificate
        if isinstance(certificate, CertificateFile)
        else read_certificate(Path(certificate))
    )
    _require_sense(stated, model, weights, original, unlabelled, batch_size)
    where = resolved(device)
    part: Literal["train", "test"] = "test" if stated.kind == "holdout" else "train"
    found, sample = taken(weights, model, data, part, batch_size, trust=trust)
    checks = (
        *_shared(stated, found, sample),
        *_of_kind(stated, found, sample, init, where, batch_size, trust),
    )
    if original is not None:
        checks += verify_bridge(
            stated, found, sample, original, unlabelled, where, batch_size, trust
        )
    aside, unchecked = _left(stated, original, without_bridge)
    return Verification(
        stated.kind,
        stated.bound,
        stated.delta,
        stated.certifies,
        checks,
        (*_notes(stated, found), *aside),
        unchecked,
        _original(stated) if original is not None else None,
    )


def _left(
    stated: CertificateFile, original: Any, without_bridge: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what is left out on purpose, and what only was not recomputed."""
    if original is not None or not stated.own.get("bridge"):
        return (), ()
    if without_bridge:
        return (f"{_BRIDGE}, left aside as asked",), ()
    return (), (f"{_BRIDGE}: give --original and --unlabelled, or --without-bridge",)


def _original(stated: CertificateFile) -> tuple[float, float]:
    bridge = stated.own["bridge"]
    return bridge["bound_original"], stated.delta + bridge["delta"]


def _require_sense(
    stated: CertificateFile,
    model: Any,
    weights: Any,
    original: Any,
    unlabelled: Any,
    batch_size: int,
) -> None:
    if model is None and not hasattr(weights, "named_modules"):
        known = f" (the certificate names {stated.model!a})" if stated.model else ""
        raise UsageError(
            f"verify needs the model that the weights belong to: give --model{known}"
        )
    if batch_size < 1:
        raise UsageError(f"batch_size must be at least 1, but got {batch_size!r}")
    if (original is None) != (unlabelled is None):
        raise UsageError(
            "a bridge is verified from two things: give both --original and --unlabelled"
        )
    if original is not None and not stated.own.get("bridge"):
        raise UsageError(
            "the certificate has no bridge to an original network: leave out --original"
            " and --unlabelled"
        )


def _shared(
    stated: CertificateFile, found: Opened, sample: Sample
) -> tuple[Check, ...]:
    digest = (
        ()
        if found.sha256 is None
        else (same("weights", stated.sha256_out, found.sha256),)
    )
    return (
        *digest,
        same("data", stated.data_sha256, sample.sha256),
        same("sample size", stated.n, sample.n),
    )


def _of_kind(
    stated: CertificateFile,
    found: Opened,
    sample: Sample,
    init: Any,
    device: torch.device,
    batch_size: int,
    trust: bool,
) -> tuple[Check, ...]:
    if stated.kind == "holdout":
        from boundkit.posthoc.holding_out import verify_holdout

        return verify_holdout(stated, found, sample, device, batch_size)
    if stated.kind == "code":
        from boundkit.posthoc.verify_code import verify_code

        return tuple(
            verify_code(stated, found, sample, init, device, batch_size, trust)
        )
    from boundkit.posthoc.verify_draw import verify_draw

    return verify_draw(stated, found, sample, init, device, batch_size, trust)


def _notes(stated: CertificateFile, found: Opened) -> tuple[str, ...]:
    told = ["premises cannot be checked by a program: " + "; ".join(stated.premises)]
    if found.sha256 is None:
        told.append("weights in memory have no file whose hash could be compared")
    if stated.own.get("seed_rule") == "system entropy":
        told.append("the seed is said to be the system's, which leaves no trace")
    return tuple(told)
