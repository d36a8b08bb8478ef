"""The largest singular values by Lanczos, never by luck."""

import numpy as np
import pytest

from boundkit.numerics import top_singular
from boundkit.numerics.matrix_pieces import row_pieces
from boundkit.numerics.top_singular import top_singular_values


def top(matrix, **options):
    return top_singular_values(row_pieces(matrix, 0), matrix.shape[1], **options)


def rotated(s, rest, seed=0):
    rng = np.random.default_rng(seed)
    right = np.linalg.qr(rng.standard_normal((rest, len(s))))[0]
    return np.asarray(s)[:, None] * right.T


@pytest.mark.parametrize("single", [False, True])
@pytest.mark.parametrize("shape", [(40, 40), (30, 200), (200, 30), (1, 50), (50, 1)])
def test_random_matrices(shape, single):
    matrix = np.random.default_rng(3).standard_normal(shape).astype(np.float32)
    exact = np.linalg.svd(matrix.astype(float), compute_uv=False)
    found = top(matrix, single=single)

    np.testing.assert_allclose(found.values, exact[:1], rtol=1e-6)
    assert found.errors[0] <= 1e-6


@pytest.mark.parametrize("gap", [0.5, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 0.0])
@pytest.mark.parametrize("single", [False, True])
def test_the_second_value_may_be_close(gap, single):
    rng = np.random.default_rng(4)
    s = np.r_[1, 1 - gap, (1 - 2 * gap) * rng.random(298)]
    matrix = rotated(s, 300)
    if single:
        matrix = matrix.astype(np.float32)
    exact = np.linalg.norm(matrix.astype(float), 2)
    found = top(matrix, single=single)

    np.testing.assert_allclose(found.values[0], exact, rtol=1e-6)
    assert abs(found.values[0] / exact - 1) <= found.errors[0] + 1e-12


def test_three_values_with_their_multiplicity():
    found = top(rotated([2, 2, 2, 1, 0.5], 40), count=3)

    np.testing.assert_allclose(found.values, [2, 2, 2], rtol=1e-6)


def test_as_many_values_as_columns():
    matrix = np.diag([3.0, 2, 1])
    found = top(matrix, count=3)

    np.testing.assert_allclose(found.values, [3, 2, 1], rtol=1e-12)


def test_rank_one_takes_two_readings():
    matrix = np.outer(np.arange(1.0, 40), np.arange(1.0, 60))
    found = top(matrix, count=2)

    np.testing.assert_allclose(found.values[0], np.linalg.norm(matrix), rtol=1e-12)
    assert found.values[1] <= 1e-6 * found.values[0]
    assert found.reads <= 3


def test_zero():
    assert top(np.zeros((4, 5))).values.tolist() == [0]
    assert top(np.zeros((4, 5), np.float32), single=True).values.tolist() == [0]


def test_an_iteration_that_is_cut_short_says_so():
    matrix = np.random.default_rng(5).standard_normal((300, 300))
    exact = np.linalg.norm(matrix, 2)
    found = [top(matrix, steps=steps) for steps in (2, 5, 40)]

    assert found[0].errors[0] > 1e-4
    assert [f.values[0] for f in found] == sorted(f.values[0] for f in found)
    assert all(f.values[0] <= exact * (1 + 1e-12) for f in found)
    assert found[2].errors[0] <= 1e-6


def test_float32_that_does_not_suffice_goes_on_in_float64():
    matrix = rotated(np.r_[1, np.linspace(0.99, 0, 60)], 90).astype(np.float32)
    found = top(matrix, single=True, tolerance=1e-10)
    again = top(matrix, tolerance=1e-10)

    np.testing.assert_allclose(
        found.values[0], np.linalg.norm(matrix.astype(float), 2), rtol=1e-10
    )
    assert found.errors[0] <= 1e-10
    assert found.reads > again.reads


def test_a_wide_cluster_at_the_top():
    s = np.r_[1 - 3e-5 * np.random.default_rng(0).random(100), np.full(100, 0.5)]
    matrix = rotated(s, 220).astype(np.float32)
    exact = np.linalg.norm(matrix.astype(float), 2)

    for single in (False, True):
        found = top(matrix, single=single)
        np.testing.assert_allclose(found.values[0], exact, rtol=1e-6)


def test_values_that_drown_in_rounding_are_not_said_to_be_known():
    s = [1.0, 1e-2, 1e-4, 1e-8, 0.0]
    found = top(rotated(s, 40), count=5)
    known = found.errors <= 1e-6

    assert known.tolist() == [True, True, True, False, False]
    np.testing.assert_allclose(found.values[known], s[:3], rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("closeness", [1.0, 1e-1, 1e-3, 1e-6])
def test_blocks_become_orthonormal_however_close_their_rows(dtype, closeness):
    rng = np.random.default_rng(6)
    first, second, third = rng.standard_normal((3, 200))
    image = np.array([first, first + closeness * second, third], dtype)
    block, factor = top_singular._orthonormal(image.copy(), 1e-5)

    # The first of two passes, hence looser than rounding where rows are dependent.
    np.testing.assert_allclose(block @ block.T, np.eye(len(block)), atol=3e-5)
    np.testing.assert_allclose(factor @ block, image, atol=3e-5)
    assert len(block) == 3


def test_a_row_that_others_exhaust_is_left_out():
    rows = np.random.default_rng(6).standard_normal((2, 50))
    image = np.array([rows[0], 3 * rows[0], rows[1]])
    block, factor = top_singular._orthonormal(image.copy(), 1e-10)

    assert block.shape == (2, 50)
    np.testing.assert_allclose(factor @ block, image, atol=1e-12)


def test_the_check_in_float64_gives_the_norm():
    matrix = np.random.default_rng(7).standard_normal((300, 140)).astype(np.float32)

    np.testing.assert_allclose(
        top(matrix, single=True).frobenius,
        np.linalg.norm(matrix.astype(float)),
        rtol=1e-13,
    )
    assert top(matrix).frobenius is None
