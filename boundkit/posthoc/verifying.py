"""Certificates recomputed: ``boundkit.verify`` trusts no optimizer and no file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from boundkit.data import open_data
from boundkit.errors import UsageError
from boundkit.measure.forward import resolved
from boundkit.posthoc.certificate import CertificateFile, read_certificate
from boundkit.posthoc.opened import opened
from boundkit.posthoc.sample import gathered
from boundkit.posthoc.verification import Check, Verification, same

if TYPE_CHECKING:
    import torch

    from boundkit.posthoc.opened import Opened
    from boundkit.posthoc.sample import Sample

__all__ = ["verify"]


def verify(
    certificate: Any,
    weights: Any,
    *,
    data: Any,
    model: Any = None,
    init: Any = None,
    device: str = "auto",
    batch_size: int = 1000,
    trust: bool = False,
) -> Verification:
    """Recompute a certificate from the certified weights and the sample.

    Errors, log ratio or bits, and the bound are computed anew; how the weights were
    found plays no part.

    Args:
        certificate: The path of a certificate, or one in memory.
        weights: The file that it is about, or its state_dict.
        data: The sample that it rests on.
        model: An nn.Module or SPEC. One that the certificate names is not run by
            itself: it is code.
        init: The center of the prior; None for the path that the certificate names.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:1"`` or ``"mps"``.
        batch_size: Samples at a time.
        trust: Allow code in a checkpoint to run, where it cannot be read otherwise.

    Returns:
        Everything that was compared.

    Raises:
        CheckpointError: The weights cannot be read.
        DataError: The certificate or the data cannot be used.
        ModelError: The weights do not fit the model.
        UsageError: The model or the init is missing, or an argument is out of range.
    """
    stated = (
        certificate
        if isinstance(certificate, CertificateFile)
        else read_certificate(Path(certificate))
    )
    if model is None and not hasattr(weights, "named_modules"):
        known = f" (the certificate names {stated.model!a})" if stated.model else ""
        raise UsageError(
            f"verify needs the model that the weights belong to: give --model{known}"
        )
    if batch_size < 1:
        raise UsageError(f"batch_size must be at least 1, but got {batch_size!r}")
    where = resolved(device)
    samples = open_data(data, "test" if stated.kind == "holdout" else "train")
    sample = gathered(samples, batch_size)
    found = opened(weights, model, samples.shape, trust=trust)
    checks = (
        *_shared(stated, found, sample),
        *_of_kind(stated, found, sample, init, where, batch_size, trust),
    )
    return Verification(
        stated.kind,
        stated.bound,
        stated.delta,
        stated.certifies,
        checks,
        _notes(stated, found),
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
    if stated.own.get("bridge"):
        told.append("the bridge to the original network was not recomputed")
    if stated.own.get("seed_rule") == "system entropy":
        told.append("the seed is said to be the system's, which leaves no trace")
    return tuple(told)
