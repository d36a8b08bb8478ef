"""The largest of each row, whichever library finds it."""

import pytest
import torch

from boundkit.numerics.largest import decision, leading


@pytest.mark.parametrize("columns", [2, 10, 64, 300])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_two_largest_of_each_row(columns, dtype):
    rows = torch.randn(50, columns, generator=torch.Generator().manual_seed(0))
    ordered = rows.to(dtype).sort(1, descending=True)

    best, found, second = leading(rows.to(dtype))

    assert torch.equal(best, ordered.values[:, 0])
    assert torch.equal(found, ordered.indices[:, 0])
    assert torch.equal(second, ordered.values[:, 1])


def test_alone_it_has_no_rival():
    assert leading(torch.tensor([[3.0]]))[2].tolist() == [-torch.inf]


@pytest.mark.parametrize("columns", [3, 100])
@pytest.mark.parametrize(
    "dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64]
)
def test_of_equal_outputs_the_first_decides(columns, dtype):
    outputs = torch.zeros(4, columns, dtype=dtype)
    outputs[1, 1:] = 2
    outputs[2, 2] = 1

    assert decision(outputs).tolist() == [0, 1, 2, 0]


def test_outputs_that_need_a_gradient_are_decided():
    assert decision(torch.eye(70, requires_grad=True)).tolist() == list(range(70))
