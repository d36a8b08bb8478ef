"""Spectral columns against closed forms and numpy."""

import math
import os
import subprocess
import sys
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from torch import nn

from boundkit import readers
from boundkit.errors import NotApplicable
from boundkit.layers import from_tensors
from boundkit.measure.spectra import filter_matrix, layer_spectrum, singular_values
from boundkit.measure.spectral_columns import columns
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


def test_values_that_the_gram_matrix_loses_are_found_from_the_matrix():
    s = np.r_[np.linspace(1, 0.5, 410), np.geomspace(1e-4, 1e-8, 10)]
    found = singular_values(with_singular_values(s, 420, 500))

    np.testing.assert_allclose(found, s, rtol=1e-6)


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


def test_an_empty_matrix_has_no_spectrum():
    with pytest.raises(NotApplicable, match="empty"):
        columns(stored(np.zeros((2, 0))))


def stored(values, kind="linear"):
    tensor = StoredTensor(values.shape, str(values.dtype), ArrayStorage(values))
    return Layer("w", kind, tensor)


@pytest.mark.parametrize("scale", [1e150, 1e-150, 1e-308, 1e300])
@pytest.mark.parametrize("shape", [(8, 20), (80, 60)])
@pytest.mark.parametrize("extent", ["full", "top"])
def test_scales_beyond_the_squares_of_float64(scale, shape, extent):
    plain = np.random.default_rng(0).standard_normal(shape)
    exact = np.linalg.svd(plain, compute_uv=False)
    values = plain * scale
    found = layer_spectrum(stored(values), extent)

    # Subnormal numbers have fewer digits.
    rtol = 1e-6 if scale > 1e-300 else 1e-3
    np.testing.assert_allclose(
        found.values / scale, exact[: len(found.values)], rtol=rtol
    )
    assert found.complete == (extent == "full")


@pytest.mark.parametrize("scale", [1.0, 1e-30, 1e25])
@pytest.mark.parametrize("shape", [(20, 30), (40, 90), (200, 130), (130, 200)])
@pytest.mark.parametrize("extent", ["full", "top", "auto"])
def test_the_norm_needs_no_reading_of_its_own(scale, shape, extent, monkeypatch):
    monkeypatch.setattr("boundkit.measure.spectra.BUDGET", 1e4)
    plain = np.random.default_rng(7).standard_normal(shape)
    values = (plain * scale).astype(np.float32)
    exact = np.linalg.norm(values.astype(float))
    found = layer_spectrum(stored(values), extent)

    np.testing.assert_allclose(found.frobenius, exact, rtol=1e-12)
    given = layer_spectrum(stored(values), extent, norm=float(exact))
    assert given.frobenius == exact
    np.testing.assert_allclose(given.values, found.values, rtol=1e-6)


@pytest.mark.parametrize("kind", ["float64", "float32", "float16", "bfloat16"])
def test_every_dtype_by_both_routes(kind):
    values = np.random.default_rng(1).standard_normal((70, 90))
    dtype = ml_dtypes.bfloat16 if kind == "bfloat16" else np.dtype(kind)
    layer = stored(values.astype(dtype))
    exact = np.linalg.svd(filter_matrix(layer), compute_uv=False)

    np.testing.assert_allclose(layer_spectrum(layer).values, exact, rtol=1e-9)
    np.testing.assert_allclose(
        layer_spectrum(layer, "top").values, exact[:1], rtol=1e-6
    )


def test_what_memory_does_not_hold_has_its_top(monkeypatch):
    monkeypatch.setattr("boundkit.measure.spectra._room", lambda side: side < 50)
    layer = stored(np.random.default_rng(2).standard_normal((60, 80)))

    assert not layer_spectrum(layer, "full").complete
    assert layer_spectrum(stored(np.eye(40)), "full").complete


def test_an_iteration_that_does_not_end_is_said(monkeypatch):
    monkeypatch.setattr("boundkit.measure.spectra._TOLERANCE", -1.0)
    layer = stored(np.random.default_rng(2).standard_normal((140, 140)))

    with pytest.raises(NotApplicable, match=r"known to .* only after \d+ steps"):
        layer_spectrum(layer, "top")


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (np.linalg.LinAlgError("no"), "the eigensolver gave up"),
        (MemoryError(), "memory"),
    ],
)
def test_failures_of_libraries_are_reasons(error, why, monkeypatch):
    def fail(*_):
        raise error

    monkeypatch.setattr("boundkit.measure.spectra.gram_singular_values", fail)
    with pytest.raises(NotApplicable, match=why):
        layer_spectrum(stored(np.random.default_rng(0).standard_normal((60, 60))))


