"""One random network near a trained one, and a certificate for it: ``boundkit.draw``."""

from __future__ import annotations

import time
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from boundkit.errors import UsageError
from boundkit.measure.forward import resolved
from boundkit.posthoc.bridge import bridged, fresh_inputs
from boundkit.posthoc.draw_certificate import draw_certificate
from boundkit.posthoc.drawn import best_draw
from boundkit.posthoc.published import place_wanted, published
from boundkit.posthoc.reference import references
from boundkit.posthoc.search import search
from boundkit.posthoc.starting_values import prior_center
from boundkit.posthoc.taken import require_finite, taken
from boundkit.posthoc.with_tensors import state_with, with_tensors
from boundkit.stopwatch import Stopwatch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import torch

    from boundkit.data import Samples
    from boundkit.posthoc.certificate import CertificateFile
    from boundkit.posthoc.drawn import Drawn
    from boundkit.posthoc.opened import Opened
    from boundkit.posthoc.sample import Sample

    Progress = Callable[[int, int | None, str], None] | None

__all__ = ["Drawing", "draw"]


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
    place = place_wanted(out, source)
    clock, where = Stopwatch(), resolved(device)
    # Four fifths for the draw, where the bridge needs the rest.
    share = delta if unlabelled is None else delta * 4 / 5
    with clock.stage("data"):
        found, sample = taken(
            source, model, data, "train", batch_size, key=key, trust=trust
        )
        require_finite(found.net)
        center = prior_center(found, init, sample, where, batch_size, trust)
        fresh = _fresh(unlabelled, sample, batch_size)
    given, left = (center, sample, where), budget - (time.perf_counter() - begun)
    with clock.stage("search"):
        searched = search(
            found.net,
            *given,
            draws / share,
            budget=left,
            steps=steps,
            draws=draws,
            progress=progress,
        )
    with clock.stage("draws"):
        drawn = best_draw(
            searched,
            *given,
            delta=share,
            draws=draws,
            system=system_seed,
            batch_size=batch_size,
            progress=progress,
        )
    state = state_with(found.net.module, drawn.tensors)
    with clock.stage("beside"):
        aside = _aside(found, state, drawn, fresh, test_data, delta, where, batch_size)
    rest = (share, model, init, *aside, clock.read())
    certificate = draw_certificate(found, sample, searched, drawn, center, *rest)
    return Drawing(published(certificate, state, place), MappingProxyType(state))


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


def _fresh(
    unlabelled: Any, sample: Sample, batch_size: int
) -> tuple[Samples, int] | None:
    if unlabelled is None:
        return None
    return fresh_inputs(unlabelled, sample, batch_size)


def _aside(
    found: Opened,
    state: Mapping[str, torch.Tensor],
    drawn: Drawn,
    fresh: tuple[Samples, int] | None,
    test_data: Any,
    delta: float,
    device: torch.device,
    batch_size: int,
) -> tuple[dict[str, Any] | None, dict[str, float | None]]:
    """Return the bridge to the original network, or None, and the hold-out numbers."""
    bridge = None
    if fresh is not None:
        inputs, known = fresh
        nets = (found.trained, with_tensors(found.net.module, state))
        own = bridged(*nets, inputs, drawn.bound, delta / 5, device, batch_size)
        bridge = {**own, "known": known}
    nets = (found.trained, found.net.module)
    return bridge, references(
        *nets, drawn.tensors, test_data, delta, device, batch_size
    )
