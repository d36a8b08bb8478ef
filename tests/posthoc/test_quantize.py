import math

import numpy as np
import pytest
import torch

from boundkit.numerics.code_lengths import kt_bits
from boundkit.posthoc.quantize import MOST_LEVELS, level_bits, quantize, reassigned


def cost(values, weights, price, levels, symbols):
    lost = ((values - levels[symbols]).square() * weights).sum() / 2
    counts = symbols.bincount(minlength=len(levels)).tolist()
    nats = math.log(2) * (level_bits(len(levels) - 1) + kt_bits(counts))
    return float(lost) + price * nats


def normal(size, seed=0):
    return torch.randn(size, generator=torch.Generator().manual_seed(seed)).double()


def test_one_level_costs_sixteen_bits():
    assert level_bits(1) == pytest.approx(16, rel=1e-9)


def test_an_unordered_pair_of_levels_costs_less_than_two():
    expected = math.log2(65536 * 65535 / 2)

    assert level_bits(2) == pytest.approx(expected, rel=1e-9)


def test_no_level_costs_nothing():
    assert level_bits(0) == pytest.approx(0, abs=1e-9)


def test_few_numbers_are_kept_exactly_at_a_low_price():
    distinct = torch.tensor([0.0, 0.5, -1.25], dtype=torch.float64)
    values = distinct[
        torch.randint(3, (500,), generator=torch.Generator().manual_seed(1))
    ]

    levels, symbols = quantize(values, torch.ones(500), 1e-9)

    assert torch.equal(levels[symbols], values)


def test_a_high_price_leaves_zero_alone():
    levels, symbols = quantize(normal(300), torch.ones(300), 1e6)

    assert levels.tolist() == [0.0]
    assert int(symbols.sum()) == 0


@pytest.mark.parametrize("price", [1e-6, 1e-4, 1e-2])
def test_levels_are_half_precision_increasing_and_in_use(price):
    levels, symbols = quantize(normal(2000) * 0.1, torch.ones(2000), price)
    others = levels[1:]

    assert levels[0] == 0
    assert torch.equal(others.half().double(), others)
    assert bool((others.diff() > 0).all())
    assert bool((others != 0).all())
    assert len(levels) <= MOST_LEVELS
    assert set(range(1, len(levels))) <= set(symbols.tolist())


def test_a_higher_price_buys_fewer_bits():
    values, weights = normal(3000), torch.ones(3000)

    def bits(price):
        levels, symbols = quantize(values, weights, price)
        counts = symbols.bincount(minlength=len(levels)).tolist()
        return level_bits(len(levels) - 1) + kt_bits(counts)

    found = [bits(price) for price in (1e-4, 1e-3, 1e-2, 1e-1)]

    assert found == sorted(found, reverse=True)
    assert found[0] > 1.5 * found[-1]


def test_uniform_levels_of_no_number_are_much_better():
    values, weights, price = normal(1000), torch.ones(1000).double(), 0.02
    reached = cost(values, weights, price, *quantize(values, weights, price))
    for count in range(1, 32):
        grid = torch.linspace(-3, 3, count, dtype=torch.float64).half().double()
        levels = torch.cat([torch.zeros(1, dtype=torch.float64), grid[grid != 0]])
        nearest = (values[:, None] - levels).abs().argmin(1)

        assert reached < 1.02 * cost(values, weights, price, levels, nearest)


def test_weights_say_which_numbers_must_be_kept():
    values = torch.cat([torch.full((10,), 3.0), normal(500) * 0.5]).double()
    weights = torch.cat([torch.full((10,), 1e3), torch.full((500,), 1e-6)])

    levels, symbols = quantize(values, weights, 1e-2)

    assert levels[symbols][:10].tolist() == [3.0] * 10
    assert int((symbols[10:] > 0).sum()) == 0


def test_huge_numbers_stay_finite():
    levels, _ = quantize(torch.tensor([1e30, -1e30, 1.0]), torch.ones(3), 1e-9)

    assert bool(levels.isfinite().all())


def test_without_weights_there_is_still_a_code():
    levels, symbols = quantize(normal(50), torch.zeros(50), 1e-3)

    assert levels.tolist() == [0.0]
    assert len(symbols) == 50


def test_symbols_follow_numbers_to_the_cheapest_level():
    levels = torch.tensor([0.0, 1.0])
    values = torch.tensor([0.05, 0.95, 0.6, 1.1])

    found = reassigned(values, torch.ones(4), 1e-6, levels, torch.tensor([0, 1, 0, 1]))

    assert found.tolist() == [0, 1, 1, 1]


def test_a_price_favors_the_frequent_symbol():
    levels = torch.tensor([0.0, 1.0])
    former = torch.tensor([0] * 99 + [1])
    values = torch.full((100,), 0.6)

    found = reassigned(values, torch.ones(100), 1.0, levels, former)

    assert int(found.sum()) == 0


def test_symbols_stay_on_the_device_of_the_numbers():
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode():
        values = torch.empty(64, device="cuda")
        levels = torch.empty(5, device="cuda")
        symbols = torch.empty(64, dtype=torch.int64, device="cuda")
        found = reassigned(values, values, 1e-3, levels, symbols)

    assert found.device.type == "cuda"
    assert found.shape == (64,)


def test_level_bits_are_a_binomial_coefficient():
    from scipy.special import gammaln

    expected = (gammaln(65537) - gammaln(18) - gammaln(65536 - 17 + 1)) / np.log(2)

    assert level_bits(17) == pytest.approx(expected, rel=1e-9)
