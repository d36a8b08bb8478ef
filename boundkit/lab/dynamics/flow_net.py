"""Small bias-free ReLU nets of one output: margins, gradients, and the flows of P1 and P0.

P1: Xu, Rangamani, Liao, Galanti, Poggio (2023). P0: Poggio, Liao (2021). Sums over the
sample are means here, as in P1; P0's sums are N times as large, and so is its decay.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

__all__ = [
    "Sample",
    "Slopes",
    "fixed_norm_slopes",
    "free_slopes",
    "joined",
    "margins_of",
    "pulled",
    "random_directions",
    "split",
]


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Two classes of inputs.

    Attributes:
        name: Where they come from.
        inputs: (n, d), norms of at most 1.
        signs: (n,) -1 or 1.
        rounding: s, over how much of ``||h|| ||V||`` the kink of ReLU is rounded off;
            0 leaves it.
    """

    name: str
    inputs: Numbers
    signs: Numbers
    rounding: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Slopes:
    """Where a flow goes from here.

    Attributes:
        rho: Of rho.
        layers: Of each layer.
        margins: (n,) of the unit net, ``y f_V``, at this point.
        multipliers: (L,) ``nu_k`` from the gradient of each layer, ``<V_k, .>/2``.
    """

    rho: float
    layers: tuple[Numbers, ...]
    margins: Numbers
    multipliers: Numbers


def random_directions(
    widths: Sequence[int], sample: Sample, seed: int
) -> tuple[tuple[Numbers, ...], bool]:
    """Return Gaussian layers of Frobenius norm 1 whose mean margin is not negative.

    Args:
        widths: Of the hidden layers.
        sample: Whose mean margin decides the sign of the last layer.
        seed: Of the generator.

    Returns:
        Layers (out, in) from the input on, and whether the last one was negated.
    """
    generator = np.random.default_rng(seed)
    sizes = (sample.inputs.shape[1], *widths, 1)
    layers = [generator.standard_normal((after, to)) for to, after in pairwise(sizes)]
    layers = [layer / np.linalg.norm(layer) for layer in layers]
    against = float(margins_of(layers, sample).mean()) < 0
    if against:
        layers[-1] = -layers[-1]
    return tuple(layers), against


def split(state: Numbers, shapes: Sequence[tuple[int, int]]) -> tuple[Numbers, ...]:
    """Return layers as views of a flat state.

    Args:
        state: At least as long as all layers together.
        shapes: (out, in) of each layer.
    """
    ends = np.cumsum([prod(shape) for shape in shapes])
    starts = (0, *ends[:-1])
    return tuple(
        state[start:end].reshape(shape)
        for start, end, shape in zip(starts, ends, shapes, strict=True)
    )


def joined(layers: Sequence[Numbers]) -> Numbers:
    """Return layers as one flat state.

    Args:
        layers: Of any shapes.
    """
    return np.concatenate([layer.ravel() for layer in layers])


def margins_of(layers: Sequence[Numbers], sample: Sample) -> Numbers:
    """Return (n,) ``y f(x)``.

    Args:
        layers: (out, in) each; the last has one output.
        sample: Inputs, signs and the rounding of the kink.
    """
    features = sample.inputs
    for layer in layers[:-1]:
        features = _unit(features, layer, sample.rounding)[0]
    margins: Numbers = (features @ layers[-1][0]) * sample.signs
    return margins


def _unit(
    below: Numbers, layer: Numbers, rounding: float
) -> tuple[Numbers, Numbers, Numbers | None]:
    """Return activations, their derivative by z, and by q where the kink is rounded.

    With z = V h and q = ``||h|| ||V||``, an activation is ``(z + sqrt(z^2 + s^2 q^2))/2``,
    which is ReLU for s = 0 and homogeneous of degree 1 in h and in V for every s.
    """
    linear = below @ layer.T
    if rounding == 0:
        return np.maximum(linear, 0.0), (linear > 0).astype(np.float64), None
    reach = (rounding * np.linalg.norm(below, axis=1) * np.linalg.norm(layer))[:, None]
    root = np.hypot(linear, reach)
    return (linear + root) / 2, (1 + linear / root) / 2, rounding * reach / (2 * root)


