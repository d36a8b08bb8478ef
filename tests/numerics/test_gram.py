"""Singular values through Gram matrices: right where they say so."""

import math
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from boundkit.numerics import gram
from boundkit.numerics.gram import exponent_of, gram_largest, gram_singular_values
from boundkit.numerics.matrix_pieces import column_pieces


def with_values(s, rest, seed=0):
    """A matrix of these singular values, in directions at random."""
    rng = np.random.default_rng(seed)
    left = np.linalg.qr(rng.standard_normal((len(s), len(s))))[0]
    right = np.linalg.qr(rng.standard_normal((rest, len(s))))[0]
    return left * np.asarray(s, float) @ right.T


def found(matrix):
    return gram_singular_values(column_pieces(matrix, 0), min(matrix.shape))


N = 300
SPECTRA = {
    "flat": (np.linspace(1, 0.1, N), "gram"),
    "graded to 1e-4": (np.geomspace(1, 1.01e-4, N), "gram"),
    "graded to 1e-5": (np.geomspace(1, 1e-5, N), "svd"),
    "graded to 1e-12": (np.geomspace(1, 1e-12, N), "svd"),
    "clustered at the top": (
        np.r_[1 - 1e-9 * np.arange(50), np.full(N - 50, 0.3)],
        None,
    ),
    "clustered at 1e-5": (np.r_[1, np.full(N - 1, 1e-5)], "svd"),
    "a few at 1e-5": (np.r_[np.ones(N - 20), np.full(20, 1e-5)], "iteration"),
    "a few down to 1e-8": (
        np.r_[np.linspace(1, 1e-3, N - 9), np.geomspace(9e-5, 1e-8, 9)],
        "iteration",
    ),
    "one that is tiny": (np.r_[np.linspace(1, 2e-4, N - 1), 1e-7], "iteration"),
    "rank one": (np.r_[1, np.zeros(N - 1)], "gram"),
    "half the rank": (np.r_[np.ones(N // 2), np.zeros(N - N // 2)], "gram"),
}


@pytest.mark.parametrize("name", SPECTRA)
def test_known_values_are_right_and_the_rest_is_small(name):
    s, method = SPECTRA[name]
    values = found(with_values(s, 2 * N))

    assert method is None or values.method.endswith(method)
    known = s >= values.floor * s[0] * (1 + 1e-9)
    needed = s >= 1e-5 * (1 - 1e-9)
    np.testing.assert_allclose(
        values.values[known | needed], s[known | needed], rtol=1e-6
    )
    assert np.all(values.values[~known] <= values.floor * (1 + 1e-6))


@pytest.mark.parametrize("seed", range(4))
def test_square_matrices_of_one_sign(seed):
    # The mean makes s_1 large beside everything else.
    matrix = np.random.default_rng(seed).random((400, 400)) + 3
    values = found(matrix)
    exact = np.linalg.svd(matrix, compute_uv=False)

    known = exact >= values.floor * exact[0]
    np.testing.assert_allclose(values.values[known], exact[known], rtol=1e-6)


@pytest.mark.parametrize("shape", [(5, 900), (900, 5), (70, 70), (300, 1000)])
def test_pieces_add_up_to_the_whole(shape, monkeypatch):
    monkeypatch.setattr("boundkit.numerics.matrix_pieces._PIECE", 4096)
    matrix = np.random.default_rng(1).standard_normal(shape)
    pieces = list(column_pieces(matrix, 0)())

    assert len(pieces) > 1 or shape == (70, 70)
    np.testing.assert_allclose(
        found(matrix).values, np.linalg.svd(matrix, compute_uv=False), rtol=1e-9
    )


def test_long_matrices_are_reduced_before_they_are_decomposed(monkeypatch):
    monkeypatch.setattr("boundkit.numerics.matrix_pieces._PIECE", 4096)
    s = np.geomspace(1, 1e-7, 40)
    values = found(with_values(s, 1000))

    assert values.method == "svd"
    np.testing.assert_allclose(values.values, s, rtol=1e-6)


def test_the_large_eigensolver_agrees(monkeypatch):
    matrix = np.random.default_rng(2).standard_normal((50, 80))
    plain = found(matrix).values
    monkeypatch.setattr(gram, "_LARGE", 10)

    np.testing.assert_allclose(found(matrix).values, plain, rtol=1e-12)


def test_an_iteration_that_does_not_come_is_replaced(monkeypatch):
    monkeypatch.setattr(gram, "_STEPS", 0)
    s = np.r_[np.ones(N - 20), np.full(20, 2e-5)]
    values = found(with_values(s, N))

    assert values.method == "svd"
    np.testing.assert_allclose(values.values, s, rtol=1e-6)


def test_zero_has_zeros():
    values = found(np.zeros((3, 4)))

    assert values.values.tolist() == [0, 0, 0]
    assert gram_singular_values(lambda: iter(()), 2).values.tolist() == [0, 0]


def test_norms_that_cannot_be_squared_are_scaled():
    assert exponent_of(3.0) == 0
    for norm in (1e150, 1e-150, 5e-324, 1e308):
        assert 0.5 <= math.ldexp(norm, -exponent_of(norm)) < 1


def test_the_largest_alone_are_those_that_the_gram_matrix_knows():
    values = [3.0, 2.0, 1.0, 1e-3, 1e-5, 0.0]
    matrix = with_values(values, 40)

    largest, norm = gram_largest(column_pieces(matrix, 0), 6)

    np.testing.assert_allclose(largest, values[:4], rtol=1e-8)
    np.testing.assert_allclose(norm, np.linalg.norm(matrix), rtol=1e-14)


@pytest.mark.parametrize("name", SPECTRA)
def test_the_lower_half_gives_the_same(name, monkeypatch):
    s, method = SPECTRA[name]
    monkeypatch.setattr(gram, "_takes_lower", lambda _: True)
    values = found(with_values(s, 2 * N))

    assert method is None or values.method.endswith(method)
    known = s >= max(values.floor * s[0], 1e-5) * (1 - 1e-9)
    np.testing.assert_allclose(values.values[known], s[known], rtol=1e-6)


def test_what_is_loaded_and_the_side_say_who_finds_eigenvalues(monkeypatch):
    sides = (1, 30, 704, 1087, 1088, 2048, 2049)

    def takes():
        return [side for side in sides if gram._takes_lower(side)]

    monkeypatch.setitem(sys.modules, "scipy.linalg", math)
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(get_num_threads=int))
    assert takes() == [704, 1087]
    monkeypatch.setattr(sys.modules["torch"], "get_num_threads", lambda: 2)
    assert takes() == [30, 704, 1087, 1088, 2048]
    monkeypatch.delitem(sys.modules, "torch")
    assert takes() == [30, 704, 1087]
    monkeypatch.delitem(sys.modules, "scipy.linalg")
    assert takes() == []


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("side", [1, 2, 3, 5, 17])
def test_small_sides_whoever_finds_eigenvalues(side, threads, monkeypatch):
    import scipy.linalg  # noqa: F401 - it changes who finds them
    import torch

    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    matrix = with_values(np.linspace(3, 1, side), 30)

    np.testing.assert_allclose(
        found(matrix).values, np.linspace(3, 1, side), rtol=1e-12
    )
    largest, norm = gram_largest(column_pieces(matrix, 0), side)
    np.testing.assert_allclose(largest, np.linspace(3, 1, side), rtol=1e-12)
    np.testing.assert_allclose(norm, np.linalg.norm(matrix), rtol=1e-14)


@pytest.mark.parametrize("way", ["torch", "numpy", "scipy"])
def test_eigenvalues_that_do_not_come_are_numpys_error(way, monkeypatch):
    half = np.full((30, 30), np.nan, order="F")
    if way == "numpy":
        monkeypatch.delitem(sys.modules, "torch", raising=False)
    if way == "torch":
        monkeypatch.setattr(gram, "_LARGE", 10)

    with pytest.raises(np.linalg.LinAlgError, match="igenvalues did not converge"):
        gram._eigenvalues(half, lower=way == "scipy")
