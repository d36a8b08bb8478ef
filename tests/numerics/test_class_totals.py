"""Sums per class are those of a loop over classes."""

import numpy as np
import torch

from boundkit.numerics.class_totals import ClassTotals


def _sample(dtype=torch.float32):
    generator = torch.Generator().manual_seed(0)
    h = (torch.randn(50, 6, generator=generator) + 100).to(dtype)
    return h, torch.randint(0, 3, (50,), generator=generator)


def test_means_are_those_of_each_class():
    h, y = _sample()
    totals = ClassTotals.empty(4, 6)

    for low in (0, 17, 34):
        totals.add(h[low : low + 17], y[low : low + 17])

    expected = [h[y == c].double().mean(0).numpy() for c in range(3)]
    np.testing.assert_allclose(totals.mean[:3], np.stack(expected), rtol=1e-14)
    assert totals.mean[3].tolist() == [0] * 6
    assert totals.count.tolist() == [*torch.bincount(y).tolist(), 0]


def test_disjoint_samples_add_up():
    h, y = _sample(torch.bfloat16)
    parts = [ClassTotals.empty(3, 6) for _ in range(3)]
    parts[0].add(h, y)
    parts[1].add(h[:20], y[:20])
    parts[2].add(h[20:], y[20:])

    both = parts[1] + parts[2]

    assert torch.equal(both.count, parts[0].count)
    np.testing.assert_allclose(both.sums, parts[0].sums, rtol=1e-14)


def test_a_device_is_never_waited_for_nor_left():
    with torch._subclasses.FakeTensorMode():
        totals = ClassTotals.empty(3, 6, "cuda")
        totals.add(
            torch.randn(5, 6, device="cuda"), torch.zeros(5, dtype=int, device="cuda")
        )
        assert {totals.mean.device.type, totals.count.device.type} == {"cuda"}
