"""What is reported when which inputs are known."""

import math

import numpy as np

from boundkit.measure.distances import distances
from boundkit.measure.layer_columns import layer_columns
from boundkit.measure.norms import norms
from boundkit.measure.quantities import quantities
from tests.certify.examples import cnn, seen, stored, told, wired


def found(network, sample, *, spectra=True, start=None):
    sizes = norms(network)
    columns = layer_columns(network, sizes, None)[0] if spectra else None
    moved = None if start is None else distances(network, start)
    log_rho = sum(math.log(v) for v in sizes.weight.values())

    return {
        m.name: m
        for m in quantities(
            network, sizes, log_rho, sample, 0.05, spectra=columns, moved=moved
        )
    }


def test_with_everything_known():
    network = wired(cnn(), (1, 6))
    names = set(found(network, seen(100), start=network))

    assert {"galanti2023_literal", "pinto2024", "long_sedghi2020"} <= names
    assert {"jiang2020.path_norm_over_margin", "jiang2020.fro_dist"} <= names


def test_without_a_sample_only_what_needs_none():
    assert set(found(stored(cnn()), None)) == {"pinto2024"}


def test_without_spectra_only_frobenius_norms():
    names = set(found(stored(cnn()), told(100), spectra=False))

    assert names == {
        "galanti2023_literal",
        "jiang2020.log_prod_of_fro",
        "jiang2020.log_sum_of_fro",
        "jiang2020.param_norm",
    }


def test_margins_come_from_the_tenth_percentile():
    margins = np.linspace(0, 10, 101)
    one = found(wired(cnn(), (1, 6)), seen(0, margins))["jiang2020.inverse_margin"]

    np.testing.assert_allclose(one.value, math.sqrt(1 / 101), rtol=1e-12)


def test_distances_take_the_place_of_norms():
    network = stored(cnn())
    without = found(network, told(100))["long_sedghi2020"]
    still = found(network, told(100), start=network)["long_sedghi2020"]

    np.testing.assert_allclose(still.value, math.sqrt(math.log(20) / 100), rtol=1e-12)
    assert without.value > still.value


def test_spectra_that_are_not_given_are_computed():
    network, sample = stored(cnn()), told(100)
    sizes = norms(network)
    given = {
        m.name: m.value
        for m in quantities(network, sizes, 0.0, sample, 0.05, spectra={}, moved=None)
    }

    assert given["pinto2024"] == found(network, sample)["pinto2024"].value


def test_a_zero_layer_leaves_nothing_to_compare():
    module = cnn()
    module[0].weight.data.zero_()
    network = stored(module)

    assert (
        quantities(network, norms(network), None, told(9), 0.05, spectra={}, moved=None)
        == ()
    )
