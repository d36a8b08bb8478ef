"""The size of a bound whose constant is not known."""

import math

import numpy as np

from boundkit.measure.long_sedghi2020 import long_sedghi2020


def size(norms, margin=1.0, from_start=True):
    spectral = {str(i): v for i, v in enumerate(norms)}
    return long_sedghi2020(spectral, 200, margin, 1000, 0.05, from_start=from_start)


def test_far_from_the_start():
    found = size([4, 3], margin=0.5)

    expected = math.sqrt((200 * (7 + math.log(2)) + math.log(20)) / 1000)
    np.testing.assert_allclose(found.value, expected, rtol=1e-12)
    np.testing.assert_allclose(found.log10, math.log10(expected), rtol=1e-12)


def test_near_the_start():
    expected = 3 * 2 * math.sqrt(200 / 1000) + math.sqrt(math.log(20) / 1000)

    np.testing.assert_allclose(size([2, 1], 0.5).value, expected, rtol=1e-12)


def test_it_is_a_heuristic_that_says_what_it_measures_from():
    assert size([1]).kind == "heuristic"
    assert size([1]).source.endswith("distances from --init")
    assert size([1], from_start=False).source.endswith("norms in place of distances")


def test_what_overflows_has_no_value():
    assert size([1e308, 1e308]).value is None
