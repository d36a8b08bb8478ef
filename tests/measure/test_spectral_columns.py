"""Columns of the layer table against closed forms and numpy."""

import math

import numpy as np
import torch

from boundkit import readers
from boundkit.layers import from_tensors
from boundkit.measure.power_law import power_law
from boundkit.measure.spectra import layer_spectrum
from boundkit.measure.spectral_columns import columns, spectral_columns
from boundkit.readers.storage import ArrayStorage
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


def stored(values, kind="linear"):
    tensor = StoredTensor(values.shape, str(values.dtype), ArrayStorage(values))
    return Layer("w", kind, tensor)


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


def test_the_top_has_the_columns_that_it_can(monkeypatch):
    monkeypatch.setattr("boundkit.measure.spectra.BUDGET", 1e4)
    layer = stored(np.random.default_rng(2).standard_normal((60, 80)))
    whole = spectral_columns(layer_spectrum(layer, "full"))
    part = layer_spectrum(layer)
    found = spectral_columns(part)

    assert (part.complete, len(part.values)) == (False, 3)
    assert found.keys() == whole.keys()
    for name in ("spectral_norm", "stable_rank", "s3_over_s1"):
        np.testing.assert_allclose(found[name], whole[name], rtol=2e-6, err_msg=name)
    others = found.keys() - {"spectral_norm", "stable_rank", "s3_over_s1"}
    assert {found[name] for name in others} == {None}
    alone = spectral_columns(layer_spectrum(layer, "top"))
    np.testing.assert_allclose(
        alone["spectral_norm"], whole["spectral_norm"], rtol=1e-6
    )
    assert alone["s3_over_s1"] is None


def test_condition_is_given_only_where_it_is_known():
    rng = np.random.default_rng(3)
    known = with_singular_values(np.linspace(1, 1e-3, 60), 60, 70)
    lost = rng.standard_normal((300, 30)) @ rng.standard_normal((30, 400))

    np.testing.assert_allclose(columns(layer_of(known))["condition"], 1000, rtol=1e-6)
    assert columns(layer_of(lost))["condition"] is None
    assert layer_spectrum(layer_of(lost)).floor > 0


def test_alpha_takes_enough_eigenvalues():
    rng = np.random.default_rng(4)
    few, many = (rng.standard_normal((n, 200)) for n in (49, 50))

    assert columns(layer_of(few))["alpha"] is None
    exact = power_law(np.linalg.svd(many, compute_uv=False) ** 2).alpha
    np.testing.assert_allclose(columns(layer_of(many))["alpha"], exact, rtol=1e-9)
    assert columns(layer_of(np.eye(60)))["alpha"] is None
