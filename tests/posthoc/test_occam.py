import itertools
import math

import pytest

from boundkit.numerics.binomial_tail import log_binomial_tail
from boundkit.posthoc.occam import nats_of, occam, relaxed


def test_without_errors_it_has_a_closed_form():
    expected = 1 - (0.05 * 2.0**-40) ** (1 / 1000)

    assert occam(0, 1000, 40, 0.05) == pytest.approx(expected, abs=2e-9)


def test_without_bits_it_is_the_test_set_bound():
    assert occam(50, 1000, 0, 0.05) == pytest.approx(0.06286340, abs=2e-8)


def test_a_tail_far_below_the_smallest_float():
    # 6000 errors of 60000 at 9000 nats in all; a tail that underflows gives .23.
    bits = (9000 + math.log(0.05)) / math.log(2)

    assert occam(6000, 60000, bits, 0.05) == pytest.approx(0.33354317, abs=1e-7)
    assert relaxed(6000, 60000, bits, 0.05) == pytest.approx(0.33362193, abs=1e-7)


@pytest.mark.parametrize("errors", [0, 1, 30, 499])
@pytest.mark.parametrize("bits", [0, 7.5, 300])
def test_the_exact_tail_is_never_above_its_relaxation(errors, bits):
    assert occam(errors, 500, bits, 0.05) <= relaxed(errors, 500, bits, 0.05)


def test_more_bits_and_more_errors_cost():
    found = [occam(k, 400, b, 0.05) for k, b in ((3, 10), (3, 20), (4, 20), (40, 20))]

    assert found == sorted(found)
    assert found[0] < found[-1]


def test_nothing_but_errors_proves_nothing():
    assert occam(10, 10, 5, 0.05) == 1.0


def test_nats_are_rounded_up():
    assert nats_of(10) >= 10 * math.log(2)
    assert nats_of(10) == pytest.approx(10 * math.log(2), rel=1e-8)


@pytest.mark.parametrize("risk", [0.05, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("bits", [0, 3, 12])
def test_one_network_violates_it_with_no_more_than_its_share(risk, bits):
    # Exactly: the chance of so few errors that the bound is below the true risk.
    n, delta = 60, 0.05
    fooled = [k for k in range(n + 1) if occam(k, n, bits, delta) < risk]
    chance = math.exp(log_binomial_tail(max(fooled), n, risk)) if fooled else 0.0

    assert chance <= delta * 2.0**-bits


def test_the_best_of_all_networks_is_covered_exactly():
    # All 16 functions of four equally likely points, labels that are noisy: every sample
    # of four points.
    noise = 0.3
    outcomes = [(x, y) for x in range(4) for y in (0, 1)]
    chance = {(x, y): 0.25 * (noise if y else 1 - noise) for x, y in outcomes}
    functions = list(itertools.product((0, 1), repeat=4))
    risks = [sum(noise if not v else 1 - noise for v in f) / 4 for f in functions]
    bounds = [occam(k, 4, 4, 0.4) for k in range(5)]
    free = [occam(k, 4, 0, 0.4) for k in range(5)]
    failed = unpaid = 0.0
    for sample in itertools.product(outcomes, repeat=4):
        weight = math.prod(chance[s] for s in sample)
        errors = [sum(f[x] != y for x, y in sample) for f in functions]
        pairs = list(zip(errors, risks, strict=True))
        failed += weight * any(bounds[e] < r for e, r in pairs)
        unpaid += weight * any(free[e] < r for e, r in pairs)

    assert failed <= 0.4
    # Whoever does not pay for the choice is wrong too often.
    assert unpaid > 0.4
