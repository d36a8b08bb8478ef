"""Summaries of spectra against closed forms and numpy."""

import math

import numpy as np
import pytest
from torch import nn

from boundkit.errors import NotApplicable
from boundkit.measure.layer_columns import layer_spectra
from boundkit.measure.norms import norms
from boundkit.measure.power_law import power_law
from boundkit.measure.spectra import layer_spectrum
from boundkit.measure.spectral_summaries import (
    low_rank_errors,
    mp_soft_rank,
    rank_of_energy,
    spectral_measurements,
)
from boundkit.readers.storage import ArrayStorage
from boundkit.types import Layer, StoredTensor
from tests.certify.examples import stored


def spectrum_of(values, extent="auto"):
    tensor = StoredTensor(values.shape, "float64", ArrayStorage(values))
    return layer_spectrum(Layer("w", "linear", tensor), extent)


def test_the_curve_by_hand():
    spectrum = spectrum_of(np.diag([3.0, 2.0, 1.0, 0.0]))
    total = 14.0

    np.testing.assert_allclose(
        low_rank_errors(spectrum),
        np.sqrt(np.array([14, 5, 1, 0, 0]) / total),
        rtol=1e-12,
        atol=1e-12,
    )
    assert rank_of_energy(spectrum, 9 / 14) == 1
    assert rank_of_energy(spectrum, 0.9) == 2
    assert rank_of_energy(spectrum) == 3
    assert rank_of_energy(spectrum, 1.0) == 3


def test_the_curve_is_the_error_of_truncation():
    values = np.random.default_rng(0).standard_normal((30, 50))
    left, s, right = np.linalg.svd(values, full_matrices=False)
    curve = low_rank_errors(spectrum_of(values))
    kept = (left[:, :7] * s[:7]) @ right[:7]

    np.testing.assert_allclose(
        curve[7], np.linalg.norm(values - kept) / np.linalg.norm(values), rtol=1e-9
    )


def test_the_top_alone_has_no_curve():
    values = np.random.default_rng(0).standard_normal((60, 60))

    with pytest.raises(NotApplicable, match="takes the whole spectrum"):
        low_rank_errors(spectrum_of(values, "top"))
    with pytest.raises(NotApplicable, match="takes the whole spectrum"):
        rank_of_energy(spectrum_of(values, "top"))


@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e200])
def test_noise_reaches_the_edge_and_no_further(scale):
    values = np.random.default_rng(1).standard_normal((600, 1500)) * scale

    # Fluctuations of the largest eigenvalue are of order 600^(-2/3).
    np.testing.assert_allclose(mp_soft_rank(spectrum_of(values)), 1, rtol=0.03)


def test_a_spike_leaves_the_edge_behind():
    values = np.random.default_rng(1).standard_normal((300, 300))
    values[0] += 30

    assert mp_soft_rank(spectrum_of(values)) < 0.02


def measured(module, extent="auto"):
    network = stored(module)
    found = layer_spectra(network, norms(network), extent=extent)
    return found, spectral_measurements(network, found.columns, found.spectra)


def test_measurements_of_a_network():
    module = nn.Sequential(nn.Linear(70, 60), nn.Linear(60, 100), nn.Linear(100, 3))
    found, measurements = measured(module)
    values = {(m.name, m.layer): m for m in measurements}
    s = np.linalg.svd(module[0].weight.detach().double().numpy(), compute_uv=False)
    fit = power_law(s**2)
    share = s**2 / (s**2).sum()

    expected = {
        "log10_lambda_max": 2 * math.log10(s[0]),
        "spectral_entropy": -(share * np.log(share)).sum() / math.log(60),
        "rank_99": 1 + int(np.argmax(np.cumsum(share) >= 0.99)),
        "power_law.alpha": fit.alpha,
        "power_law.x_min": fit.x_min,
        "power_law.distance": fit.distance,
        "power_law.tail": fit.tail,
        "alpha_weighted": fit.alpha * 2 * math.log10(s[0]),
        "log10_alpha_norm": math.log10((s ** (2 * fit.alpha)).sum()),
    }
    for name, value in expected.items():
        found_value = values[name, "0.weight"].value
        np.testing.assert_allclose(found_value, value, rtol=1e-8, err_msg=name)
    np.testing.assert_allclose(
        values["power_law.alpha", "0.weight"].stderr, fit.stderr, rtol=1e-8
    )
    assert not any(layer == "2.weight" for _, layer in values)
    for column in ("numerical_rank", "stable_rank", "effective_rank"):
        ranks = [found.columns[f"{i}.weight"][column] for i in range(3)]
        for name, function in (("median", np.median), ("mean", np.mean), ("max", max)):
            np.testing.assert_allclose(
                values[f"{column}.{name}", None].value, function(ranks), rtol=1e-12
            )
    alphas = [found.columns[f"{i}.weight"]["alpha"] for i in range(2)]
    np.testing.assert_allclose(
        values["power_law.alpha.mean", None].value, np.mean(alphas), rtol=1e-12
    )


def test_the_top_gives_what_it_can():
    _, measurements = measured(nn.Sequential(nn.Linear(70, 60)), "top")

    assert {m.name for m in measurements} == {
        "log10_lambda_max",
        "mp_soft_rank",
        "stable_rank.median",
        "stable_rank.mean",
        "stable_rank.max",
    }


def test_equal_values_have_no_power_law():
    module = nn.Sequential(nn.Linear(60, 60, bias=False))
    nn.init.eye_(module[0].weight)
    _, measurements = measured(module)
    names = {m.name for m in measurements}

    assert not any(name.startswith("power_law") for name in names)
    assert {m.value for m in measurements if m.name == "rank_99"} == {60}


def test_nothing_comes_of_nothing():
    assert measured(nn.Sequential(nn.ReLU(), nn.Linear(70, 60)), "none")[1] == ()
