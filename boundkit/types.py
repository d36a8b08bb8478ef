"""The nouns: every value that crosses a stage.

A stage is a function from one of these frozen types to the next::

    path -> Checkpoint -> Network -> Measurement, Evidence -> Certificate -> Report
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "Assumption",
    "BatchStatistics",
    "Certificate",
    "Checkpoint",
    "Declared",
    "Evidence",
    "Geometry",
    "Kind",
    "Layer",
    "LedgerRow",
    "MatrixNorms",
    "Measurement",
    "Network",
    "Node",
    "Norms",
    "Notice",
    "Status",
    "Storage",
    "StoredTensor",
    "TensorStatus",
]

TensorStatus = Literal["counted", "folded", "skipped"]
Status = Literal["valid", "assumed", "invalid", "unavailable"]
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


class Storage(Protocol):
    """Bytes that are read in blocks when asked, never all at once."""

    @property
    def key(self) -> str:
        """An identity: equal for two tensors exactly when they share these bytes."""
        ...

    @property
    def nbytes(self) -> int:
        """The number of bytes that are really there."""
        ...

    def read(self, start: int, stop: int) -> memoryview:
        """Return bytes ``start:stop``; raise ``Unreadable`` if they are not there."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class StoredTensor:
    """A tensor as a file describes it; its numbers stay where they are.

    Attributes:
        shape: The sizes.
        dtype: torch's name without ``torch.``, such as ``"bfloat16"``.
        storage: The bytes, or None where ``unread`` says why there are none.
        offset: Of the first element in the storage, in elements.
        stride: In elements; None means C-contiguous.
        big_endian: Whether the bytes are most significant first.
        unread: Why the numbers cannot be read (meta, sparse, quantized), or None.
    """

    shape: tuple[int, ...]
    dtype: str
    storage: Storage | None
    offset: int = 0
    stride: tuple[int, ...] | None = None
    big_endian: bool = False
    unread: str | None = None

    @property
    def numel(self) -> int:
        """The number of elements."""
        return prod(self.shape)

    @property
    def identity(self) -> tuple[object, ...] | None:
        """Equal for two tensors exactly when they are the same view of the same bytes."""
        if self.storage is None:
            return None
        return (self.storage.key, self.offset, self.shape, self.stride, self.dtype)


