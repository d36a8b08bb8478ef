"""Running a trained network on batches: device, outputs, what may go wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from boundkit.errors import ModelError, UsageError
from boundkit.layers.probe import copied, precision

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import torch
    from torch import nn

    from boundkit.data import Samples

__all__ = [
    "forward_passes",
    "logits",
    "placed",
    "require_per_sample",
    "require_repeatable",
    "resolved",
]


def resolved(device: str) -> torch.device:
    """Return the device that a name stands for; ``"auto"`` takes the fastest there is.

    Args:
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:1"`` or ``"mps"``.

    Returns:
        A device that is there.

    Raises:
        UsageError: It is no device, or not on this machine.
    """
    import torch

    if device == "auto":
        gpu = "mps" if torch.backends.mps.is_available() else "cpu"
        return torch.device("cuda" if torch.cuda.is_available() else gpu)
    try:
        found = torch.device(device)
    except RuntimeError as error:
        raise UsageError(
            f"device must be auto, cpu, cuda, cuda:N or mps, but got {device!r}"
        ) from error
    there = {
        "cpu": 1,
        "cuda": torch.cuda.device_count(),
        "mps": int(torch.backends.mps.is_available()),
    }
    if (found.index or 0) >= there.get(found.type, 0):
        raise UsageError(
            f"device {device!r} is not on this machine; use auto or cpu instead"
        )
    return found


def placed(module: nn.Module, device: torch.device) -> nn.Module:
    """Return the module on a device, copied if it is not there already."""
    tensors = [*module.parameters(), *module.buffers()]
    wanted = (device.type, device.index or 0)
    if all((t.device.type, t.device.index or 0) == wanted for t in tensors):
        return module
    return copied(module).to(device)


def require_per_sample(module: nn.Module) -> None:
    """Check that the output for one sample does not depend on its batch.

    Raises:
        ModelError: A batch normalization without running statistics.
    """
    from torch import nn

    kinds = nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d | nn.SyncBatchNorm
    for name, part in module.named_modules():
        if isinstance(part, kinds) and part.running_mean is None:
            raise ModelError(
                f"{name!r} ({type(part).__name__}) keeps no running statistics, so the"
                " net's output depends on the batch; train it with"
                " track_running_stats=True"
            )


def require_repeatable(module: nn.Module, x: torch.Tensor) -> None:
    """Check that the same input gives the same output in eval mode.

    Args:
        module: The network, in eval mode.
        x: (b, ...) a few samples.

    Raises:
        ModelError: It does not; something random is on.
    """
    import torch

    if not torch.equal(logits(module, x).nan_to_num(), logits(module, x).nan_to_num()):
        raise ModelError(
            "the model gives another output each time it runs in eval mode; pass"
            " training=self.training to functional dropout"
        )


def forward_passes(
    net: nn.Module, samples: Samples, device: torch.device, batch_size: int
) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    """Run a net over a sample, batch by batch.

    Args:
        net: In eval mode, on the device.
        samples: What it is given.
        device: Where it runs.
        batch_size: Samples at a time.

    Yields:
        x (b, ...) as the net sees it, labels (b,) still on the CPU, outputs (b, C).

    Raises:
        DataError: A batch is not usable.
        ModelError: The net does not run, or gives another output each time.
    """
    dtype = precision(net)
    for number, (x, labels) in enumerate(samples.batches(batch_size)):
        seen = x.to(device, dtype or x.dtype, non_blocking=True)
        if number == 0:
            require_repeatable(net, seen[:2])
        yield seen, labels, logits(net, seen)


def logits(module: Callable[[torch.Tensor], Any], x: torch.Tensor) -> torch.Tensor:
    """Return the outputs of the net.

    Args:
        module: The network, or what stands for it.
        x: (b, ...) inputs on its device.

    Returns:
        (b, C); C = 1 where there is one output per sample.

    Raises:
        ModelError: The network does not run on ``x``, or gives something else than one
            vector per sample.
    """
    import torch

    try:
        found: Any = module(x)
    # Models are foreign code: they may raise anything.
    except Exception as error:
        line = (str(error).strip().splitlines() or ["no message"])[0]
        small = isinstance(error, torch.OutOfMemoryError)
        way_out = "use a smaller batch size" if small else "check model, data and dtype"
        raise ModelError(
            f"the model does not run on a batch of shape {tuple(x.shape)}:"
            f" {type(error).__name__}: {line}; {way_out}"
        ) from error
    if not isinstance(found, torch.Tensor):
        raise ModelError(
            f"the model returns a {type(found).__name__}, not a tensor; wrap it in a"
            " module that returns the outputs before the loss"
        )
    if found.ndim == 1:
        found = found[:, None]
    if found.ndim < 2 or len(found) != len(x) or found[0].numel() != found.shape[1]:
        raise ModelError(
            f"the model returns shape {tuple(found.shape)} for {len(x)} samples; it must"
            " return one vector (C,) or one number per sample"
        )
    flat: torch.Tensor = found.flatten(1)
    return flat
