"""No class of tiny networks fits noise better than its bound says."""

import pytest

from benchmarks.rademacher_enumeration import QUICK, measure


@pytest.mark.parametrize("name", QUICK)
def test_exact_complexity_stays_below_the_bound(name):
    for seed in (1, 2):
        found = measure(name, seed, starts=6, steps=120)

        assert 0 < found.exact <= found.second
        assert found.exact <= found.of_data <= found.bound


def test_the_search_finds_the_supremum_of_a_linear_class():
    # One sample: sup |<w, x>| = ||x||, and S_N = ||x||; K = 1 for one layer of 4 classes.
    found = measure("dense, 2 layers", 1, starts=8, steps=200)

    # Collinear inputs: two units of opposite sign fit every sign vector.
    assert found.exact > 0.85 * found.scale