def pulled(
    layers: Sequence[Numbers], sample: Sample, rho: float
) -> tuple[Numbers, list[Numbers]]:
    """Return margins, and ``(2/N) sum_n (1 - rho fb_n) d fb_n/dV_k`` of each layer.

    The derivative of ReLU at 0 is taken as 0, as torch does.

    Args:
        layers: V_k.
        sample: Inputs, signs and the rounding of the kink.
        rho: By which outputs are multiplied in the residual.
    """
    features, slopes = [sample.inputs], []
    for layer in layers[:-1]:
        above, *slope = _unit(features[-1], layer, sample.rounding)
        features.append(above)
        slopes.append(slope)
    margins = (features[-1] @ layers[-1][0]) * sample.signs
    weights = (2 / len(margins)) * (1 - rho * margins) * sample.signs
    gradients = [weights[None, :] @ features[-1]]
    back = weights[:, None] * layers[-1]
    for layer, below, (by_z, by_q) in zip(
        layers[-2::-1], features[-2::-1], slopes[::-1], strict=True
    ):
        through = back * by_z
        gradient = through.T @ below
        passed = through @ layer
        if by_q is not None:
            reach = (back * by_q).sum(1)
            lengths, size = np.linalg.norm(below, axis=1), np.linalg.norm(layer)
            gradient += layer * (reach @ lengths / size)
            passed += below * (reach * size / lengths)[:, None]
        gradients.append(gradient)
        back = passed
    return margins, gradients[::-1]


def fixed_norm_slopes(
    rho: float, layers: Sequence[Numbers], sample: Sample, decay: float
) -> Slopes:
    """Return the flow of (rho, V_k) under the Lagrange multipliers of unit norms.

    ``d rho/dt = 2 (mu - rho (M + lam))`` and ``dV_k/dt = (2 rho/N) sum_n (1 - rho fb_n)
    (d fb_n/dV_k - V_k fb_n)``: P1 eqs. (2) to (6), with ``rho fb_n`` for the second
    ``rho f_n`` of (4). P0 eqs. (13), (15) print the opposite sign of the second.

    Args:
        rho: Product of norms.
        layers: V_k; norms are not made 1 here.
        sample: Inputs and signs.
        decay: lam, the coefficient of rho^2.
    """
    margins, gradients = pulled(layers, sample, rho)
    mean, square = margins.mean(), margins @ margins / len(margins)
    common = 2 * rho * (mean - rho * square)
    return Slopes(
        rho=float(2 * (mean - rho * (square + decay))),
        layers=tuple(
            rho * gradient - common * layer
            for gradient, layer in zip(gradients, layers, strict=True)
        ),
        margins=margins,
        multipliers=np.array([
            rho * np.vdot(gradient, layer) / 2
            for gradient, layer in zip(gradients, layers, strict=True)
        ]),
    )


def free_slopes(
    layers: Sequence[Numbers], sample: Sample, decay: float
) -> tuple[Numbers, ...]:
    """Return the flow of plain layers W_k under the loss ``mean (1 - y f)^2 + lam rho^2``.

    rho is the product of the Frobenius norms of the layers, so for lam = 0 this is plain
    gradient flow; P0 section 3.2.10.

    Args:
        layers: W_k, none of them zero.
        sample: Inputs and signs.
        decay: lam.
    """
    _, gradients = pulled(layers, sample, 1.0)
    squares = [float(np.vdot(layer, layer)) for layer in layers]
    rho_square = prod(squares)
    return tuple(
        gradient - (2 * decay * rho_square / square) * layer
        for gradient, layer, square in zip(gradients, layers, squares, strict=True)
    )
