"""Nearest class means, ties, and distances, against every distance computed."""

import numpy as np
import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from boundkit.numerics.nearest import Centers, agreement, decision


def _centers(means, count=None):
    wide = torch.as_tensor(means, dtype=torch.float64)
    return Centers.of(wide, torch.ones(len(wide)) if count is None else count)


@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_the_nearest_is_the_one_with_the_least_distance(offset):
    generator = torch.Generator().manual_seed(0)
    means = torch.randn(7, 5, generator=generator, dtype=torch.float64) + offset
    h = torch.randn(300, 5, generator=generator, dtype=torch.float64) + offset

    found, tied = _centers(means).nearest(h)

    distances = np.linalg.norm(h.numpy()[:, None] - means.numpy(), axis=2)
    assert found.tolist() == distances.argmin(1).tolist()
    assert not tied.any()


def test_of_equally_near_means_the_lowest_is_taken():
    centers = _centers([[5.0, 1.0], [1.0, 3.0], [-1.0, 3.0], [0.1, -0.9]])
    h = torch.tensor([[0.0, 3.0], [5.0, 1.0], [0.0, 9.0]])

    found, tied = centers.nearest(h)

    assert found.tolist() == [1, 0, 1]
    assert tied.tolist() == [True, False, True]


def test_a_tie_up_to_rounding_is_a_tie_in_every_batch():
    angles = torch.arange(10, dtype=torch.float64) * 0.2 * torch.pi
    centers = _centers(torch.stack([angles.cos(), angles.sin()], 1) / 3 + 0.7)

    # The mean of the means is equally far from all of them.
    h = torch.full((64, 2), 0.7, dtype=torch.float64)

    found, tied = centers.nearest(h)
    alone = [centers.nearest(row.unsqueeze(0))[0].item() for row in h]
    assert tied.all()
    assert found.tolist() == alone == [0] * 64


def test_a_class_without_samples_is_never_the_nearest():
    centers = _centers([[0.0], [1.0], [9.0]], torch.tensor([0, 3, 3]))

    assert centers.nearest(torch.tensor([[0.0], [8.0]]))[0].tolist() == [1, 2]


def test_decisions_of_one_and_of_several_outputs():
    assert decision(torch.tensor([[-1.0], [0.0], [2.0]])).tolist() == [0, 0, 1]
    assert decision(torch.tensor([[1.0, 1.0], [0.0, 3.0]])).tolist() == [0, 1]


def test_agreement_by_hand():
    centers = _centers([[0.0, 0.0], [4.0, 0.0]])
    h = torch.tensor([[1.0, 0.0], [3.0, 0.0], [4.0, 3.0], [2.0, 0.0]])
    labels = torch.tensor([0, 0, 1, 1])
    decided, unbiased = torch.tensor([0, 0, 1, 1]), torch.tensor([1, 1, 1, 1])

    found = agreement(centers, h, labels, decided, unbiased)

    assert found.count.tolist() == [2, 2]
    assert found.nearest_errors.tolist() == [1, 1]
    assert found.nearest_ties.tolist() == [0, 1]
    assert found.net_errors.tolist() == [0, 0]
    assert found.mismatches.tolist() == [1, 1]
    assert found.mismatches_unbiased.tolist() == [1, 1]
    assert found.to_mean.tolist() == [1 + 3, 3 + 2]
    np.testing.assert_allclose(found.to_center, [2, np.hypot(2, 3)], rtol=1e-15)
    assert agreement(centers, h, labels).mismatches is None


def test_nothing_leaves_the_gpu():
    with FakeTensorMode():
        centers = Centers.of(
            torch.zeros(3, 4, dtype=torch.float64, device="cuda"),
            torch.ones(3, device="cuda"),
        )
        labels = torch.zeros(8, dtype=torch.int64, device="cuda")
        found = agreement(
            centers, torch.zeros(8, 4, device="cuda"), labels, labels, labels
        )

    assert found.mismatches.device.type == found.to_mean.device.type == "cuda"
