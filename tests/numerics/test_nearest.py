"""Nearest class means, ties, and distances, against every distance computed."""

import numpy as np
import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from boundkit.numerics.largest import decision
from boundkit.numerics.nearest import Centers, agreement


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


def _near_ties(n, near):
    generator = torch.Generator().manual_seed(4)
    means = torch.randn(40, 60, generator=generator, dtype=torch.float64) + 5
    y = torch.arange(n) % 40
    share = 0.5 - near * torch.rand(n, 1, generator=generator, dtype=torch.float64)
    return means, means[y] + share * (means[(y + 1) % 40] - means[y]), y


@pytest.mark.parametrize("near", [0.0, 1e-13, 1e-10, 1e-6, 1e-3, 0.5])
def test_what_is_clear_or_screened_is_what_all_distances_say(near):
    means, h, y = _near_ties(4000, near)
    centers = _centers(means)
    placed = h - centers.origin
    right, tied = centers._compared(placed)
    lengths = (h - means[y]).norm(dim=1)

    clear = centers.clearly_own(y, lengths, torch.zeros(4000))
    found, sure = centers.screened(placed, torch.zeros(4000))

    assert torch.equal(right[clear], y[clear])
    assert torch.equal(right[sure], found[sure])
    assert not tied[clear].any()
    assert not tied[sure].any()
    if near == 0.5:
        assert clear.double().mean() > 0.8
        assert sure.all()


def test_errors_of_places_make_less_certain():
    means, h, y = _near_ties(4000, 0.5)
    centers = _centers(means)
    lengths, errors = (h - means[y]).norm(dim=1), torch.full((4000,), 100.0)

    assert not centers.clearly_own(y, lengths, errors).any()
    assert not centers.screened(h - centers.origin, errors)[1].any()


@pytest.mark.parametrize("scale", [1e-40, 1e30, 1e200])
def test_sizes_that_float32_has_not_are_not_screened(scale):
    means, h, _ = _near_ties(4000, 0.5)
    centers = _centers(means * scale)

    assert centers.screened(h * scale - centers.origin, torch.zeros(4000)) is None


def test_few_products_and_rounded_ones_are_not_screened(monkeypatch):
    means, h, _ = _near_ties(4000, 0.5)
    centers = _centers(means)
    placed, none = h - centers.origin, torch.zeros(4000)

    assert centers.screened(placed[:9], none[:9]) is None
    monkeypatch.setattr("boundkit.numerics.nearest.keeps_digits", lambda _: False)
    assert centers.screened(placed, none) is None


def test_a_class_alone_and_one_without_samples_are_apart_from_none():
    means = [[0.0, 0.0], [3.0, 4.0], [9.0, 9.0]]

    assert _centers(means[:1]).apart.tolist() == [torch.inf]
    centers = _centers(means, torch.tensor([1, 1, 0]))
    np.testing.assert_allclose(centers.apart, [5, 5, 0], rtol=1e-10)


@pytest.mark.parametrize("scale", [1.0, 1e-12])
def test_distances_between_many_means_are_never_above_the_true_ones(scale):
    generator = torch.Generator().manual_seed(0)
    means = torch.randn(300, 100, generator=generator, dtype=torch.float64) * scale
    means[7] = means[8] + 1e-4 * scale
    exact = torch.cdist(means, means, compute_mode="donot_use_mm_for_euclid_dist")
    exact = exact.fill_diagonal_(torch.inf).amin(1)

    found = _centers(means).apart

    assert (found <= exact).all()
    far = exact > scale
    np.testing.assert_allclose(found[far], exact[far], rtol=2e-3)
    assert far.sum() == 298


def test_of_very_many_classes_no_distances_are_kept(monkeypatch):
    monkeypatch.setattr("boundkit.numerics.nearest._CLASSES", 2)

    assert _centers([[0.0], [1.0], [9.0]]).apart.tolist() == [0, 0, 0]


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
