"""Features less the mean of their class, however many classes and at what precision."""

import numpy as np
import pytest
import torch

from boundkit.numerics.centering import Centering, row_lengths


@pytest.mark.parametrize("classes", [3, 33])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16])
@pytest.mark.parametrize("work", [torch.float32, torch.float64])
def test_differences_are_those_of_each_row(classes, dtype, work):
    generator = torch.Generator().manual_seed(0)
    mean = torch.randn(classes, 9000, generator=generator, dtype=torch.float64)
    y = torch.randint(0, classes, (41,), generator=generator)
    h = (mean[y] + torch.randn(41, 9000, generator=generator)).to(dtype)
    pivot = mean.float() if dtype == work == torch.float32 else mean
    off = torch.empty(41, 9000, dtype=work)

    sizes = Centering.of(pivot, work).apply(h, y, off)

    expected = h.double() - pivot.double()[y]
    rtol = 1e-6 if work == torch.float32 else 1e-14
    np.testing.assert_allclose(off, expected, rtol=rtol, atol=1e-7)
    np.testing.assert_allclose(sizes, expected.norm(dim=1), rtol=rtol)
    if work == torch.float64:
        assert torch.equal(off, expected)


@pytest.mark.parametrize("classes", [3, 33])
def test_room_for_a_part_is_used_again(classes):
    generator = torch.Generator().manual_seed(0)
    mean = torch.randn(classes, 700, generator=generator, dtype=torch.float64)
    y = torch.randint(0, classes, (500,), generator=generator)
    h, basis = torch.randn(500, 700), torch.randn(700, 2, dtype=torch.float64)
    centering = Centering.of(mean, torch.float64)
    assert centering.rows < 250
    off = torch.empty(centering.rows, 700, dtype=torch.float64)
    out = torch.empty(500, 2, dtype=torch.float64)

    sizes = centering.apply(h, y, off, basis, out)

    expected = h.double() - mean[y]
    np.testing.assert_allclose(sizes, expected.norm(dim=1), rtol=1e-13)
    np.testing.assert_allclose(out, expected @ basis, rtol=1e-11, atol=1e-11)


def test_lengths_of_long_rows_keep_their_digits():
    rows = torch.rand(2, 1_000_001, generator=torch.Generator().manual_seed(0))

    np.testing.assert_allclose(
        row_lengths(rows), rows.double().norm(dim=1), rtol=2e-7, atol=0
    )
