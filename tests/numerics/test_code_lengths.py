"""Krichevsky-Trofimov code lengths."""

from itertools import product

import pytest

from boundkit.numerics.code_lengths import kt_bits


@pytest.mark.parametrize(
    ("counts", "bits"),
    [([3, 1], 4.67807190), ([100, 0], 4.14947952), ([50, 50], 103.65128284)],
)
def test_values(counts, bits):
    assert kt_bits(counts) == pytest.approx(bits, abs=1e-8)


@pytest.mark.parametrize("symbols", [2, 3])
def test_all_sequences_share_one_probability(symbols):
    length = 6
    total = sum(
        2 ** -kt_bits([sequence.count(s) for s in range(symbols)])
        for sequence in product(range(symbols), repeat=length)
    )

    assert total == pytest.approx(1, rel=1e-12)


def test_nothing_to_say_costs_nothing():
    assert kt_bits([]) == 0
    assert kt_bits([0, 0]) == 0
    assert kt_bits([7]) == 0
