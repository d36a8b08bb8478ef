"""Moments of rows: against numpy, however they are split, and on any device."""

import numpy as np
import pytest
import torch
from torch._subclasses import FakeTensorMode

from boundkit.measure.noise.moments import Deviations, Moments

ROWS = torch.randn(
    12, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64
)


def merged(splits, rows=ROWS):
    parts = [Moments.of({"a": part}) for part in torch.split(rows, splits)]
    total = parts[0]
    for part in parts[1:]:
        total += part
    return total


@pytest.mark.parametrize("splits", [[12], [1] * 12, [5, 7], [1, 10, 1]])
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_every_split_gives_the_moments_of_all(splits, offset):
    rows = ROWS + offset
    found = merged(splits, rows)

    assert found.count == 12
    np.testing.assert_allclose(found.mean["a"], rows.numpy().mean(0), rtol=1e-12)
    # An offset of 1e6 leaves 10 digits of the deviations.
    np.testing.assert_allclose(
        found.scatter["a"], 12 * rows.numpy().var(0).sum(), rtol=1e-9
    )


def test_merging_does_not_depend_on_the_order():
    one, two = Moments.of({"a": ROWS[:5]}), Moments.of({"a": ROWS[5:]})

    torch.testing.assert_close(
        (one + two).mean, (two + one).mean, rtol=1e-14, atol=1e-16
    )


def test_deviations_are_those_from_the_mean_in_order():
    mean, weight = {"a": ROWS.mean(0)}, {"a": torch.arange(5.0, dtype=torch.float64)}
    found = Deviations.of({"a": ROWS[:4]}, mean, weight)
    found += Deviations.of({"a": ROWS[4:]}, mean, weight)
    apart = (ROWS - ROWS.mean(0)).numpy()

    for pieces, expected in (
        (found.squares, (apart**2).sum(1)),
        (found.along, apart @ ROWS.mean(0).numpy()),
        (found.across, apart @ np.arange(5.0)),
    ):
        np.testing.assert_allclose(torch.cat(pieces["a"]), expected, rtol=1e-12)


def test_nothing_leaves_the_device():
    with FakeTensorMode():
        rows = {"a": torch.empty(3, 5, device="cuda", dtype=torch.float64)}
        total = Moments.of(rows) + Moments.of(rows)
        apart = Deviations.of(rows, total.mean, total.mean)

        assert total.scatter["a"].device.type == "cuda"
        assert (apart + apart).along["a"][1].device.type == "cuda"
