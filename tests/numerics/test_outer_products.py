"""Half of the products give the whole matrix."""

import numpy as np
import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from boundkit.numerics.outer_products import add_outer, symmetric


def test_sums_of_outer_products_by_hand():
    total = torch.zeros(2, 2, dtype=torch.float64)

    add_outer(total, torch.tensor([[1.0, 2.0]], dtype=torch.float64))
    add_outer(total, torch.tensor([[3.0, -1.0]], dtype=torch.float64))

    assert symmetric(total).tolist() == [[10, -1], [-1, 5]]


def test_rows_may_lie_in_memory_in_any_order():
    rows = torch.randn(5, 40, dtype=torch.float64, generator=torch.manual_seed(0)).mT
    total = torch.zeros(5, 5, dtype=torch.float64)

    add_outer(total, rows)

    np.testing.assert_allclose(symmetric(total), rows.mT @ rows, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("width", [3, 32, 33, 300, 512])
@pytest.mark.parametrize(("dtype", "rtol"), [(torch.float32, 1e-5), (None, 1e-12)])
def test_what_is_added_can_be_subtracted(width, dtype, rtol):
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(70, width, generator=generator).to(dtype or torch.float64)
    total = torch.zeros(width, width, dtype=torch.float64)

    add_outer(total, rows)
    add_outer(total, rows)
    add_outer(total, rows, sign=-1)
    found = symmetric(total)

    exact = rows.double().mT @ rows.double()
    np.testing.assert_allclose(found, exact, rtol=0, atol=rtol * 70)
    assert torch.equal(found, found.mT)
    assert found.data_ptr() != total.data_ptr()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_it_stays_on_the_gpu(dtype):
    with FakeTensorMode():
        total = torch.zeros(2, 2, dtype=torch.float64, device="cuda")
        add_outer(total, torch.zeros(3, 2, dtype=dtype, device="cuda"))

    assert symmetric(total).device.type == "cuda"
