"""Operator norms: never below the truth for certificates, to many digits for tables."""

import math

import numpy as np
import pytest
import torch

from boundkit.numerics.lanczos import convolution, operator_norm
from boundkit.numerics.matrix_norms import row_norms, row_sums
from boundkit.numerics.operator_norm import upper_bound
from boundkit.types import Geometry

RNG = np.random.default_rng(7)


def matrix(weight, geometry, sizes):
    """The matrix of a convolution, by basis vectors."""
    apply = convolution(torch.from_numpy(weight), geometry)
    channels = weight.shape[0 if geometry.transposed else 1]
    channels *= 1 if geometry.transposed else geometry.groups
    count = channels * math.prod(sizes)
    basis = torch.eye(count, dtype=torch.float64).reshape(count, channels, *sizes)
    return apply(basis).reshape(count, -1).numpy().T


def random_case(seed):
    """A random convolution that has an output."""
    rng = np.random.default_rng(seed)
    dims = int(rng.integers(1, 3))

    def draw(low, high):
        return tuple(int(v) for v in rng.integers(low, high, dims))

    kernel, stride, dilation = draw(1, 4), draw(1, 4), draw(1, 3)
    groups, transposed = int(rng.integers(1, 3)), bool(rng.integers(0, 2))
    mode = "zeros"
    if not transposed:
        mode = str(rng.choice(["zeros", "zeros", "reflect", "replicate", "circular"]))
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
    pads = tuple((int(rng.integers(0, min(r, 2))),) * 2 for r in reach)
    geometry = Geometry(
        kernel,
        stride,
        pads,
        dilation,
        groups,
        transposed,
        (0,) * dims if transposed else (),
        mode,
    )
    sizes = tuple(max(int(v), r) for v, r in zip(draw(3, 7), reach, strict=True))
    shape = (int(rng.integers(1, 4)) * groups, int(rng.integers(1, 4)), *kernel)
    return rng.normal(size=shape), geometry, sizes


@pytest.mark.parametrize("seed", range(120))
def test_bounds_are_above_and_estimates_close(seed):
    weight, geometry, sizes = random_case(seed)
    unrolled = matrix(weight, geometry, sizes)
    exact = np.linalg.norm(unrolled, 2)
    estimate, residual = operator_norm(weight, geometry, sizes)

    assert exact <= upper_bound(weight, geometry, sizes) <= 2 * exact
    np.testing.assert_allclose(estimate, exact, rtol=1e-8)
    assert residual <= 1e-8 * exact
    rows = np.linalg.norm(unrolled, axis=1).sum()
    sums = np.abs(unrolled).sum(axis=1)
    largest, total = row_sums(weight, geometry, sizes)
    if geometry.padding_mode == "zeros":
        np.testing.assert_allclose(row_norms(weight, geometry, sizes), rows, rtol=1e-12)
        np.testing.assert_allclose(
            (largest, total), (sums.max(), sums.sum()), rtol=1e-12
        )
    else:
        assert row_norms(weight, geometry, sizes) >= rows * (1 - 1e-12)
        assert largest >= sums.max() * (1 - 1e-12)
        assert total >= sums.sum() * (1 - 1e-12)


def window(stride=1, padding=0, size=3, **other):
    return Geometry(
        (size, size), (stride,) * 2, ((padding, padding),) * 2, (1, 1), **other
    )


def test_patches_that_do_not_overlap_give_the_filter_matrix_exactly():
    weight = RNG.normal(size=(5, 2, 3, 3))

    np.testing.assert_allclose(
        upper_bound(weight, window(stride=3), (9, 9)),
        np.linalg.norm(weight.reshape(5, -1), 2),
        # The factor that covers rounding.
        rtol=2e-9,
    )


def test_a_single_output_position_gives_the_filter_matrix_exactly():
    weight = RNG.normal(size=(5, 2, 3, 3))

    np.testing.assert_allclose(
        upper_bound(weight, window(), (3, 3)),
        np.linalg.norm(weight.reshape(5, -1), 2),
        # The factor that covers rounding.
        rtol=2e-9,
    )


def test_large_maps_are_close_to_the_symbol():
    # The all-ones kernel has the symbol (1 + 2 cos)^2, with maximum 9.
    bound = upper_bound(np.ones((1, 1, 3, 3)), window(padding=1), (64, 64))

    assert 8.98 < bound <= 9 * (1 + 2e-9)


def test_large_layers_fall_back_to_overlap_and_sums():
    weight = RNG.normal(size=(700, 700, 1, 1)) / math.sqrt(700)
    geometry = Geometry((1, 1), (1, 1), ((0, 0), (0, 0)), (1, 1))
    # One position per patch: the filter matrix, however large the map.
    exact = np.linalg.norm(weight[..., 0, 0], 2)

    np.testing.assert_allclose(
        upper_bound(weight, geometry, (400, 400)),
        exact,
        # The factor that covers rounding.
        rtol=2e-9,
    )


def test_dense_matrices():
    weight = RNG.normal(size=(40, 60))

    np.testing.assert_allclose(
        upper_bound(weight, None, ()),
        np.linalg.norm(weight, 2),
        # The factor that covers rounding.
        rtol=2e-9,
    )
    np.testing.assert_allclose(
        row_norms(weight, None, ()), np.linalg.norm(weight, axis=1).sum(), rtol=1e-12
    )


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_any_scale(scale):
    weight = RNG.normal(size=(4, 4, 3, 3))

    np.testing.assert_allclose(
        upper_bound(weight * scale, window(), (6, 6)),
        upper_bound(weight, window(), (6, 6)) * scale,
        rtol=1e-12,
    )


def test_zero():
    assert upper_bound(np.zeros((2, 2, 3, 3)), window(), (6, 6)) == 0
    assert operator_norm(np.zeros((2, 2, 3, 3)), window(), (6, 6)) == (0, 0)


def test_a_stopped_estimate_knows_its_error():
    weight = RNG.normal(size=(4, 4, 3, 3))
    exact = np.linalg.norm(matrix(weight, window(), (8, 8)), 2)
    values = [operator_norm(weight, window(), (8, 8), steps=k) for k in (2, 4, 8, 40)]

    assert [v for v, _ in values] == sorted(v for v, _ in values)
    for value, _ in values:
        assert value <= exact * (1 + 1e-12)
    assert values[0][1] > 1e-3 > values[-1][1]
