"""One random network near a trained one, and a certificate for it: ``boundkit.draw``."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from boundkit.arguments import named
from boundkit.data import open_data
from boundkit.errors import UsageError
from boundkit.measure.forward import resolved
from boundkit.posthoc.bridge import bridged, unlabelled_inputs
from boundkit.posthoc.certificate import CertificateFile, rendered
from boundkit.posthoc.drawn import Drawn, best_draw, own_keys
from boundkit.posthoc.opened import opened
from boundkit.posthoc.prior_center import neutral
from boundkit.posthoc.reference import references
from boundkit.posthoc.sample import gathered, require_labels
from boundkit.posthoc.search import search
from boundkit.posthoc.starting_values import starting_values
from boundkit.posthoc.weights_file import require_place, write_weights, write_whole
from boundkit.posthoc.with_tensors import state_with, with_tensors
from boundkit.stopwatch import Stopwatch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import torch

    from boundkit.posthoc.opened import Opened
    from boundkit.posthoc.sample import Sample

    Progress = Callable[[int, int | None, str], None] | None

__all__ = ["Drawing", "certificate_path", "draw"]

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


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """A certified network.

    Attributes:
        certificate: What is proved about it.
        state: Its state_dict, which loads strictly into the model.
    """

    certificate: CertificateFile
    state: Mapping[str, torch.Tensor]


def draw(
    source: Any,
    *,
    data: Any,
    model: Any = None,
    init: Any = None,
    unlabelled: Any = None,
    test_data: Any = None,
    delta: float = 0.05,
    budget: float = 60.0,
    steps: int | None = None,
    draws: int = 16,
    system_seed: bool = False,
    out: str | Path | None = None,
    device: str = "auto",
    batch_size: int = 1000,
    key: str | None = None,
    trust: bool = False,
    progress: Progress = None,
) -> Drawing:
    """Certify one random network near a trained one, by its training sample alone.

    The single-draw PAC-Bayes-kl bound: a Gaussian around the trained weights is made as
    wide and as close to the prior as the bound asks, ``draws`` networks are drawn from
    it, and the best of them is returned with its certificate. The original network is
    not what is certified, unless ``unlabelled`` builds the bridge to it.

    Args:
        source: A path, or an nn.Module or state_dict in memory.
        data: The training sample: a SPEC string, Dataset, DataLoader or (x, y).
        model: An nn.Module or SPEC; None where the source is a module.
        init: The checkpoint from before training, the center of the prior; None for 0.
        unlabelled: Fresh inputs; their labels, if any, are not looked at.
        test_data: A sample that training has not seen, for numbers beside the bound.
        delta: Probability that the statement fails.
        budget: Seconds to search for a good posterior.
        steps: Of the optimizer at most; a small number makes runs repeat exactly.
        draws: Networks that are drawn; each is paid for.
        system_seed: Take the seed from the system instead of from a hash.
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
    _require_sense(data, delta, budget, steps, draws, batch_size)
    place = None if out is None else Path(out)
    if place is not None:
        require_place(place, source)
    clock, where = Stopwatch(), resolved(device)
    # Four fifths for the draw, where the bridge needs the rest.
    share = delta if unlabelled is None else delta * 4 / 5
    with clock.stage("data"):
        samples = open_data(data, "train")
        found = opened(source, model, samples.shape, key=key, trust=trust)
        sample = gathered(samples, batch_size)
        center = (
            neutral(found.net)
            if init is None
            else starting_values(found, init, sample, where, batch_size, trust)
        )
    with clock.stage("search"):
        searched = search(
            found.net,
            center,
            sample,
            where,
            draws / share,
            budget=budget - (time.perf_counter() - begun),
            steps=steps,
            draws=draws,
            progress=progress,
        )
    with clock.stage("draws"):
        drawn = best_draw(
            searched,
            center,
            sample,
            where,
            delta=share,
            draws=draws,
            system=system_seed,
            batch_size=batch_size,
            progress=progress,
        )
    require_labels(sample, drawn.count.outputs)
    state = state_with(found.net.module, drawn.tensors)
    with clock.stage("beside"):
        bridge = None
        if unlabelled is not None:
            fresh = unlabelled_inputs(unlabelled)
            bridge = bridged(
                found.trained,
                with_tensors(found.net.module, state),
                fresh,
                drawn.bound,
                delta / 5,
                where,
                batch_size,
            )
        beside = references(
            found.trained,
            found.net.module,
            drawn.tensors,
            test_data,
            delta,
            where,
            batch_size,
        )
    digest = None if place is None else write_weights(place, state)
    certificate = CertificateFile(
        kind="draw",
        certifies=_certified(place),
        bound=drawn.bound,
        delta=share,
        n=sample.n,
        errors=drawn.count.guarded,
        classes=max(drawn.count.outputs, 2),
        chance_error=sample.chance_error,
        complexity_nats=drawn.cost.total,
        model=named(model),
        sha256_in=found.sha256,
        sha256_out=digest,
        data_sha256=sample.sha256,
        premises=_PREMISES,
        warnings=_warnings(found, sample, drawn, searched.stopped),
        reference=MappingProxyType(beside),
        own=own_keys(
            drawn,
            searched,
            "zero" if init is None else "init",
            named(init),
            center,
            bridge,
            share,
        ),
        seconds=clock.read(),
    )
    if place is not None:
        write_whole(certificate_path(place), rendered(certificate).encode())
    return Drawing(certificate, MappingProxyType(state))


def certificate_path(out: Path) -> Path:
    """Return where the certificate of a file of weights is written.

    Args:
        out: The weights.
    """
    return out.with_name(f"{out.name}.certificate.json")


def _require_sense(
    data: Any,
    delta: float,
    budget: float,
    steps: int | None,
    draws: int,
    batch_size: int,
) -> None:
    if data is None:
        raise UsageError(
            "draw needs the training sample: give --data; without it only holdout"
            " certifies a net, on --data that it has not seen"
        )
    checks = (
        ("delta", "lie in (0, 1)", 0 < delta < 1, delta),
        ("budget", "be a number of seconds above 0", 0 < budget < 1e9, budget),
        ("steps", "be at least 0", steps is None or steps >= 0, steps),
        ("draws", "lie between 1 and 10000", 1 <= draws <= 10_000, draws),
        ("batch_size", "be at least 1", batch_size >= 1, batch_size),
    )
    for name, expected, good, value in checks:
        if not good:
            raise UsageError(f"{name} must {expected}, but got {value!r}")


def _certified(place: Path | None) -> str:
    where = "the returned state_dict" if place is None else f"the file {place.name}"
    return f"{where}, not the checkpoint that was given"


def _warnings(
    found: Opened, sample: Sample, drawn: Drawn, stopped: str
) -> tuple[str, ...]:
    told = []
    if found.net.unfolded:
        told.append(
            f"{len(found.net.unfolded)} BatchNorm could not be folded into a layer; its"
            " factors are counted as parameters"
        )
    if len(sample.x) < sample.n:
        told.append(f"the search saw {len(sample.x)} of {sample.n} samples")
    meaning = {
        "budget": "the budget ended the search; a larger one may find a smaller bound",
        "interrupted": "the search was interrupted; the best posterior so far was taken",
        "diverged": "the search diverged; the best posterior before that was taken",
    }
    if stopped in meaning:
        told.append(meaning[stopped])
    if drawn.bound >= 1 - 1 / max(drawn.count.outputs, 2):
        told.append("the bound is vacuous: guessing among the classes is as good")
    return tuple(told)
