import itertools
import math
from fractions import Fraction

import numpy as np
import pytest

from boundkit.numerics.code_lengths import kt_bits
from boundkit.posthoc.coded import Block, CodedNetwork, CodedTensor, bits, decoded


def block(levels, symbols):
    return Block(np.array(levels, np.float16), np.array(symbols, np.uint8))


def network(*tensors, center="zero"):
    return CodedNetwork(center, tensors)


def vector(levels, symbols, name="b"):
    return CodedTensor(name, (len(symbols),), 0, (block(levels, symbols),))


def test_all_bits_of_a_vector():
    spent = bits(network(vector([0.5, 2.0], [0, 1, 2, 1])))

    assert spent.settings == pytest.approx(1 + 5)
    assert spent.codebook == pytest.approx(math.log2(65536 * 65535 / 2), rel=1e-9)
    assert spent.symbols == pytest.approx(kt_bits([1, 2, 1]), rel=1e-12)
    assert spent.total == spent.settings + spent.codebook + spent.symbols


def test_a_matrix_pays_for_its_rank():
    whole = CodedTensor("w", (3, 5), 0, (block([], [0] * 15),))
    thin = CodedTensor("w", (3, 5), 1, (block([], [0] * 3), block([], [0] * 5)))

    assert bits(network(whole)).total == pytest.approx(1 + math.log2(4) + 5)
    assert bits(network(thin)).total == pytest.approx(1 + math.log2(4) + 2 * 5)


def test_probabilities_of_all_codes_of_an_alphabet_add_up():
    # Half for the center, 1/32 for the size, one set of levels out of C(2^16, 2).
    total = sum(
        2 ** -bits(network(vector([-1.0, 1.0], symbols))).total
        for symbols in itertools.product(range(3), repeat=4)
    )
    sets = 65536 * 65535 / 2

    assert total * sets == pytest.approx(1 / 64, rel=1e-9)


def test_all_codes_of_a_small_net_have_probability_at_most_one():
    # One number: every alphabet, every set of levels, every symbol.
    total = 2 * sum(
        math.comb(65536, size - 1)
        * Fraction(2 ** -bits(network(vector(range(1, size), [symbol]))).total)
        for size in range(1, 33)
        for symbol in range(size)
    )

    assert float(total) == pytest.approx(1, rel=1e-6)


def test_symbols_are_numbers_added_to_the_center():
    start = {"b": np.array([1.0, 2.0, 3.0], np.float32)}

    found = decoded(network(vector([-0.5, 0.25], [2, 0, 1])), start)

    assert found["b"].dtype == np.float32
    assert found["b"].tolist() == [1.25, 2.0, 2.5]


def test_a_product_is_the_rounded_exact_sum():
    rng = np.random.default_rng(0)
    levels = np.unique(rng.normal(size=6).astype(np.float16))
    left, right = (rng.integers(0, len(levels) + 1, size) for size in (4 * 3, 3 * 5))
    coded = CodedTensor("w", (4, 5), 3, (block(levels, left), block(levels, right)))
    numbers = [Fraction(0), *map(Fraction, levels.astype(float).tolist())]
    a = [[numbers[left[3 * i + k]] for k in range(3)] for i in range(4)]
    b = [[numbers[right[5 * k + j]] for j in range(5)] for k in range(3)]
    expected = [
        [
            float(np.float32(float(sum(a[i][k] * b[k][j] for k in range(3)))))
            for j in range(5)
        ]
        for i in range(4)
    ]

    found = decoded(network(coded), {"w": np.zeros((4, 5), np.float32)})["w"]

    assert found.tolist() == expected
