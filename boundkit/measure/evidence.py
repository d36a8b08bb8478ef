"""What a sample tells a bound: one pass over the data."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from boundkit.errors import DataError
from boundkit.layers.probe import evaluating
from boundkit.measure.declared import DeclaredSums, declared_center
from boundkit.measure.forward import (
    forward_passes,
    placed,
    require_per_sample,
    resolved,
)
from boundkit.measure.label_coding import label_coding, require_one_coding
from boundkit.measure.patches import affordable, spectrum
from boundkit.measure.ranks import ALONE, merged
from boundkit.measure.sample_sums import Sums, raw_margins
from boundkit.types import Alignment, Evidence

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    import torch
    from torch import nn

    from boundkit.data import Samples
    from boundkit.measure.ranks import Ranks
    from boundkit.measure.sample_sums import FirstLayer

__all__ = ["Sums", "Witness", "evidence", "raw_margins"]


class Witness(Protocol):
    """Whoever wants to see more of the same forward passes."""

    def watching(self, net: nn.Module) -> AbstractContextManager[None]:
        """Watch the net, which is in eval mode and on its device, for a while."""
        ...

    def saw(self, labels: torch.Tensor, outputs: torch.Tensor) -> None:
        """Take note of the batch that has just run; both are on the sums' device."""
        ...


def evidence(
    module: nn.Module,
    samples: Samples,
    *,
    first_layer: FirstLayer = None,
    device: str = "auto",
    batch_size: int = 256,
    progress: Callable[[int, int | None, str], None] | None = None,
    normalized: bool = False,
    witness: Witness | None = None,
    ranks: Ranks = ALONE,
) -> Evidence:
    """Run a net over a sample once and return what bounds need to know.

    Eval mode, no gradients, sums in float64. One output with labels -1/+1 or 0/1 has
    margins y f; C >= 2 outputs have f_y - max of the others; ties are errors.

    Args:
        module: The trained net; left as it was.
        samples: Its training sample, or a held-out one.
        first_layer: Geometry of the layer that reads the input, or ``"dense"``, for
            the patch statistics; None leaves them out.
        device: Where to run: ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"mps"``.
        batch_size: Samples at a time; the sums do not depend on it.
        progress: Called with samples done, samples in all or None, and a label.
        normalized: Whether to keep what follows from declared preprocessing.
        witness: Watches the same forward passes; None for nobody.
        ranks: This process among others that each run a share of the sample.

    Returns:
        The evidence, in memory, with no tie to data or device; of the whole sample in
        every process.

    Raises:
        DataError: Labels do not fit the outputs, or an output is NaN or Inf.
        ModelError: The net does not run, or its output is not a function of one sample.
        ProcessLost: Another process of the run failed or went silent.
        UsageError: The device is not there, or the data declare no normalization.
    """
    import torch

    def local() -> _Tally | None:
        require_per_sample(module)
        where = resolved(device)
        net = placed(module, where)
        layer = first_layer if affordable(first_layer, samples.shape) else None
        watch = nullcontext() if witness is None else witness.watching(net)
        with evaluating(net), torch.inference_mode(), watch:
            return _accumulated(
                net, samples, layer, where, batch_size, progress, center, witness
            )

    center = declared_center(samples) if normalized else None
    found = merged(local, ranks)
    if found is None:
        raise DataError(f"{samples.name}: no samples in it; give at least one")
    require_one_coding(found.coding, samples.name)
    with torch.inference_mode():
        told = _finished(found.sums, found.outputs, samples.name)
    if found.declared is None or center is None:
        return told
    return replace(told, declared=found.declared.finished(center))


@dataclass(frozen=True, slots=True, eq=False)
class _Tally:
    """What the batches of one process add up to.

    Attributes:
        sums: Of its samples.
        declared: The same about declared preprocessing, or None.
        outputs: Number of outputs of the net.
        coding: Which of -1 and 0 the labels hold.
    """

    sums: Sums
    declared: DeclaredSums | None
    outputs: int
    coding: frozenset[int]

    def __add__(self, other: _Tally) -> _Tally:
        declared = None
        if self.declared is not None and other.declared is not None:
            declared = self.declared + other.declared
        return _Tally(
            self.sums + other.sums,
            declared,
            self.outputs,
            self.coding | other.coding,
        )


def _accumulated(
    net: nn.Module,
    samples: Samples,
    first_layer: FirstLayer,
    device: torch.device,
    batch_size: int,
    progress: Callable[[int, int | None, str], None] | None,
    center: torch.Tensor | None,
    witness: Witness | None,
) -> _Tally | None:
    total, done = None, 0
    # No float64 on MPS: the sums are taken on the CPU there.
    home = "cpu" if device.type == "mps" else device
    for x, labels, f in forward_passes(net, samples, device, batch_size):
        coding = label_coding(labels, f.shape[1], samples.name, samples.first + done)
        outputs, there = f.to(home), labels.to(home)
        declared = None if center is None else DeclaredSums.of(x, center)
        sums = Sums.of(x.to(home), outputs, there, first_layer)
        batch = _Tally(sums, declared, f.shape[1], coding)
        total = batch if total is None else total + batch
        require_one_coding(total.coding, samples.name)
        if witness is not None:
            witness.saw(there, outputs)
        done += len(labels)
        if progress is not None:
            progress(done, samples.n, "forward pass")
    return None if total is None else replace(total, sums=total.sums.packed())


def _finished(total: Sums, outputs: int, name: str) -> Evidence:
    import torch

    margins = torch.cat(total.margins).cpu()
    broken = (~torch.isfinite(margins)).nonzero()
    if len(broken):
        raise DataError(
            f"{name}: the net's output for sample {int(broken[0])} is NaN or Inf; look"
            " for NaN weights or inputs far out of range"
        )
    n = len(margins)
    gram = total.gram
    energy = total.energy / n
    window = None if gram is None else gram.diagonal(dim1=1, dim2=2).sum(1) / n
    return Evidence(
        n=n,
        margins=margins.numpy(),
        errors=int((margins <= 0).sum()),
        mean_square_norm=float(energy.sum()),
        max_norm=float(total.largest.sqrt()),
        position_energy=energy.cpu().numpy(),
        patch_energy=None if window is None else window.cpu().numpy(),
        patch_spectrum=None if gram is None else spectrum(gram).cpu().numpy(),
        outputs=outputs,
        coordinate_energy=float(total.squares.amax()) / n,
        alignment=_alignment(total.aligned, outputs, n),
    )


def _alignment(sums: torch.Tensor, outputs: int, n: int) -> Alignment | None:
    if outputs == 1:
        return None
    inner, energy = (sums.cpu() / n).tolist()
    return Alignment(outputs, inner, energy)
