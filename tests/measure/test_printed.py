"""Printed formulas, digit by digit, without a proof."""

import math

import numpy as np
import pytest

from boundkit.measure.printed import PRINTED, printed
from boundkit.types import Geometry, Layer, Network, StoredTensor


def layer(name="w", kind="linear", geometry=None, **changes):
    return Layer(
        name, kind, StoredTensor((3, 3), "float32", None), geometry=geometry, **changes
    )


def window(kernel, stride):
    return Geometry(kernel, stride, ((0, 0),) * len(kernel), (1,) * len(kernel))


def conv(name, kernel, stride):
    return layer(name, f"conv{len(kernel)}d", window(kernel, stride))


def values(network, rho, rms, n, delta=0.05):
    found = printed(network, math.log(rho), rms, n, delta)

    assert [m.name for m in found] == [name for name, *_ in PRINTED]
    assert {m.kind for m in found} == {"heuristic"}
    return {m.name: m for m in found}


TWO = Network((layer("a"), layer("b")))


def test_equation_16():
    found = values(TWO, 3, 1, 100)["dense_printed"]
    first = 2 * 4 * (math.sqrt(2 * math.log(2) * 2) + 1) / 10
    second = 3 * math.sqrt(math.log(2 * (math.log(3) + 1) ** 2 / 0.05) / 200)

    np.testing.assert_allclose(found.value, first + second, rtol=1e-12)
    np.testing.assert_allclose(first, 2.1320874, rtol=1e-7)
    np.testing.assert_allclose(10**found.log10, found.value, rtol=1e-12)


def test_equation_16_has_no_value_where_its_logarithm_has_none():
    assert values(TWO, math.exp(-1.0), 1, 100)["dense_printed"].value is None


def test_equation_19():
    # L = 2, rho = 3, m = 100, S = 10.
    found = values(TWO, 3, 1, 100)["sparse_cnn_printed"]

    np.testing.assert_allclose(found.value, 1.2, rtol=1e-12)


@pytest.mark.parametrize(
    ("layers", "factor"),
    [
        ((conv("a", (3,), (2,)), layer("b")), math.sqrt(3 / 2)),
        ((conv("a", (3, 3), (1, 1)), layer("b")), 3),
        ((conv("a", (2, 2), (2, 2)), layer("b")), 1),
        ((conv("a", (2,), (3,)), layer("b")), 1),
    ],
)
def test_equation_24_with_one_over_m(layers, factor):
    found = values(Network(layers), 3, 1, 100)["conjecture1"]

    # 2^{L-1} rho S / m = .6 without overlap.
    np.testing.assert_allclose(found.value, 0.6 * factor, rtol=1e-12)


def test_the_conjecture_needs_the_stride():
    network = Network((layer("a", "conv2d"), layer("b")))

    assert values(network, 3, 1, 100)["conjecture1"].value is None


def test_each_use_is_a_layer():
    twice = Network((layer("a", uses=2),))

    for name in ("dense_printed", "sparse_cnn_printed", "conjecture1"):
        np.testing.assert_allclose(
            values(twice, 3, 1, 100)[name].value,
            values(TWO, 3, 1, 100)[name].value,
            rtol=1e-12,
        )


def test_rho_over_root_n():
    np.testing.assert_allclose(
        values(TWO, 3, 1, 100)["rho_over_sqrt_n"].value, 0.3, rtol=1e-12
    )


def test_uncounted_layers_do_not_count():
    network = Network((*TWO.layers, layer("c", "embedding", counted=False)))

    np.testing.assert_allclose(
        values(network, 3, 1, 100)["sparse_cnn_printed"].value, 1.2, rtol=1e-12
    )


def test_what_overflows_keeps_its_logarithm():
    found = printed(TWO, 636 * math.log(10), 1.0, 100, 0.05)

    for one in found:
        assert one.value is None
        assert 634 < one.log10 < 638


def test_inputs_of_zero_are_no_error():
    assert values(TWO, 3, 0.0, 100)["sparse_cnn_printed"].value < 1e-290
