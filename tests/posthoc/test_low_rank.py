import numpy as np
import pytest
import torch

from boundkit.posthoc.low_rank import factored


def case(seed=0, rows=5, columns=9):
    g = torch.Generator().manual_seed(seed)
    weight = torch.randn(rows, columns, generator=g, dtype=torch.float64)
    inputs = torch.randn(200, columns, generator=g, dtype=torch.float64)
    inputs *= torch.linspace(0.1, 3, columns, dtype=torch.float64)
    return weight, inputs.mT @ inputs / 200


@pytest.mark.parametrize("rank", [1, 2, 4])
def test_no_product_of_that_rank_changes_outputs_less(rank):
    weight, moment = case()
    root = torch.linalg.cholesky(moment)
    singular = torch.linalg.svdvals(weight @ root)

    left, right = factored(weight, moment, rank)
    lost = (weight - left @ right) @ root

    expected = singular[rank:].square().sum()
    torch.testing.assert_close(lost.square().sum(), expected, rtol=1e-10, atol=0)


def test_the_full_rank_is_exact():
    weight, moment = case()
    left, right = factored(weight, moment, 5)

    torch.testing.assert_close(left @ right, weight, rtol=1e-12, atol=1e-12)


def test_both_factors_are_of_one_size():
    left, right = factored(*case(), 3)

    np.testing.assert_allclose(left.norm(dim=0), right.norm(dim=1), rtol=1e-12)


def test_a_matrix_of_zeros_stays_finite():
    _, moment = case()
    left, right = factored(torch.zeros(5, 9), moment, 2)

    assert bool((left @ right == 0).all())


def test_factors_stay_on_the_device():
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode():
        weight = torch.empty(5, 9, device="cuda")
        left, right = factored(weight, torch.empty(9, 9, device="cuda"), 2)

    assert left.device.type == right.device.type == "cuda"
    assert (left.shape, right.shape) == ((5, 2), (2, 9))