@dataclass(frozen=True, slots=True)
class Notice:
    """Something odd that the user should know; ``code`` is stable, for scripts."""

    code: str
    message: str
    tensor: str | None = None


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """What became of one tensor."""

    tensor: str
    shape: tuple[int, ...]
    dtype: str
    status: TensorStatus
    layer: str | None
    reason: str
    parameter: bool
    """Whether its elements count in the denominator of the coverage."""


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """The tensors of one model in one file or folder, as stored, uninterpreted.

    Attributes:
        source: The path as the user gave it.
        format: Such as ``"torch zip"`` or ``"safetensors, 3 shards"``.
        wrapping: What was unwrapped to reach the weights, outermost first.
        files: Every file that holds part of it.
        nbytes: Bytes of those files together.
        tensors: The model's tensors in stored order, wrapper prefixes stripped.
        aliases: Name of a tensor -> name of the earlier tensor it is a view of.
        beside: Tensors that are not the model's -> why (optimizer state, say).
        modules: Module path -> attributes, where the file holds whole modules.
        metadata: Scalars and strings that lay beside the weights (epoch, loss).
        notices: What was odd but safe.
        ledger: One row per tensor, once the layers are known.
    """

    source: str
    format: str
    wrapping: tuple[str, ...]
    files: tuple[Path, ...]
    nbytes: int
    tensors: Mapping[str, StoredTensor]
    aliases: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    beside: Mapping[str, tuple[StoredTensor, str]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    modules: Mapping[str, Mapping[str, Any]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    metadata: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    notices: tuple[Notice, ...] = ()
    ledger: tuple[LedgerRow, ...] = ()


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


@dataclass(frozen=True, slots=True)
class MatrixNorms:
    """Sizes of a layer as a matrix on whole maps, none of them below the true one.

    Attributes:
        operator: Largest singular value.
        rows: Sum over the rows of their Euclidean norms.
        largest_row: Largest l1 norm of a row.
        all_rows: Sum of the l1 norms of all rows.
        bias: Euclidean norm of the bias on the whole output map.
        bias_rows: Sum of its absolute values there.
        largest_bias: Largest absolute value.
    """

    operator: float
    rows: float
    largest_row: float
    all_rows: float
    bias: float = 0.0
    bias_rows: float = 0.0
    largest_bias: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Norms:
    """Sizes of the weights of a network, all Frobenius, all float64.

    Attributes:
        weight: Layer name -> norm of its stored weight (NaN or infinite if it is).
        bias: Layer name -> norm of its bias.
        head: Norm of the last layer as the theorems count it: of the one row, of the
            difference of two rows, or of the rows minus their mean; None if unknown.
        head_bias: The same of its bias.
        toeplitz: Layer name -> norm of the unrolled matrix, where its input is known.
        matrix: Layer name -> other sizes of the unrolled matrix, where they are known.
        head_matrix: The same of the last layer as the theorems count it.
        affine: Node name of a BatchNorm in eval mode -> its largest factor in absolute
            value, and the norm of its summands.
    """

    weight: Mapping[str, float]
    bias: Mapping[str, float]
    head: float | None = None
    head_bias: float = 0.0
    toeplitz: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    matrix: Mapping[str, MatrixNorms] = field(
        default_factory=lambda: MappingProxyType({})
    )
    head_matrix: MatrixNorms | None = None
    affine: Mapping[str, tuple[float, float]] = field(
        default_factory=lambda: MappingProxyType({})
    )


@dataclass(frozen=True, slots=True, eq=False)
class Declared:
    """Preprocessing that the data declare, and energies of a sample that went through it.

    Each input is nonnegative, divided by its norm, less a fixed center.

    Attributes:
        center: (positions...) ``||c_p||^2`` of the center, channels summed.
        products: (p, p) mean of ``||x_ip||^2 ||x_iq||^2`` over the sample.
        lowest: Smallest value seen before the center was subtracted, and of the center.
        largest: Largest norm seen before the center was subtracted.
    """

    center: NDArray[np.float64]
    products: NDArray[np.float64]
    lowest: float
    largest: float


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What a sample tells a bound; no data, no loader and no device survive in it.

    Attributes:
        n: Sample size.
        margins: (n,) raw margins, ``y f`` or ``f_y - max_other``; None means that
            every margin is taken to be 1.
        errors: How many margins are not positive.
        mean_square_norm: Mean of ``||x_i||^2``.
        max_norm: Largest ``||x_i||``.
        position_energy: Mean of ``||x_{i,p}||^2`` per input position (spatial shape),
            channels summed; None if unknown.
        patch_energy: (q,) mean squared norm of the patch the first layer sees at
            output position q; None if not computed.
        patch_spectrum: (q, d) eigenvalues of the patch covariances over their trace.
        outputs: Number of outputs of the net, or None.
        measured: False where ``n`` and the norm are the user's word.
        coordinate_energy: Largest mean of ``x_ij^2`` over the input coordinates j, or
            None.
        declared: What follows from the preprocessing that the data declare; None
            unless it was asked for.
    """

    n: int
    margins: NDArray[np.float64] | None
    errors: int
    mean_square_norm: float
    max_norm: float
    position_energy: NDArray[np.float64] | None = None
    patch_energy: NDArray[np.float64] | None = None
    patch_spectrum: NDArray[np.float64] | None = None
    outputs: int | None = None
    measured: bool = True
    coordinate_energy: float | None = None
    declared: Declared | None = None


@dataclass(frozen=True, slots=True)
class Measurement:
    """A number with a unit and a source; a heuristic has no proof behind it."""

    name: str
    value: float | None
    unit: str
    source: str
    layer: str | None = None
    stderr: float | None = None
    kind: Literal["measurement", "heuristic"] = "measurement"
    log10: float | None = None


@dataclass(frozen=True, slots=True)
class Assumption:
    """One condition of a theorem: holds, is violated, or cannot be checked (None)."""

    name: str
    holds: bool | None
    detail: str


@dataclass(frozen=True, slots=True)
class Certificate:
    """A complete theorem evaluated, with the state of every assumption.

    Attributes:
        bound: Its id.
        status: valid, assumed, invalid or unavailable.
        value: Upper bound on the error probability; None if invalid, unavailable or
            too large for a float.
        log10: Of the value, also where that overflows.
        delta: The probability that the statement fails.
        terms: Every factor and summand.
        assumptions: Each with its state.
        source: Where the theorem is proved.
        note: What to do where there is no value.
    """

    bound: str
    status: Status
    value: float | None
    log10: float | None
    delta: float
    terms: Mapping[str, float | str | None]
    assumptions: tuple[Assumption, ...]
    source: str
    note: str = ""

    @property
    def vacuous(self) -> bool:
        """Whether it says nothing about an error probability."""
        return self.value is None or not self.value < 1
