"""Stacked decompositions give what one at a time gives."""

import numpy as np

from boundkit.measure.small_spectra import small_spectra
from boundkit.measure.spectra import filter_matrix
from boundkit.measure.spectral_columns import columns
from boundkit.numerics.norms import frobenius_norm
from boundkit.readers.storage import ArrayStorage
from boundkit.types import Layer, StoredTensor


def layer(name, values, kind="linear"):
    tensor = StoredTensor(values.shape, "float64", ArrayStorage(values))
    return Layer(name, kind, tensor)


def test_stacks_agree_with_single_matrices():
    generator = np.random.default_rng(0)
    layers = [
        layer(f"a{i}", generator.standard_normal((4, 7)) * 10.0**i) for i in range(20)
    ]
    layers += [
        layer(f"t{i}", generator.standard_normal((3, 5, 2, 2)), "conv_transpose2d")
        for i in range(20)
    ]
    norms = {x.name: frobenius_norm(x.weight) for x in layers}

    found = small_spectra(layers, norms)

    assert set(found) == set(norms)
    for x in layers:
        expected = np.linalg.svd(filter_matrix(x), compute_uv=False)
        np.testing.assert_allclose(found[x.name], expected, rtol=1e-12)
        alone, stacked = columns(x), columns(x, found[x.name])
        assert alone["alpha"] is stacked["alpha"] is None
        for name in alone.keys() - {"alpha"}:
            np.testing.assert_allclose(stacked[name], alone[name], rtol=1e-9)


def test_rare_large_zero_and_broken_layers_are_left_alone():
    few = [layer(f"a{i}", np.eye(3)) for i in range(15)]
    large = [layer(f"b{i}", np.ones((40, 40))) for i in range(20)]
    zero = [layer(f"z{i}", np.zeros((2, 2))) for i in range(20)]
    broken = [layer(f"n{i}", np.full((2, 3), np.nan)) for i in range(20)]
    layers = [*few, *large, *zero, *broken]
    norms = {x.name: frobenius_norm(x.weight) for x in layers}

    assert small_spectra(layers, norms) == {}
