"""How often several choices of weights err on a sample, in one pass over it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from boundkit.measure.forward import logits
from boundkit.posthoc.losses import TOLERANCE, decisions, mistakes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import torch
    from torch import nn

    Batches = Iterable[tuple[torch.Tensor, torch.Tensor]]
    Progress = Callable[[int, int | None, str], None] | None

__all__ = ["Count", "Differences", "counted", "disagreements"]


@dataclass(frozen=True, slots=True)
class Count:
    """Errors of one choice of weights on a sample.

    Attributes:
        plain: Margins that are not positive.
        guarded: Margins that do not exceed the tolerance; what certificates use.
        loose: Margins that do not exceed twice the tolerance.
        outputs: C of the network, 1 where the sign decides.
    """

    plain: int
    guarded: int
    loose: int
    outputs: int


@dataclass(frozen=True, slots=True)
class Differences:
    """How often two networks choose differently, ties included.

    Attributes:
        plain: Another class, or a tie.
        guarded: Or a margin that does not exceed the tolerance; what certificates use.
        loose: Or one that does not exceed twice the tolerance.
        samples: How many inputs there were.
    """

    plain: int
    guarded: int
    loose: int
    samples: int


def counted(
    module: nn.Module,
    choices: Sequence[Mapping[str, torch.Tensor]],
    batches: Batches,
    device: torch.device,
    *,
    progress: Progress = None,
    total: int | None = None,
) -> tuple[Count, ...]:
    """Count errors of a module under several choices of some of its tensors.

    Args:
        module: In eval mode, on the device.
        choices: For each, name -> values; names that are left out stay as they are.
        batches: (b, ...) inputs and (b,) labels.
        device: Where to run.
        progress: Called with samples done, samples in all or None, and a label.
        total: Samples in all, for the progress.

    Raises:
        DataError: A batch is not usable.
        ModelError: The module does not run.
    """
    import torch
    from torch.func import functional_call

    placed = [{k: v.to(device) for k, v in choice.items()} for choice in choices]
    sums = torch.zeros(len(placed), 3, dtype=torch.int64, device=device)
    width = done = 0
    with torch.inference_mode():
        for x, labels in batches:
            seen, own = x.to(device, torch.float32), labels.to(device)
            for at, tensors in enumerate(placed):
                outputs = logits(partial(functional_call, module, tensors), seen)
                width = outputs.shape[1]
                for column, factor in enumerate((0.0, 1.0, 2.0)):
                    wrong = mistakes(outputs, own, factor * TOLERANCE)
                    sums[at, column] += wrong.sum()
            done += len(labels)
            if progress is not None:
                progress(done, total, "counting errors")
    return tuple(Count(row[0], row[1], row[2], width) for row in sums.tolist())


def disagreements(
    first: nn.Module, second: nn.Module, batches: Batches, device: torch.device
) -> Differences:
    """Count inputs that two networks may classify otherwise; labels are not looked at.

    Args:
        first: In eval mode, on the device.
        second: Likewise.
        batches: (b, ...) inputs and anything.
        device: Where to run.

    Raises:
        DataError: A batch is not usable.
        ModelError: A network does not run.
    """
    import torch

    sums, total = torch.zeros(3, dtype=torch.int64, device=device), 0
    with torch.inference_mode():
        for x, _ in batches:
            seen = x.to(device, torch.float32)
            outputs = [logits(net, seen) for net in (first, second)]
            # What is not finite agrees with nothing: every margin of it is a mistake.
            chosen = decisions(outputs[0]).clamp(min=0)
            for column, factor in enumerate((0.0, 1.0, 2.0)):
                one, other = (mistakes(o, chosen, factor * TOLERANCE) for o in outputs)
                sums[column] += (one | other).sum()
            total += len(x)
    plain, guarded, loose = sums.tolist()
    return Differences(plain, guarded, loose, total)
