"""The exact bound from samples that training has not seen: ``boundkit.holdout``."""

from __future__ import annotations

import math
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from boundkit.arguments import named
from boundkit.errors import UsageError
from boundkit.layers.probe import copied
from boundkit.measure.forward import resolved
from boundkit.numerics.binomial_tail import binomial_upper
from boundkit.posthoc.certificate import CertificateFile, rendered
from boundkit.posthoc.counting import counted
from boundkit.posthoc.sample import require_labels
from boundkit.posthoc.taken import taken
from boundkit.posthoc.verification import Check, close
from boundkit.posthoc.weights_file import write_whole
from boundkit.stopwatch import Stopwatch

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

    from boundkit.posthoc.opened import Opened
    from boundkit.posthoc.sample import Sample

    Progress = Callable[[int, int | None, str], None] | None

__all__ = ["holdout", "verify_holdout"]

_PREMISES = (
    (
        "the sample is independent and identically distributed; new inputs come from the"
        " same distribution"
    ),
    (
        "apart from the declared selections, nothing about the network was chosen with"
        " the help of this sample"
    ),
)


def holdout(
    source: Any,
    *,
    data: Any,
    model: Any = None,
    selections: int = 1,
    delta: float = 0.05,
    out: str | Path | None = None,
    device: str = "auto",
    batch_size: int = 1000,
    key: str | None = None,
    trust: bool = False,
    progress: Progress = None,
) -> CertificateFile:
    """Certify a network as it is, by samples that training has not seen.

    The one-sided Clopper-Pearson limit at ``delta / selections`` (Langford, 2005, JMLR
    6, Theorem 3.3): exact for every sample size.

    Args:
        source: A path, or an nn.Module or state_dict in memory.
        data: The held-out sample: a SPEC string, Dataset, DataLoader or (x, y).
        model: An nn.Module or SPEC; None where the source is a module.
        selections: How many networks were compared on this sample.
        delta: Probability that the statement fails.
        out: Where to write the certificate, a .json file.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:1"`` or ``"mps"``.
        batch_size: Samples at a time.
        key: Which model, where the file holds several.
        trust: Allow code in the file to run, where it cannot be read otherwise.
        progress: Called with samples done, samples in all or None, and a label.

    Raises:
        CheckpointError: The checkpoint is broken, not ours to open, or empty.
        DataError: The data cannot be used.
        ModelError: The model does not load, fit or run.
        UsageError: An argument is out of its range.
    """
    if data is None:
        raise UsageError(
            "holdout needs samples that training has not seen: give --data"
        )
    for name, expected, good, value in (
        ("delta", "lie in (0, 1)", 0 < delta < 1, delta),
        ("selections", "be at least 1", selections >= 1, selections),
        ("batch_size", "be at least 1", batch_size >= 1, batch_size),
    ):
        if not good:
            raise UsageError(f"{name} must {expected}, but got {value!r}")
    clock, where = Stopwatch(), resolved(device)
    with clock.stage("data"):
        found, sample = taken(
            source, model, data, "test", batch_size, key=key, trust=trust
        )
    with clock.stage("errors"):
        errors, outputs = _errors(found, sample, where, batch_size, progress)
    require_labels(sample, outputs)
    certificate = CertificateFile(
        kind="holdout",
        certifies="the checkpoint that was given, as it is",
        bound=binomial_upper(errors, sample.n, math.log(delta / selections)),
        delta=delta,
        n=sample.n,
        errors=errors,
        classes=max(outputs, 2),
        chance_error=sample.chance_error,
        complexity_nats=0.0,
        model=named(model),
        sha256_in=found.sha256,
        sha256_out=found.sha256,
        data_sha256=sample.sha256,
        premises=_PREMISES,
        own=MappingProxyType({"selections": selections}),
        seconds=clock.read(),
    )
    if out is not None:
        write_whole(Path(out), rendered(certificate).encode())
    return certificate


def _errors(
    found: Opened,
    sample: Sample,
    device: torch.device,
    batch_size: int,
    progress: Progress,
) -> tuple[int, int]:
    (count,) = counted(
        copied(found.trained).to(device),
        [{}],
        sample.batches(batch_size),
        device,
        progress=progress,
        total=sample.n,
    )
    return count.guarded, count.outputs


def verify_holdout(
    certificate: CertificateFile,
    found: Opened,
    sample: Sample,
    device: torch.device,
    batch_size: int,
) -> tuple[Check, ...]:
    """Recompute everything that a hold-out certificate states.

    Args:
        certificate: Trusted in nothing.
        found: The weights in their model.
        sample: The held-out sample.
        device: Where to run.
        batch_size: Samples at a time.

    Raises:
        UsageError: It does not say how many networks were compared.
    """
    selections = certificate.own.get("selections")
    if not isinstance(selections, int) or selections < 1:
        raise UsageError("the certificate does not say how many selections it counts")
    module = copied(found.trained).to(device)
    (count,) = counted(module, [{}], sample.batches(batch_size), device)
    within = count.plain <= certificate.errors <= count.loose
    seen = f"{count.plain} to {count.loose}"
    bound = binomial_upper(
        certificate.errors, sample.n, math.log(certificate.delta / selections)
    )
    return (
        Check("errors", within, str(certificate.errors), seen),
        close("bound", certificate.bound, bound, 1e-8),
    )
