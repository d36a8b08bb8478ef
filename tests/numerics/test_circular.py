"""Convolutions on a torus against their matrices."""

import math

import numpy as np
import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn import functional

from boundkit.errors import UsageError
from boundkit.numerics.circular import _frequencies, circular_singular_values

CASES = [
    # kernel, sizes, stride, dilation, groups, out, in
    ((3, 3), (6, 5), (1, 1), (1, 1), 1, 3, 2),
    ((3, 3), (6, 8), (2, 2), (1, 1), 1, 4, 4),
    ((2, 3), (6, 6), (1, 3), (2, 1), 2, 4, 2),
    ((3,), (7,), (1,), (2,), 1, 3, 5),
    ((1, 2, 2), (3, 4, 2), (1, 2, 1), (1, 1, 1), 1, 2, 2),
    ((3, 3), (6, 4), (3, 2), (1, 1), 1, 2, 3),
    ((2, 2), (4, 4), (4, 4), (1, 1), 1, 3, 2),
    ((3,), (3,), (1,), (1,), 4, 4, 4),
]


@pytest.mark.parametrize("case", CASES)
def test_the_whole_spectrum_is_that_of_the_matrix(case):
    kernel, sizes, stride, dilation, groups, out, inner = case
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(
        out, inner // groups, *kernel, dtype=torch.float64, generator=generator
    )
    count = inner * math.prod(sizes)
    basis = torch.eye(count, dtype=torch.float64).reshape(count, inner, *sizes)
    pad = []
    for taps, wide in zip(reversed(kernel), reversed(dilation), strict=True):
        pad += [0, wide * (taps - 1)]
    apply = getattr(functional, f"conv{len(kernel)}d")
    padded = functional.pad(basis, pad, mode="circular")
    unrolled = apply(padded, weight, stride=stride, dilation=dilation, groups=groups)
    exact = torch.linalg.svdvals(unrolled.flatten(1).T)

    found = circular_singular_values(
        weight, sizes, stride=stride, dilation=dilation, groups=groups
    )

    assert len(found) <= len(exact)
    np.testing.assert_allclose(found, exact[: len(found)], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(exact[len(found) :], 0, atol=1e-12)


def test_energy_is_that_of_the_kernel_at_every_position():
    weight = torch.randn(5, 3, 3, 3, generator=torch.Generator().manual_seed(1))
    found = circular_singular_values(weight, (8, 9))

    assert found.dtype == torch.float32
    np.testing.assert_allclose(
        float(found.double().square().sum()),
        72 * float(weight.double().square().sum()),
        rtol=1e-5,  # float32
    )


def test_large_maps_lose_no_digits():
    generator = torch.Generator().manual_seed(2)
    weight = torch.randn(2, 1, 5, dtype=torch.float64, generator=generator)
    size = 10_007
    hat = torch.fft.fft(weight[:, 0], n=size)
    exact = torch.sort(torch.linalg.vector_norm(hat, dim=0), descending=True).values

    found = circular_singular_values(weight, (size,))

    np.testing.assert_allclose(found, exact, rtol=1e-13)


def test_it_stays_on_the_device_of_the_weight():
    with FakeTensorMode():
        weight = torch.empty(4, 4, 3, 3, device="cuda")
        found = circular_singular_values(weight, (8, 8), stride=(2, 2))

        assert found.device.type == "cuda"


@pytest.mark.parametrize(("sizes", "stride"), [((5, 6), (2, 1)), ((2, 6), (1, 1))])
def test_sizes_that_do_not_fit_are_refused(sizes, stride):
    with pytest.raises(UsageError, match="sizes must be multiples of the stride"):
        circular_singular_values(torch.zeros(2, 2, 3, 3), sizes, stride=stride)


@pytest.mark.parametrize("coarse", [(7,), (6, 5), (3, 4, 2), (1, 1), (2, 2), (14, 14)])
def test_one_of_each_pair_of_mirrored_frequencies(coarse):
    kept, twice = _frequencies(coarse, torch.device("cpu"))
    mirrored = torch.remainder(-kept, torch.tensor(coarse))
    places = [tuple(f) for f in kept.tolist()]
    others = [tuple(f) for f in mirrored.tolist()]

    assert len({*places, *others[:twice]}) == len(places) + twice == math.prod(coarse)
    assert places[twice:] == others[twice:]


def test_values_have_derivatives():
    weight = torch.randn(3, 3, 3, 3, generator=torch.Generator().manual_seed(3))
    weight.requires_grad_()
    circular_singular_values(weight, (6, 6)).square().sum().backward()

    # The squares sum up to those of the weight at all positions.
    np.testing.assert_allclose(weight.grad, 72 * weight.detach(), rtol=1e-3, atol=1e-3)
