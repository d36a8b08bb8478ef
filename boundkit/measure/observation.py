"""A network looked at together with its module and its data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from boundkit.layers.model_spec import fit, load_model
from boundkit.layers.stored_module import input_shape_of
from boundkit.layers.wiring import first_layer
from boundkit.measure.evidence import evidence
from boundkit.measure.features import collected
from boundkit.measure.file_architecture import from_file
from boundkit.measure.following import followed
from boundkit.measure.head import head_of
from boundkit.measure.observed import Architecture, Observed
from boundkit.measure.ranks import ALONE
from boundkit.types import Notice

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch
    from torch import nn

    from boundkit.data import Samples
    from boundkit.measure.features import Collected
    from boundkit.measure.ranks import Ranks
    from boundkit.numerics.class_moments import ClassMoments
    from boundkit.types import Checkpoint, Evidence, Geometry, Network

    Progress = Callable[[int, int | None, str], None] | None

__all__ = ["observed", "watched"]

#: Real samples that probes run on.
_PROBED = 4


def observed(
    network: Network,
    checkpoint: Checkpoint,
    *,
    model: Any,
    data: Any,
    test_data: Any,
    input_shape: Sequence[int] | None,
    device: str,
    batch_size: int,
    progress: Progress,
    normalized: bool = False,
    perturb: bool = False,
    features: bool = False,
    head: str | None = None,
    ranks: Ranks = ALONE,
) -> Observed:
    """Trace the model and run it over the data, as far as they are given.

    Args:
        network: Layers as the checkpoint's tensors tell them.
        checkpoint: Where they are from.
        model: An nn.Module, a SPEC, or None.
        data: The training sample, or None.
        test_data: A held-out sample, or None.
        input_shape: Of one sample, or None to take that of the data.
        device: Where to run.
        batch_size: Samples at a time.
        progress: Called with samples done, samples in all or None, and a label.
        normalized: Whether to keep what follows from the training sample's declared
            preprocessing.
        perturb: Whether to see how much noise on the weights the accuracy survives.
        features: Whether to watch what enters the last layer, in the same passes.
        head: Path of that layer, or None to find it.
        ranks: This process among others that each run a share of the samples.

    Raises:
        DataError: The data cannot be used.
        ModelError: The model does not load, fit or run.
        ProcessLost: Another process of the run failed or went silent.
        UsageError: The device is not there, or the head is not.
    """
    if model is None:
        return Observed(from_file(network, checkpoint, input_shape))
    from boundkit.data import open_data

    module = fit(load_model(model) if isinstance(model, str) else model, checkpoint)
    train = None if data is None else open_data(data, "train")
    test = None if test_data is None else open_data(test_data, "test")
    known = train or test
    shape = tuple(
        input_shape or (known.shape if known else input_shape_of(module) or ())
    )
    if shape:
        real = None if known is None else _some(known)
        seen = followed(network, checkpoint, module, shape, real)
    else:
        why = "the size of the model's inputs is not known: give --input-shape"
        seen = Architecture(network, network, (Notice("not-traced", why),))
    last, real = None, None if known is None or not features else _some(known)
    if real is not None:
        last, notices = head_of(seen.network, module, head, real)
        seen = replace(seen, notices=(*seen.notices, *notices))
    ran = _Ran(module, seen.rewritten, last, device, batch_size, progress, ranks)
    told, entered = ran.over(train, normalized=normalized)
    held, held_entered = ran.over(test, reference=entered.moments if entered else None)
    if train is not None and told is not None and perturb:
        told, notices = _with_sharpness(
            told, seen.rewritten, train, device, batch_size, progress
        )
        seen = replace(seen, notices=(*seen.notices, *notices))
    return Observed(seen, told, held, module, train, entered, held_entered)


@dataclass(frozen=True, slots=True, eq=False)
class _Ran:
    """A net and how it is run."""

    module: nn.Module
    network: Network
    head: str | None
    device: str
    batch_size: int
    progress: Progress
    ranks: Ranks

    def over(
        self,
        samples: Samples | None,
        *,
        normalized: bool = False,
        reference: ClassMoments | None = None,
    ) -> tuple[Evidence | None, Collected | None]:
        """Return what a sample tells, and what enters the last layer on it."""
        if samples is None:
            return None, None
        if self.head is None:
            return evidence(
                self.module,
                samples,
                first_layer=_patches(self.network),
                device=self.device,
                batch_size=self.batch_size,
                progress=self.progress,
                normalized=normalized,
                ranks=self.ranks,
            ), None
        found = collected(
            self.module,
            samples,
            self.head,
            first_layer=_patches(self.network),
            device=self.device,
            batch_size=self.batch_size,
            progress=self.progress,
            normalized=normalized,
            reference=reference,
            ranks=self.ranks,
        )
        return found.evidence, found


def _with_sharpness(
    known: Evidence,
    network: Network,
    samples: Samples,
    device: str,
    batch_size: int,
    progress: Progress,
) -> tuple[Evidence, tuple[Notice, ...]]:
    from boundkit.measure.largest_noise import sharpness

    (absolute, relative), notices = sharpness(
        network,
        samples,
        np.random.default_rng(0),
        device=device,
        batch_size=batch_size,
        progress=progress,
    )
    found = replace(known, sharpness=absolute, relative_sharpness=relative)
    return found, notices


def _some(samples: Samples) -> torch.Tensor | None:
    """Return a few samples as the network is given them."""
    return next((x[:_PROBED] for x, _ in samples.batches(_PROBED)), None)


def _patches(network: Network) -> Geometry | Literal["dense"] | None:
    layer = first_layer(network)
    if layer is None:
        return None
    return "dense" if layer.kind == "linear" else layer.geometry


def watched(
    network: Network,
    module: nn.Module,
    samples: Samples,
    *,
    device: str,
    batch_size: int,
    progress: Progress,
    normalized: bool = False,
) -> Evidence:
    """Run the module over a sample and return what bounds need to know of it.

    Args:
        network: Says whether the first layer's patches can be told apart.
        module: The trained net.
        samples: A training sample or a held-out one.
        device: Where to run.
        batch_size: Samples at a time.
        progress: Called with samples done, samples in all or None, and a label.
        normalized: Whether to keep what follows from declared preprocessing.

    Raises:
        DataError: Labels do not fit the outputs, or an output is NaN or infinite.
        ModelError: The net does not run.
        UsageError: The device is not there.
    """
    return evidence(
        module,
        samples,
        first_layer=_patches(network),
        device=device,
        batch_size=batch_size,
        progress=progress,
        normalized=normalized,
    )
