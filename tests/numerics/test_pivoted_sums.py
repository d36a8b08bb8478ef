"""One pass with a pivot per class is as good as two passes."""

import numpy as np
import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from boundkit.numerics.class_moments import ClassMoments
from boundkit.numerics.pivoted_sums import PivotedSums


def _one_pass(h, y, classes, size):
    sums = PivotedSums.empty(classes, h.shape[1])
    for rows in torch.arange(len(y)).split(size):
        sums.add(h[rows], y[rows])
    return sums.finished()


def _two_passes(h, y, classes):
    """Return spread and scatter in extended precision, sample by sample."""
    wide = h.double().numpy().astype(np.longdouble)
    labels = y.numpy()
    means = np.stack([wide[labels == c].mean(0) for c in range(classes)])
    off = wide - means[labels]
    squares = (off**2).sum(1)
    spread = np.array([squares[labels == c].sum() for c in range(classes)])
    return means.astype(float), spread.astype(float), (off.T @ off).astype(float)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("size", [1, 37, 500])
def test_moments_equal_those_of_two_passes(dtype, size):
    generator = torch.Generator().manual_seed(0)
    y = torch.randint(0, 5, (500,), generator=generator)
    h = torch.randn(500, 8, generator=generator) + 10 * y.unsqueeze(1)
    h = h.to(dtype)

    found = _one_pass(h, y, 5, size)

    mean, spread, within = _two_passes(h, y, 5)
    np.testing.assert_allclose(found.mean, mean, rtol=1e-13)
    np.testing.assert_allclose(found.spread, spread, rtol=1e-12)
    np.testing.assert_allclose(found.within, within, rtol=1e-11, atol=1e-10)


def test_an_offset_of_a_hundred_thousand_deviations_costs_nothing():
    generator = torch.Generator().manual_seed(0)
    y = torch.arange(2000) % 4
    means = 1e5 * torch.randn(4, 6, generator=generator)
    # Float32 features that round to 2^-7: what is summed is what they are.
    h = (means[y] + torch.randn(2000, 6, generator=generator)).float()

    found = _one_pass(h, y, 4, 64)

    _, spread, within = _two_passes(h, y, 4)
    np.testing.assert_allclose(found.spread, spread, rtol=1e-12)
    np.testing.assert_allclose(found.within.trace(), np.trace(within), rtol=1e-12)


def test_collapsed_classes_have_no_scatter_at_all():
    y = torch.tensor([2, 0, 2, 2, 0])
    h = torch.tensor([[0.1, 7.3], [9.9, 1e9], [5.5, 3.1]])[y]

    found = _one_pass(h, y, 3, 2)

    assert found.count.tolist() == [2, 0, 3]
    assert found.spread.tolist() == [0, 0, 0]
    assert not found.within.any()
    assert found.mean.tolist() == [h[1].tolist(), [0, 0], h[0].tolist()]


def test_sums_of_two_processes_add_up():
    generator = torch.Generator().manual_seed(0)
    y = torch.randint(0, 3, (90,), generator=generator)
    h = torch.randn(90, 4, generator=generator) + 1e4

    found = _one_pass(h[:31], y[:31], 3, 8) + _one_pass(h[31:], y[31:], 3, 8)

    expected = ClassMoments.of(h, y, 3)
    np.testing.assert_allclose(found.spread, expected.spread, rtol=1e-10)
    np.testing.assert_allclose(found.within, expected.within, rtol=1e-9, atol=1e-9)


def test_nothing_leaves_the_gpu():
    with FakeTensorMode():
        sums = PivotedSums.empty(3, 4, "cuda")
        h = torch.zeros(8, 4, device="cuda", dtype=torch.bfloat16)
        sums.add(h, torch.zeros(8, device="cuda", dtype=torch.int64))
        found = sums.finished()

    assert found.within.device.type == found.mean.device.type == "cuda"
    assert found.within.dtype == torch.float64
