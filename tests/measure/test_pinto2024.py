"""Product of spectral norms and the largest rank."""

import math

import numpy as np

from boundkit.measure.pinto2024 import pinto2024


def test_closed_form():
    found = pinto2024([2.0, 3.0], [4, 1], [9, 1])

    assert (found.name, found.kind) == ("pinto2024", "heuristic")
    np.testing.assert_allclose(found.value, 6 * 6, rtol=1e-12)


def test_what_overflows_keeps_its_logarithm():
    found = pinto2024([1e200, 1e200], [1, 1], [1, 1])

    assert found.value is None
    np.testing.assert_allclose(found.log10, 400, rtol=1e-12)


def test_rank_one_layers_pay_for_their_width_alone():
    assert math.isclose(pinto2024([1.0], [1], [100]).value, 10, rel_tol=1e-12)
