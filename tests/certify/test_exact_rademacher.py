"""No class of tiny networks fits noise better than its bound says."""

import pytest

from benchmarks.rademacher_enumeration import QUICK, measure


@pytest.mark.parametrize(("seed", "name"), list(enumerate(QUICK)))
def test_exact_complexity_stays_below_the_bound(seed, name):
    found = measure(name, seed, starts=4, steps=100)

    assert 0 < found.exact <= found.second
    assert found.exact <= found.of_data <= found.bound


def test_the_search_finds_what_a_linear_map_alone_would_give():
    found = measure("dense, 2 layers", 0, starts=8, steps=150)

    # Measured: 0.95 of S_N, near the mean of ||sum e_i x_i||.
    assert found.exact > 0.8 * found.scale
