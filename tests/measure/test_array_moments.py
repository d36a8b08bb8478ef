"""Moments of arrays: whole, in a span, and all of it where samples are few."""

import numpy as np
import pytest
import torch

from boundkit.measure import array_moments as module
from boundkit.measure.array_moments import array_moments
from boundkit.numerics.class_moments import ClassMoments


def _sample(n, width=40):
    generator = torch.Generator().manual_seed(0)
    y = torch.randint(0, 3, (n,), generator=generator)
    means = 2 * torch.randn(3, width, generator=generator)
    return (means[y] + torch.randn(n, width, generator=generator)).float(), y


@pytest.mark.parametrize("batch_size", [7, 1000])
@pytest.mark.parametrize("n", [25, 300])
def test_every_scatter_is_part_of_the_whole(n, batch_size):
    h, y = _sample(n)
    weight = torch.randn(3, 40, dtype=torch.float64)
    expected = ClassMoments.of(h, y, 3)

    for scatter in ("whole", "span", "auto"):
        found, _ = array_moments(
            h, y, 3, weight, batch_size=batch_size, scatter=scatter
        )

        basis = torch.eye(40).double() if found.basis is None else found.basis
        within = basis.mT @ expected.within @ basis
        np.testing.assert_allclose(found.within, within, rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(found.mean, expected.mean, rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(found.spread, expected.spread, rtol=1e-12)
        assert found.count.tolist() == expected.count.tolist()
        assert (found.basis is not None) == (scatter == "span")
        assert found.complete == (scatter == "span" and n == 25)


def test_wide_features_are_scattered_in_a_span(monkeypatch):
    monkeypatch.setattr(module, "WIDE", 39)
    h, y = _sample(300)

    assert array_moments(h, y, 3, batch_size=64)[0].basis.shape == (40, 2)
    whole, _ = array_moments(h, y, 3, batch_size=64, scatter="whole")
    assert whole.within.shape == (40, 40)


def test_with_too_many_classes_for_a_span_the_scatter_is_whole():
    h, _ = _sample(300)
    y = torch.arange(300) % 30

    found, _ = array_moments(h, y, 30, batch_size=64, scatter="span")

    assert found.basis is None
    np.testing.assert_allclose(
        found.within, ClassMoments.of(h, y, 30).within, atol=1e-9
    )
