"""Fixed preprocessing."""

import pytest
import torch

from boundkit.data.preprocessing import (
    centered,
    checked_center,
    checked_norm,
    unit,
)
from boundkit.errors import DataError


def test_samples_of_any_size_get_norm_one_and_zero_stays_zero():
    x = torch.tensor([[3e-30, 4e-30], [3e18, 4e18], [0.0, 0.0]])

    expected = torch.tensor([[0.6, 0.8], [0.6, 0.8], [0.0, 0.0]])
    torch.testing.assert_close(unit(x), expected, rtol=1e-6, atol=0)


def test_the_center_is_taken_off_each_sample_in_its_dtype():
    found = centered(torch.ones(2, 3), torch.arange(3.0, dtype=torch.float64))

    assert found.dtype == torch.float32
    assert found.tolist() == [[1, 0, -1]] * 2


def test_declarations_that_mean_nothing_are_refused():
    with pytest.raises(DataError, match="normalize is 'max'; the only known"):
        checked_norm("max", "d")
    with pytest.raises(DataError, match=r"center has shape \(2,\) but a sample has"):
        checked_center(torch.zeros(2), (3,), "d")
