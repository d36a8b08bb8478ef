from __future__ import annotations

import math
from itertools import permutations

import pytest

from boundkit.pairwise import agreements, order, pairs, ranking
from boundkit.report.comparison_model import MarginLevel, Relative
from boundkit.report.model import Rho
from tests.report.reports import certificate

LABELS = ("A", "B", "C")


def found(logs, errors):
    level = MarginLevel(0.05, (1.0,) * 3, tuple(logs), ranking(LABELS, logs))
    rhos = (Rho(0.0, 1.0),) * 3
    return Relative("valid", (), "stored", rhos, level, (level,), tuple(errors))


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (1.0, 2.0, -1),
        (2.0, 1.0, 1),
        (1.0, 1.0 + 1e-13, 0),
        (1.0, 1.0 + 1e-9, -1),
        (-math.inf, -math.inf, 0),
        (-math.inf, 0.0, -1),
        (None, 1.0, None),
        (1.0, None, None),
    ],
)
def test_the_order_is_the_sign_of_the_difference(first, second, expected):
    assert order(first, second) == expected


def test_the_order_is_antisymmetric():
    for a, b in permutations([0.5, 0.5 + 1e-12, 2.0, -3.0, -math.inf], 2):
        assert order(a, b) == -order(b, a)


def test_the_ranking_puts_equal_nets_together_and_leaves_out_unknown_ones():
    ranked = ranking(("A", "B", "C", "D", "E"), (0.7, 0.2, None, 0.7 + 1e-12, 3.0))

    assert ranked == (("B",), ("A", "D"), ("E",))


def test_pairs_carry_the_sign_the_factor_and_the_order_of_the_errors():
    first, second, third = pairs(LABELS, found((0.5, 0.75, None), (0.2, 0.1, 0.2)))

    assert (first.first, first.second) == ("A", "B")
    assert (first.order, first.log10_factor, first.test_order) == (-1, -0.25, 1)
    assert (second.order, second.log10_factor, second.test_order) == (None, None, 0)
    assert (third.first, third.second, third.test_order) == ("B", "C", -1)


def test_every_pair_is_counted_once_in_each_agreement():
    table = {
        "dense": [certificate("dense", value=v) for v in (0.9, 0.3, 0.3)],
        "holdout": [certificate("holdout", value=v) for v in (0.1, 0.2, 0.3)],
        "toeplitz": [certificate("toeplitz", "invalid", None) for _ in LABELS],
    }
    by_ratio, dense = agreements(LABELS, found((0.1, 0.2, 0.3), (0.1, 0.2, 0.2)), table)

    assert (by_ratio.by, dense.by) == ("rho / gamma", "dense")
    assert by_ratio.agree == (("A", "B"), ("A", "C"))
    assert by_ratio.ties == (("B", "C"),)
    assert dense.disagree == (("A", "B"), ("A", "C"))
    assert (dense.agree, dense.ties) == ((), (("B", "C"),))


def test_a_bound_beyond_a_float_is_ordered_by_its_logarithm():
    table = {
        "dense": [
            certificate("dense", value=None, log10=400.0),
            certificate("dense", value=None, log10=500.0),
            certificate("dense", value=0.0),
        ]
    }
    dense = agreements(LABELS, found((0.1, 0.2, 0.3), (0.2, 0.3, 0.1)), table)[1]

    assert dense.agree == (("A", "B"), ("A", "C"), ("B", "C"))


def test_a_pair_without_a_number_is_undefined():
    (one,) = agreements(LABELS, found((0.1, None, 0.3), (0.1, 0.2, 0.3)), {})

    assert one.undefined == (("A", "B"), ("B", "C"))
    assert one.agree == (("A", "C"),)


def test_without_held_out_errors_nothing_is_said_to_agree():
    assert agreements(LABELS, found((0.1, 0.2, 0.3), (None, 0.1, None)), {}) == ()
