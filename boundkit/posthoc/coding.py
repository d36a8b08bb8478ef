"""One network in few bits near a trained one, and a certificate: ``boundkit.code``."""

from __future__ import annotations

import time
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from boundkit.errors import UsageError
from boundkit.measure.forward import placed, resolved
from boundkit.posthoc.code_certificate import code_certificate
from boundkit.posthoc.code_search import RANKS, searched
from boundkit.posthoc.coded import decoded
from boundkit.posthoc.counting import counted
from boundkit.posthoc.prior_center import neutral
from boundkit.posthoc.published import place_wanted, published
from boundkit.posthoc.reference import references
from boundkit.posthoc.sample import require_labels
from boundkit.posthoc.starting_values import starting_values
from boundkit.posthoc.taken import require_finite, taken
from boundkit.posthoc.with_tensors import state_with
from boundkit.stopwatch import Stopwatch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import torch

    from boundkit.posthoc.certificate import CertificateFile
    from boundkit.posthoc.coded import Center, CodedNetwork
    from boundkit.posthoc.counting import Count
    from boundkit.posthoc.opened import Opened
    from boundkit.posthoc.sample import Sample

    Progress = Callable[[int, int | None, str], None] | None
    Centers = dict[Center, Mapping[str, torch.Tensor]]

__all__ = ["Coding", "code"]


@dataclass(frozen=True, slots=True, eq=False)
class Coding:
    """A certified network.

    Attributes:
        certificate: What is proved about it.
        state: Its state_dict, which loads strictly into the model.
    """

    certificate: CertificateFile
    state: Mapping[str, torch.Tensor]


def code(
    source: Any,
    *,
    data: Any,
    model: Any = None,
    init: Any = None,
    lowrank: str | int = "auto",
    test_data: Any = None,
    delta: float = 0.05,
    budget: float = 60.0,
    out: str | Path | None = None,
    device: str = "auto",
    batch_size: int = 1000,
    key: str | None = None,
    trust: bool = False,
    progress: Progress = None,
) -> Coding:
    """Certify a network of few distinct numbers near a trained one, by its code length.

    Weights are replaced by few levels, linear layers by products of thin matrices where
    that pays, and trained through the quantizer. The bound is Occam's with the exact
    binomial tail; it holds for the network that is returned, not for the one that was
    given, and nothing about it is random.

    Args:
        source: A path, or an nn.Module or state_dict in memory.
        data: The training sample: a SPEC string, Dataset, DataLoader or (x, y).
        model: An nn.Module or SPEC; None where the source is a module.
        init: The checkpoint from before training, to code the difference from.
        lowrank: ``"auto"`` to try several ranks for linear layers, ``"none"``, or the
            one rank to use.
        test_data: A sample that training has not seen, for numbers beside the bound.
        delta: Probability that the statement fails.
        budget: Seconds for the search.
        out: Where to write the weights (.pt, .pth, .safetensors); the certificate goes
            beside them, with the ending .certificate.json.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:1"`` or ``"mps"``.
        batch_size: Samples at a time where errors are counted.
        key: Which model, where the file holds several.
        trust: Allow code in the file to run, where it cannot be read otherwise.
        progress: Called with the number done, the total or None, and a label.

    Returns:
        The certificate and the state_dict that it is about.

    Raises:
        CheckpointError: A checkpoint is broken, not ours to open, or empty.
        DataError: The data cannot be used.
        ModelError: The model does not load, fit or run, or cannot be certified.
        UsageError: An argument is out of range, or the init has been trained.
    """
    begun = time.perf_counter()
    ranks = _require_sense(data, delta, budget, batch_size, lowrank)
    place = place_wanted(out, source)
    clock, where = Stopwatch(), resolved(device)
    with clock.stage("data"):
        found, sample = taken(
            source, model, data, "train", batch_size, key=key, trust=trust
        )
        _require_runs(found, sample)
        centers = _centers(found, init, sample, where, batch_size, trust)
    with clock.stage("search"):
        best = searched(
            found.net,
            centers,
            sample.x,
            sample.labels,
            n=sample.n,
            delta=delta,
            ranks=ranks,
            deadline=begun + budget,
            device=where,
            progress=progress,
        )
    center = centers[best.network.center]
    tensors = _tensors(best.network, center)
    with clock.stage("count"):
        count = _counted(found, tensors, sample, where, batch_size, progress)
    with clock.stage("beside"):
        nets = (found.trained, found.net.module, tensors)
        beside = references(*nets, test_data, delta, where, batch_size)
    state = state_with(found.net.module, tensors)
    rest = (delta, model, init, beside, clock.read())
    certificate = code_certificate(found, sample, best, count, center, *rest)
    return Coding(published(certificate, state, place), MappingProxyType(state))


def _require_sense(
    data: Any, delta: float, budget: float, batch_size: int, lowrank: str | int
) -> tuple[int, ...]:
    """Return the ranks to try.

    Raises:
        UsageError: An argument makes no sense.
    """
    if data is None:
        raise UsageError(
            "code needs the training sample: give --data; without it only holdout"
            " certifies a net, on --data that it has not seen"
        )
    rank = lowrank if isinstance(lowrank, int) and lowrank is not True else 0
    ranked = lowrank in {"auto", "none"} or rank >= 1
    checks = (
        ("delta", "lie in (0, 1)", 0 < delta < 1, delta),
        ("budget", "be a number of seconds above 0", 0 < budget < 1e9, budget),
        ("batch_size", "be at least 1", batch_size >= 1, batch_size),
        ("lowrank", "be auto, none or a rank of at least 1", ranked, lowrank),
    )
    for name, expected, good, value in checks:
        if not good:
            raise UsageError(f"{name} must {expected}, but got {value!r}")
    if rank:
        return (rank,)
    return (0, *RANKS) if lowrank == "auto" else (0,)


def _require_runs(found: Opened, sample: Sample) -> None:
    """Refuse before the search what cannot work.

    Raises:
        ModelError: Weights are not finite, or the net does not run.
    """
    import torch

    from boundkit.measure.forward import logits, require_repeatable

    require_finite(found.net)
    with torch.inference_mode():
        require_repeatable(found.net.module, sample.x[:2])
        outputs = logits(found.net.module, sample.x[:2])
    require_labels(sample, outputs.shape[1])


def _tensors(
    network: CodedNetwork, center: Mapping[str, torch.Tensor]
) -> dict[str, torch.Tensor]:
    import torch

    arrays = {n: t.detach().float().cpu().numpy() for n, t in center.items()}
    return {n: torch.from_numpy(v) for n, v in decoded(network, arrays).items()}


def _centers(
    found: Opened,
    init: Any,
    sample: Sample,
    device: torch.device,
    batch_size: int,
    trust: bool,
) -> Centers:
    centers: Centers = {"zero": neutral(found.net)}
    if init is not None:
        own = starting_values(found, init, sample, device, batch_size, trust)
        centers["init"] = own
    return centers


def _counted(
    found: Opened,
    tensors: Mapping[str, torch.Tensor],
    sample: Sample,
    device: torch.device,
    batch_size: int,
    progress: Progress,
) -> Count:
    module, batches = placed(found.net.module, device), sample.batches(batch_size)
    (count,) = counted(
        module, [tensors], batches, device, progress=progress, total=sample.n
    )
    return count
