"""What weights and samples tell a bound: norms and margins, no data."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "Alignment",
    "Declared",
    "Evidence",
    "MatrixNorms",
    "Norms",
    "Sharpness",
]


@dataclass(frozen=True, slots=True)
class Alignment:
    """How the outputs of a net with several of them lie to the centered targets.

    The target of class c has 1 at c and -1/(C - 1) elsewhere.

    Attributes:
        classes: C.
        mean: Mean of the inner product of outputs and target.
        energy: Mean of the squared norm of the outputs.
    """

    classes: int
    mean: float
    energy: float


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


@dataclass(frozen=True, slots=True)
class Sharpness:
    """The largest Gaussian noise on the weights that a sample's accuracy survives.

    Attributes:
        sigma: Standard deviation, of each entry or relative to it.
        spread: Standard error of ``log(sigma)``, of few draws; None if unknown.
    """

    sigma: float
    spread: float | None = None


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
        sharpness: The noise of one size for all weights; None unless looked for.
        relative_sharpness: The noise relative to each weight; None likewise.
        alignment: Of the outputs with centered targets; None for one output, or if it
            is not known.
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
    sharpness: Sharpness | None = None
    relative_sharpness: Sharpness | None = None
    alignment: Alignment | None = None