def test_a_thinned_spectrum_keeps_its_ends():
    whole = layer_spectrum(stored(np.diag(np.arange(900.0, 0, -1))))
    points = whole.thinned()

    assert len(points) <= 200
    assert points[0][0] == 1
    assert points[-1][0] == 900
    np.testing.assert_allclose([v for _, v in points], [901 - r for r, _ in points])
    assert [rank for rank, _ in layer_spectrum(stored(np.eye(2))).thinned()] == [1, 2]


_MEMORY = """
import sys, numpy as np, torch
from scipy.linalg.blas import dsyrk
from scipy.linalg import cho_factor
from boundkit import readers
from boundkit.layers import from_tensors
from boundkit.measure.spectra import layer_spectrum
def anonymous():
    text = open("/proc/self/status").read()
    return int(text.split("RssAnon:")[1].split()[0]) / 1024
import threading, time
layer = from_tensors(readers.read(sys.argv[1]))[0].layers[0]
torch.linalg.eigvalsh(torch.eye(64, dtype=torch.float64)); np.linalg.eigvalsh(np.eye(64))
most, over, start = [0.0], [], anonymous()
def watch():
    while not over:
        most[0] = max(most[0], anonymous()); time.sleep(0.01)
thread = threading.Thread(target=watch); thread.start()
found = layer_spectrum(layer, sys.argv[2]); over.append(1); thread.join()
print(most[0] - start, found.rows, found.rest, found.complete, found.values[0])
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shape", "extent"),
    [((50257, 2048), "full"), ((4096, 25088), "full"), ((50257, 2048), "top")],
)
@pytest.mark.timeout(900)
def test_large_layers_stream(shape, extent, tmp_path):
    if not Path("/proc/self/status").exists():
        pytest.fail("this measures memory through /proc")
    weight = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
    weight[0] *= 10
    top = float(np.linalg.norm(weight @ (weight[0] / np.linalg.norm(weight[0]))))
    path = tmp_path / "large.safetensors"
    save_file({"large.weight": weight}, path)
    del weight
    done = subprocess.run(
        [sys.executable, "-c", _MEMORY, str(path), extent],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    grown, rows, rest, complete, largest = done.stdout.split()

    side = min(shape) if extent == "full" else 0
    assert float(grown) <= 2 * side**2 * 8 / 2**20 + 64
    assert (int(rows), int(rest), complete) == (*shape, str(extent == "full"))
    assert top * (1 - 1e-4) <= float(largest) <= 2 * top


@pytest.mark.parametrize("shape", [(96, 300), (97, 300), (300, 97)])
@pytest.mark.parametrize("scale", [1.0, 1e-150, 1e150])
def test_the_top_by_either_way(shape, scale):
    values = np.random.default_rng(1).standard_normal(shape) * scale
    found = layer_spectrum(stored(values), "top")

    assert found.method == ("gram" if min(shape) == 96 else "block lanczos")
    assert (len(found.values), found.complete) == (1, False)
    np.testing.assert_allclose(
        found.values, np.linalg.norm(values / scale, 2) * scale, rtol=1e-6
    )


@pytest.mark.parametrize("scale", [1e-18, 1e-4, 1.0, 1e8, 1e18])
def test_the_top_of_float32_at_any_scale(scale):
    values = np.random.default_rng(1).standard_normal((140, 150)) * scale
    values = values.astype(np.float32)
    exact = np.linalg.norm(values.astype(float) / scale, 2) * scale

    np.testing.assert_allclose(
        layer_spectrum(stored(values), "top").values, exact, rtol=1e-6
    )


@pytest.mark.parametrize(
    ("value", "why"), [(np.nan, "not finite"), (np.inf, "not finite"), (0, "a zero")]
)
def test_a_top_that_is_not_there(value, why):
    values = np.zeros((140, 150), np.float32)
    values[3, 4] = value

    with pytest.raises(NotApplicable, match=why):
        layer_spectrum(stored(values), "top")


@pytest.mark.parametrize("spike", [1e-30, 3e4, 1e19, 1e35])
def test_a_spike_of_any_size_and_the_norm_beside_it(spike):
    values = np.full((140, 150), np.float32(1e-2))
    values[3, 4] = spike
    exact = values.astype(float)
    found = layer_spectrum(stored(values), "top")

    np.testing.assert_allclose(found.values, np.linalg.norm(exact, 2), rtol=1e-6)
    np.testing.assert_allclose(found.frobenius, np.linalg.norm(exact), rtol=1e-12)


def test_integers_are_not_rounded_to_float32():
    values = np.zeros((140, 150), np.int32)
    values[3, 4] = 2**24 + 1
    found = layer_spectrum(stored(values), "top")

    np.testing.assert_allclose(found.values, 2**24 + 1, rtol=1e-12)
