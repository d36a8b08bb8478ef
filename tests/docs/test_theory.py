"""Numbers that docs/theory.md prints are those that the code computes."""

import math
import re
from pathlib import Path

import numpy as np
import pytest

from boundkit.numerics.coins import chain_constant, dense_constant
from boundkit.numerics.path_counts import conv_edges, pull_back
from boundkit.types import Geometry

TEXT = (Path(__file__).parents[2] / "docs" / "theory.md").read_text(encoding="utf-8")
TABLE = [
    [float(cell) for cell in line.strip("| \n").split("|")]
    for line in TEXT.splitlines()
    if re.match(r"\| \d+ \|", line)
]


@pytest.mark.parametrize("row", TABLE)
def test_table_of_constants(row):
    layers = int(row[0])
    coins = [0.5] * (layers - 1)
    expected = [
        layers,
        chain_constant(coins),
        dense_constant(coins),
        chain_constant([0.45] * (layers - 1)),
        ((1 + math.sqrt(2)) / 2) ** (layers - 1),
        1 + math.sqrt(2 * math.log(2) * (layers - 1)),
        2 ** ((layers - 1) / 2),
    ]

    # Printed with four decimals.
    np.testing.assert_allclose(row, expected, atol=5.1e-5, rtol=0)


def test_the_table_covers_two_to_ten_layers():
    assert [row[0] for row in TABLE] == list(range(2, 11))


def test_constants_of_print_by_hand():
    # Two layers, rho = 3, a hundred inputs of norm 1: n Rh / n.
    each = 3 * 10 / 100
    golowich = 1 + math.sqrt(2 * math.log(2) * 2)

    np.testing.assert_allclose(golowich * each, 0.7995328, rtol=1e-6)
    np.testing.assert_allclose(2**0.5 * each, 0.4242641, rtol=1e-6)
    assert dense_constant([0.5]) < chain_constant([0.5]) < 2**0.5 < golowich


def test_the_conjecture_for_one_layer_fails_for_a_stack():
    # Three convolutions of nine taps 1/3 and a head of equal weights: rho = 1, L = 4.
    x = np.ones(200)
    y = x
    for _ in range(3):
        y = np.maximum(np.convolve(y, np.full(9, 1 / 3), "valid"), 0)
    gain = float(y @ np.full(176, 176**-0.5)) / np.linalg.norm(x)
    window = Geometry((9,), (1,), ((0, 0),), (1,))
    counts = np.ones(176)
    for size in (184, 192, 200):
        counts = pull_back(counts, conv_edges(window, (size,)))

    assert gain > 2**3 * math.sqrt(9)
    np.testing.assert_allclose(gain, 25.3, rtol=2e-3)
    assert gain <= chain_constant([0.5] * 3) * math.sqrt(counts @ x**2) / 200**0.5


def test_two_patches_that_share_a_position_gain_more_than_the_mean():
    # Kernel 3, stride 2, equal outer taps, inputs on the shared positions only.
    x = np.zeros(2001)
    x[2:-2:2] = 1
    taps = np.array([1, 0, 1]) / math.sqrt(2)
    y = np.convolve(x, taps, "valid")[::2]

    assert np.linalg.norm(y) / np.linalg.norm(x) > math.sqrt(1.99)


def test_no_enumerated_class_passes_its_bound():
    rows = re.findall(r"\| [a-z].*?\| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|", TEXT)

    assert len(rows) == 20
    assert max(float(v) for row in rows for v in row[1:]) < 1
