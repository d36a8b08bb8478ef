"""Half of the products give the whole matrix."""

import numpy as np
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


def test_it_stays_on_the_gpu():
    with FakeTensorMode():
        total = torch.zeros(2, 2, dtype=torch.float64, device="cuda")
        add_outer(total, torch.zeros(3, 2, dtype=torch.float64, device="cuda"))

    assert symmetric(total).device.type == "cuda"
