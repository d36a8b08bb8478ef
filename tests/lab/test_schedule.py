import pytest
import torch

from boundkit.lab.schedule import rate_at


def test_cosine_is_that_of_torch():
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 20)

    for epoch in range(20):
        expected = optimizer.param_groups[0]["lr"]
        assert rate_at(epoch, 20, 0.3, "cosine") == pytest.approx(expected, rel=1e-12)
        optimizer.step()
        schedule.step()


def test_steps_are_at_each_third():
    found = [rate_at(epoch, 9, 1.0, "step") for epoch in range(9)]

    assert found == [1, 1, 1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.01]


def test_constant_is_constant():
    assert {rate_at(epoch, 9, 0.7, "constant") for epoch in range(9)} == {0.7}
