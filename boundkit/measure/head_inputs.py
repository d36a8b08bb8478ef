"""The inputs of one layer, caught while a net runs."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from boundkit.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Generator

    import torch
    from torch import nn

__all__ = ["Caught", "HeadInputs"]


@dataclass(frozen=True, slots=True, eq=False)
class Caught:
    """What one batch did at the last layer.

    Attributes:
        features: (b, p) what entered it, in the net's dtype.
        outputs: (b, C) what came out.
    """

    features: torch.Tensor
    outputs: torch.Tensor


@dataclass(slots=True, eq=False)
class HeadInputs:
    """Catches what enters and leaves one layer of a net.

    Attributes:
        layer: Path of the layer; "" for the net itself.
    """

    layer: str
    _calls: list[Caught] = field(default_factory=list)

    @contextmanager
    def watching(self, net: nn.Module) -> Generator[None]:
        """Watch a net as long as the block runs.

        Args:
            net: It runs once per batch, as a module.
        """
        layer = net.get_submodule(self.layer)
        # What an earlier batch left behind does not count.
        hooks = [
            net.register_forward_pre_hook(lambda *_: self._calls.clear()),
            layer.register_forward_hook(self._keep, with_kwargs=True),
        ]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def _keep(
        self,
        layer: nn.Module,
        inputs: tuple[Any, ...],
        named: dict[str, Any],
        outputs: torch.Tensor,
    ) -> None:
        del layer
        features = inputs[0] if inputs else named["input"]
        # A copy: what follows may write over it.
        self._calls.append(Caught(features.detach().clone(), outputs))

    def taken(self, outputs: torch.Tensor) -> Caught:
        """Return what the batch that has just run did at the layer, flattened.

        Args:
            outputs: (b, C) of the net.

        Raises:
            ModelError: The layer did not run once for the batch, or not once for each
                sample, or it has another number of outputs than the net.
        """
        if len(self._calls) != 1:
            raise ModelError(
                f"the layer {self.layer!r} ran {len(self._calls)} times as a module for"
                " one batch, so what enters it is not the features; name another layer"
                " with --head, or have the model call it once as a module"
            )
        caught = self._calls.pop()
        if (
            len(caught.features) != len(outputs)
            or caught.outputs[0].numel() != (outputs.shape[1])
        ):
            raise ModelError(
                f"the layer {self.layer!r} gives shape {tuple(caught.outputs.shape)} but"
                f" the net {tuple(outputs.shape)}; name the last linear layer with --head"
            )
        return Caught(caught.features.flatten(1), caught.outputs.flatten(1))
