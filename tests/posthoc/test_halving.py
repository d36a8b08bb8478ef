"""Draws that fewer and fewer of are counted on more and more samples."""

import pytest

from boundkit.posthoc.halving import halved, rounds


def test_sixteen_draws_take_five_passes_and_a_half():
    found = rounds(16, 60_000)

    assert found == [(16, 4096), (8, 8192), (4, 16384), (2, 32768), (1, 60_000)]
    assert sum(left * some for left, some in found) < 5.5 * 60_000


@pytest.mark.parametrize(
    ("draws", "n", "expected"),
    [
        (1, 60_000, [(1, 60_000)]),
        (16, 4096, [(16, 4096)]),
        (16, 100, [(16, 100)]),
        (5, 12_000, [(5, 4096), (3, 8192), (2, 12_000)]),
        (1, 1, [(1, 1)]),
    ],
)
def test_small_samples_are_counted_at_once(draws, n, expected):
    assert rounds(draws, n) == expected


@pytest.mark.parametrize("draws", [1, 2, 3, 7, 64, 1000])
@pytest.mark.parametrize("n", [1, 5000, 10**6])
def test_the_last_round_has_every_sample(draws, n):
    *before, (left, some) = rounds(draws, n)

    assert some == n
    assert left >= 1
    assert all(many < n for _, many in before)


def test_the_best_by_exact_estimates_wins():
    quality = [0.5, 0.4, 0.1, 0.3, 0.2, 0.6, 0.7, 0.8]
    seen = []

    def bounds(numbers, some):
        seen.append((tuple(numbers), some))
        return [quality[at] for at in numbers]

    assert halved(8, 60_000, bounds) == [2]
    assert seen == [
        ((0, 1, 2, 3, 4, 5, 6, 7), 7500),
        ((2, 4, 3, 1), 15_000),
        ((2, 4), 30_000),
    ]


def test_ties_go_to_the_first():
    assert halved(4, 10_000, lambda numbers, some: [0.5] * len(numbers)) == [0]
