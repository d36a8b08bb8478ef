"""Sums over a sample that bounds ask for."""

import numpy as np
import pytest
import torch

from boundkit.measure.sample_sums import Sums


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_alignment_is_the_inner_product_with_centered_targets(classes):
    generator = torch.Generator().manual_seed(0)
    outputs = torch.randn(20, classes, generator=generator)
    labels = torch.randint(0, classes, (20,), generator=generator)
    x = torch.ones(20, 1)

    found = Sums.of(x[:7], outputs[:7], labels[:7], None)
    found += Sums.of(x[7:], outputs[7:], labels[7:], None)

    targets = np.full((20, classes), -1 / (classes - 1))
    targets[np.arange(20), labels] = 1
    wide = outputs.double().numpy()
    expected = [(wide * targets).sum(), np.square(wide).sum()]
    np.testing.assert_allclose(found.aligned, expected, rtol=1e-12)


def test_one_output_is_aligned_with_its_sign():
    outputs = torch.tensor([[2.0], [-3.0], [0.5]])

    found = Sums.of(torch.ones(3, 1), outputs, torch.tensor([1, -1, -1]), None)

    assert found.aligned.tolist() == [2 + 3 - 0.5, 4 + 9 + 0.25]


def test_margins_in_one_piece_are_the_same_margins():
    outputs, labels = torch.tensor([[2.0], [-3.0]]), torch.tensor([1, -1])
    one = Sums.of(torch.ones(2, 1), outputs, labels, None)

    packed = (one + one).packed()

    assert [m.tolist() for m in packed.margins] == [[2, 3, 2, 3]]
