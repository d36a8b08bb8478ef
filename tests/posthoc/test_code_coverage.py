"""Codes chosen after looking at the sample, whose risk is known in closed form."""

import math
from functools import cache

import pytest
import torch

from boundkit.numerics.code_lengths import kt_bits
from boundkit.posthoc.occam import occam
from boundkit.posthoc.quantize import level_bits, quantize

_DELTA = 0.1


@cache
def run(n, d, noise, seed):
    """Return the bound of the best code, without its bits, and the true risk of it.

    Labels are the sign of the first input, flipped with chance ``noise``; inputs are
    normal, so a linear classifier errs with noise + (1 - 2 noise) angle / pi.
    """
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(n, d, generator=g, dtype=torch.float64)
    flip = torch.rand(n, generator=g) < noise
    y = torch.where(flip, -x[:, 0].sign(), x[:, 0].sign())
    w = torch.linalg.lstsq(x, y[:, None]).solution[:, 0]
    tries = []
    for price in (1e-4, 1e-2, 1e-1):
        levels, symbols = quantize(w, torch.ones(d), price)
        h = levels[symbols]
        counts = symbols.bincount(minlength=len(levels)).tolist()
        bits = 5 + level_bits(len(levels) - 1) + kt_bits(counts)
        wrong = int((x @ h * y <= 0).sum())
        tries.append((occam(wrong, n, bits, _DELTA), occam(wrong, n, 0, _DELTA), h))
    bound, unpaid, h = min(tries, key=lambda each: each[0])
    length = float(h.norm())
    angle = math.acos(max(-1, min(1, float(h[0]) / length))) if length else math.pi / 2
    return bound, unpaid, noise + (1 - 2 * noise) * angle / math.pi


@pytest.mark.parametrize(("n", "d", "noise"), [(60, 5, 0.1), (60, 20, 0.5)])
def test_post_hoc_codes_are_covered(n, d, noise):
    found = [run(n, d, noise, seed) for seed in range(16)]

    assert sum(bound < risk for bound, _, risk in found) <= 1


def test_whoever_does_not_pay_for_bits_is_wrong():
    found = [run(60, 20, 0.5, seed) for seed in range(16)]

    # A tenth is allowed.
    assert sum(unpaid < risk for _, unpaid, risk in found) > 8


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n", "d", "noise"), [(50, 5, 0.1), (50, 20, 0.1), (200, 20, 0.05), (50, 20, 0.5)]
)
def test_post_hoc_codes_are_covered_in_many_runs(n, d, noise):
    found = [run(n, d, noise, 10_000 + seed) for seed in range(1250)]

    assert sum(bound < risk for bound, _, risk in found) <= _DELTA * 1250
