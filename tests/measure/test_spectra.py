"""Spectral columns against closed forms and numpy."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from boundkit import readers
from boundkit.errors import NotApplicable
from boundkit.layers import from_tensors
from boundkit.measure.spectra import columns, filter_matrix, singular_values
from boundkit.types import Layer, StoredTensor


def layer_of(values, kind=None):
    state = {"x.weight": torch.as_tensor(np.asarray(values, float))}
    layer = from_tensors(readers.read(state))[0].layers[0]
    return layer if kind is None else Layer(layer.name, kind, layer.weight)


def with_singular_values(s, rows, rest, seed=0):
    rng = np.random.default_rng(seed)
    left = np.linalg.qr(rng.standard_normal((rows, rows)))[0][:, : len(s)]
    right = np.linalg.qr(rng.standard_normal((rest, rest)))[0][:, : len(s)]
    return left * np.asarray(s, float) @ right.T


def test_columns_of_a_diagonal_matrix_by_hand():
    found = columns(layer_of(np.diag([4.0, 2.0, 2.0, 0.001])))
    energy = np.array([16, 4, 4, 1e-6])
    share = energy / energy.sum()

    expected = {
        "spectral_norm": 4,
        "stable_rank": energy.sum() / 16,
        "effective_rank": math.exp(-(share * np.log(share)).sum()),
        "numerical_rank": 3,
        "participation_ratio": energy.sum() ** 2 / (energy**2).sum(),
        "s3_over_s1": 0.5,
        "nuclear_norm": 8.001,
        "condition": 4000,
        "theorem7_factor": math.sqrt(3 / 4),
    }
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-10, err_msg=name)


def test_equal_singular_values_have_full_ranks():
    found = columns(layer_of(with_singular_values([3, 3, 3], 3, 8)))

    for name in (
        "stable_rank",
        "effective_rank",
        "numerical_rank",
        "participation_ratio",
    ):
        np.testing.assert_allclose(found[name], 3, rtol=1e-10, err_msg=name)
    np.testing.assert_allclose(found["condition"], 1, rtol=1e-10)


def test_rank_one():
    found = columns(layer_of(np.outer([1, 2], [3, 4, 5])))

    np.testing.assert_allclose(found["stable_rank"], 1, rtol=1e-12)
    assert found["numerical_rank"] == 1
    assert found["s3_over_s1"] is None
    assert found["condition"] is None


@pytest.mark.parametrize("scale", [1e-200, 1e-30, 1e30, 1e200])
def test_ranks_do_not_depend_on_the_scale(scale):
    values = np.random.default_rng(0).standard_normal((5, 9))
    plain, scaled = columns(layer_of(values)), columns(layer_of(values * scale))

    for name in ("spectral_norm", "nuclear_norm"):
        np.testing.assert_allclose(scaled[name], plain[name] * scale, rtol=1e-10)
    for name in ("stable_rank", "effective_rank", "condition"):
        np.testing.assert_allclose(scaled[name], plain[name], rtol=1e-10)


def test_large_matrices_through_their_gram_matrix():
    s = np.geomspace(1, 1e-4, 420)
    found = singular_values(with_singular_values(s, 420, 600))

    np.testing.assert_allclose(found[0], 1, rtol=1e-12)
    # A value s is known to about 2e-16 (s_1 / s)^2 relative.
    np.testing.assert_allclose(found, s, rtol=1e-6)


def test_values_below_the_noise_of_the_gram_matrix_are_zero():
    s = np.r_[np.ones(410), np.full(10, 1e-9)]
    found = singular_values(with_singular_values(s, 420, 500))

    assert np.all(found[410:] == 0)


def test_rows_of_a_transposed_convolution_are_its_outputs():
    module = nn.ConvTranspose2d(3, 5, 2, bias=False)
    layer = layer_of(module.weight.detach().double().numpy(), "conv_transpose2d")

    assert filter_matrix(layer).shape == (5, 12)
    np.testing.assert_allclose(
        filter_matrix(layer)[1],
        module.weight.detach()[:, 1].reshape(-1).numpy(),
        rtol=1e-12,
    )


def test_a_zero_matrix_has_no_spectrum():
    with pytest.raises(NotApplicable, match="a zero matrix"):
        columns(layer_of(np.zeros((2, 3))))
    assert singular_values(np.zeros((2, 3))).tolist() == [0, 0]


def test_broken_numbers_have_no_spectrum():
    with pytest.raises(NotApplicable, match="not finite"):
        columns(layer_of([[1.0, math.nan]]))


def test_a_huge_matrix_is_refused_before_it_is_read():
    weight = StoredTensor((50_000, 50_000), "float32", None, unread="not read")

    with pytest.raises(NotApplicable, match="50000 x 50000 spectrum takes too long"):
        columns(Layer("w", "linear", weight))
