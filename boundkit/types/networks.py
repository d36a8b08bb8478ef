"""What the tensors make up: layers, and how they are wired."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from boundkit.types.stored import StoredTensor

__all__ = [
    "BatchStatistics",
    "Geometry",
    "Kind",
    "Layer",
    "Network",
    "Node",
]

Kind = Literal[
    "linear",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "attention",
    "recurrent",
    "embedding",
]


@dataclass(frozen=True, slots=True)
class Geometry:
    """How a convolution or pooling window moves; one entry per spatial dimension."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    dilation: tuple[int, ...]
    groups: int = 1
    transposed: bool = False
    output_padding: tuple[int, ...] = ()
    padding_mode: str = "zeros"


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One learned linear map.

    Attributes:
        name: Of its weight in the checkpoint.
        kind: What sort of map.
        weight: As stored, after parametrizations are materialized.
        bias: Added to the output, or None.
        geometry: None for dense layers, and where the architecture is not known.
        counted: Whether its norm is a factor of rho.
        uses: How often the network applies it.
    """

    name: str
    kind: Kind
    weight: StoredTensor
    bias: StoredTensor | None = None
    geometry: Geometry | None = None
    counted: bool = True
    uses: int = 1


@dataclass(frozen=True, slots=True)
class BatchStatistics:
    """A BatchNorm in eval mode: ``(x - mean) / sqrt(variance + eps) * scale + shift``.

    Attributes:
        mean: Name of the tensor of running means, one per channel.
        variance: Name of the tensor of running variances.
        scale: Name of the learned factors, or None for 1.
        shift: Name of the learned summands, or None for 0.
        eps: Added to the variance.
    """

    mean: str
    variance: str
    scale: str | None
    shift: str | None
    eps: float

    @property
    def tensors(self) -> tuple[str, ...]:
        """The names of the tensors that there are."""
        named = (self.mean, self.variance, self.scale, self.shift)
        return tuple(name for name in named if name is not None)


@dataclass(frozen=True, slots=True)
class Node:
    """One operation of a traced network.

    Attributes:
        name: Unique in the network.
        op: What it does; ``unknown`` ops carry their name in ``detail``.
        inputs: Names of the nodes it reads.
        layer: Name of the layer it applies, for ``op == "layer"``.
        slope: Of the negative part, for ``op == "activation"`` (0 for ReLU).
        geometry: Of a pooling window.
        shape: Of the output for one sample, batch dimension left out.
        detail: What a reader should know, such as the class of an unknown module.
        statistics: Of a BatchNorm in eval mode that keeps them, for ``op == "norm"``.
        bias: Name of the tensor that it adds, for ``op == "layer"``, where it has one.
    """

    name: str
    op: Literal[
        "input",
        "layer",
        "activation",
        "average_pool",
        "max_pool",
        "norm",
        "add",
        "flatten",
        "identity",
        "unknown",
        "output",
    ]
    inputs: tuple[str, ...]
    shape: tuple[int, ...]
    layer: str | None = None
    slope: float | None = None
    geometry: Geometry | None = None
    detail: str = ""
    statistics: BatchStatistics | None = None
    bias: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """Layers, and how they are wired where that is known.

    Attributes:
        layers: In forward order if traced, else in stored order.
        nodes: In forward order; None without an architecture.
        input_shape: Of one sample (channels, positions...), or None.
        outputs: Number of outputs of the head, or None.
        obstacles: What stands against a bias-free ReLU chain: a sort of obstacle
            (``"bias"``, ``"normalization"``, ``"attention"``, ``"recurrent"``,
            ``"embedding"``, ``"unread"``, ``"adapter"``, ``"branching"``) -> names of
            its tensors.
        rewrites: The passes that were applied, in order.
        vectors: Tensors that nodes name and that are no layers, by name.
        doubts: What running the network says against what its nodes say, in words.
    """

    layers: tuple[Layer, ...]
    nodes: tuple[Node, ...] | None = None
    input_shape: tuple[int, ...] | None = None
    outputs: int | None = None
    obstacles: Mapping[str, tuple[str, ...]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    rewrites: tuple[str, ...] = ()
    vectors: Mapping[str, StoredTensor] = field(
        default_factory=lambda: MappingProxyType({})
    )
    doubts: tuple[str, ...] = ()
