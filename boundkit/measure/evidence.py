"""What a sample tells a bound: one pass over the data."""

from __future__ import annotations

import operator
from dataclasses import dataclass, replace
from functools import reduce
from typing import TYPE_CHECKING, Literal

from boundkit.errors import DataError
from boundkit.layers.probe import evaluating, precision
from boundkit.measure.declared import DeclaredSums, declared_center
from boundkit.measure.forward import (
    logits,
    placed,
    require_per_sample,
    require_repeatable,
    resolved,
)
from boundkit.measure.patches import affordable, patches, spectrum
from boundkit.types import Evidence, Geometry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import torch
    from torch import nn

    from boundkit.data import Samples

__all__ = ["Sums", "evidence", "raw_margins"]

FirstLayer = Geometry | Literal["dense"] | None

#: Elements of patches that are expanded at a time: 256 MiB of float64.
_EXPANDED = 2**25


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Float64 sums over a sample; those of two samples add up to those of both.

    Attributes:
        margins: (b,) raw margins of each batch in turn.
        squares: (channels, positions...) sum of the squares of each coordinate.
        largest: () largest ``||x_i||^2``.
        gram: (q, d, d) sum of patch times patch transposed, or None.
    """

    margins: tuple[torch.Tensor, ...]
    squares: torch.Tensor
    largest: torch.Tensor
    gram: torch.Tensor | None

    @property
    def energy(self) -> torch.Tensor:
        """(positions...) sum of ``||x_{i,p}||^2``."""
        return self.squares.sum(0)

    @classmethod
    def of(
        cls,
        x: torch.Tensor,
        outputs: torch.Tensor,
        labels: torch.Tensor,
        first_layer: FirstLayer,
    ) -> Sums:
        """Sum over one batch, on the device of its tensors.

        Args:
            x: (b, channels, positions...) or (b, d) inputs.
            outputs: (b, C).
            labels: (b,) class indices, or -1/+1.
            first_layer: Where the patches are taken; None for no patches.

        Returns:
            The sums of this batch.
        """
        wide = x.double()
        # A vector is one position, however many features it has.
        channels = wide if wide.ndim > 2 else wide.unsqueeze(2)
        squares = channels.square()
        return cls(
            margins=(raw_margins(outputs, labels),),
            squares=squares.sum(0),
            largest=squares.flatten(1).sum(1).amax(),
            gram=None if first_layer is None else _gram(wide, first_layer),
        )

    def __add__(self, other: Sums) -> Sums:
        """Merge two disjoint samples."""
        import torch

        gram = None
        if self.gram is not None and other.gram is not None:
            gram = self.gram + other.gram
        return Sums(
            margins=self.margins + other.margins,
            squares=self.squares + other.squares,
            largest=torch.maximum(self.largest, other.largest),
            gram=gram,
        )


def _gram(x: torch.Tensor, first_layer: Geometry | Literal["dense"]) -> torch.Tensor:
    import torch

    per_sample = patches(x.narrow(0, 0, 1), first_layer).numel()
    parts = [
        patches(part, first_layer).transpose(0, 1)
        for part in torch.split(x, max(1, _EXPANDED // max(per_sample, 1)))
    ]
    return reduce(operator.add, (p.mT @ p for p in parts))


def raw_margins(outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return y f for one output, else f_y - max of the others.

    Args:
        outputs: (b, C).
        labels: (b,) -1/+1 or 0/1 for C <= 2, class indices for more.

    Returns:
        (b,) float64; positive exactly where the net is right, ties are not.
    """
    import torch

    wide = outputs.double()
    if outputs.shape[1] == 1:
        only = wide.squeeze(1)
        return torch.where(labels > 0, only, -only)
    own = labels.clamp(min=0).unsqueeze(1)
    others = wide.scatter(1, own, -torch.inf).amax(1)
    return wide.gather(1, own).squeeze(1) - others


def evidence(
    module: nn.Module,
    samples: Samples,
    *,
    first_layer: FirstLayer = None,
    device: str = "auto",
    batch_size: int = 256,
    progress: Callable[[int, int | None, str], None] | None = None,
    normalized: bool = False,
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

    Returns:
        The evidence, in memory, with no tie to data or device.

    Raises:
        DataError: Labels do not fit the outputs, or an output is NaN or Inf.
        ModelError: The net does not run, or its output is not a function of one sample.
        UsageError: The device is not there, or the data declare no normalization.
    """
    import torch

    require_per_sample(module)
    center = declared_center(samples) if normalized else None
    where = resolved(device)
    net = placed(module, where)
    affordable_layer = first_layer if affordable(first_layer, samples.shape) else None
    with evaluating(net), torch.inference_mode():
        total, sums, outputs = _accumulated(
            net, samples, affordable_layer, where, batch_size, progress, center
        )
        found = _finished(total, outputs, samples.name)
    if sums is None or center is None:
        return found
    return replace(found, declared=sums.finished(center))


def _accumulated(
    net: nn.Module,
    samples: Samples,
    first_layer: FirstLayer,
    device: torch.device,
    batch_size: int,
    progress: Callable[[int, int | None, str], None] | None,
    center: torch.Tensor | None,
) -> tuple[Sums, DeclaredSums | None, int]:
    total, sums, outputs, done = None, None, 0, 0
    coding: set[int] = set()
    for x, labels, f in _outputs(net, samples, device, batch_size):
        outputs = f.shape[1]
        _require_labels(labels, outputs, coding, samples.name, done)
        # No float64 on MPS: the sums are taken on the CPU there.
        home = "cpu" if device.type == "mps" else device
        batch = Sums.of(x.to(home), f.to(home), labels.to(home), first_layer)
        total = batch if total is None else total + batch
        if center is not None:
            declared = DeclaredSums.of(x, center)
            sums = declared if sums is None else sums + declared
        done += len(labels)
        if progress is not None:
            progress(done, samples.n, "forward pass")
    if total is None:
        raise DataError(f"{samples.name}: no samples in it; give at least one")
    return total, sums, outputs


def _outputs(
    net: nn.Module, samples: Samples, device: torch.device, batch_size: int
) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    """Yield x as the net sees it, labels still on the CPU, and outputs."""
    dtype = precision(net)
    for number, (x, labels) in enumerate(samples.batches(batch_size)):
        seen = x.to(device, dtype or x.dtype, non_blocking=True)
        if number == 0:
            require_repeatable(net, seen[:2])
        yield seen, labels, logits(net, seen)


def _require_labels(
    labels: torch.Tensor, outputs: int, coding: set[int], name: str, first: int
) -> None:
    # On the CPU, without waiting for the device; ``coding`` gathers 0 and -1 seen.
    top = max(outputs - 1, 1)
    wrong = (labels > top) | ((labels < 0) & (outputs > 2))
    if wrong.any():
        row = int(wrong.nonzero()[0])
        allowed = "-1/+1" if outputs == 1 else f"0..{top}"
        raise DataError(
            f"{name}: y[{first + row}] is {int(labels[row])}, but the net has"
            f" {outputs} output(s); labels must be {allowed}"
        )
    coding.update(value for value in (-1, 0) if bool((labels == value).any()))
    if len(coding) == 2:
        raise DataError(
            f"{name}: labels hold both -1 and 0; code two classes as -1/+1 or as 0/1"
        )


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
    )
