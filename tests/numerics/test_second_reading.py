"""Quick sums equal careful ones, and where they would not, the careful ones are taken."""

from functools import partial

import numpy as np
import pytest
import torch

from boundkit.numerics.class_moments import ClassMoments
from boundkit.numerics.known_means import KnownMeans
from boundkit.numerics.second_reading import second_reading
from boundkit.numerics.span import directions

CLASSES, WIDTH, N = 4, 60, 1200


def _sample(offset=0.0, noise=1.0, dtype=torch.float32):
    generator = torch.Generator().manual_seed(0)
    y = torch.randint(0, CLASSES, (N,), generator=generator)
    means = 3 * torch.randn(CLASSES, WIDTH, generator=generator, dtype=torch.float64)
    off = torch.randn(N, WIDTH, generator=generator, dtype=torch.float64)
    return (means[y] + noise * off + offset).to(dtype), y


def _layer():
    generator = torch.Generator().manual_seed(1)
    rows = torch.randn(CLASSES, WIDTH, generator=generator, dtype=torch.float64)
    return rows, torch.randn(CLASSES, generator=generator, dtype=torch.float64)


def _read(h, y, *, step=100, quick=None, layer=(None, None), **options):
    """Return the reading, and how many batches were read for it."""
    means = ClassMoments.of(h, y, CLASSES)
    basis = directions(means.mean, means.count, layer[0])
    read = []

    def batches():
        for low in range(0, len(h), step):
            read.append(low)
            yield h[low : low + step], y[low : low + step]

    def empty(**given):
        chosen = given if quick is None else given | {"quick": quick}
        return KnownMeans.empty(
            means.mean, means.count, basis, *layer, **chosen, **options
        )

    found = second_reading(empty, batches, lambda outputs, _: outputs[:, 0])
    assert found is not None
    return found, len(read)


def _moments(found):
    return found.sums.finished(found.agreed.count.double())


@pytest.mark.parametrize(("precision", "rtol"), [("double", 1e-11), ("single", 2e-6)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_quick_sums_equal_careful_ones(dtype, precision, rtol):
    h, y = _sample(dtype=dtype)
    options = {"precision": precision, "layer": _layer()}

    found, read = _read(h, y, **options)
    careful, _ = _read(h, y, quick=False, layer=_layer())

    assert found.sums.projection is not None
    assert read == N // 100
    whole = ClassMoments.of(h, y, CLASSES)
    seen, expected = _moments(found), _moments(careful)
    inside = expected.basis.mT @ whole.within @ expected.basis
    np.testing.assert_allclose(expected.within, inside, rtol=1e-11, atol=1e-9)
    scale = float(expected.within.diagonal().max())
    np.testing.assert_allclose(seen.within, expected.within, rtol=0, atol=rtol * scale)
    np.testing.assert_allclose(seen.spread, expected.spread, rtol=rtol)
    for name in ("to_mean", "to_center"):
        one, other = (getattr(x.agreed, name) for x in (found, careful))
        np.testing.assert_allclose(one, other, rtol=rtol)
    for name in ("count", "nearest_errors", "nearest_ties", "net_errors", "mismatches"):
        one, other = (getattr(x.agreed, name) for x in (found, careful))
        assert one.tolist() == other.tolist()
    margins = [torch.cat(x.margins) for x in (found, careful)]
    np.testing.assert_allclose(*margins, rtol=0, atol=10 * rtol * scale**0.5)


@pytest.mark.property
@pytest.mark.parametrize("offset", [0.0, 3.0])
def test_neither_batches_nor_order_matter(offset):
    h, y = _sample(offset)
    first = _moments(_read(h, y)[0])
    mixed = torch.randperm(N, generator=torch.Generator().manual_seed(5))
    for step, rows in ((7, slice(None)), (999, mixed), (N, mixed)):
        found, _ = _read(h[rows], y[rows], step=step)
        other = _moments(found)
        assert found.sums.projection is not None
        np.testing.assert_allclose(other.spread, first.spread, rtol=1e-12)
        # Signs and turns of the basis follow the rounding of means.
        one, two = (np.linalg.eigvalsh(x.within) for x in (first, other))
        np.testing.assert_allclose(two, one, rtol=1e-11)


@pytest.mark.parametrize("precision", ["double", "single"])
@pytest.mark.parametrize(("offset", "noise"), [(1e5, 1.0), (0.0, 1e-4), (30.0, 1e-2)])
def test_what_lies_far_from_the_origin_is_read_with_care(offset, noise, precision):
    h, y = _sample(offset, noise, torch.float64)

    found, read = _read(h, y, precision=precision)

    assert found.sums.projection is None
    # The first batch tells.
    assert read == 1 + N // 100
    whole = ClassMoments.of(h, y, CLASSES)
    rtol = 1e-9 if precision == "double" else 2e-6
    np.testing.assert_allclose(_moments(found).spread, whole.spread, rtol=rtol)


def test_a_sample_at_its_mean_is_found_at_the_end():
    h, y = _sample()
    h, y = h[y == 0][:50].double(), y[:50].zero_()
    # The last sample of a second class lies where its mean does.
    generator = torch.Generator().manual_seed(2)
    other = torch.randn(50, WIDTH, generator=generator, dtype=torch.float64)
    other[:-1] -= other[:-1].mean(0)
    other[-1] = 0.0
    h, y = torch.cat([h, other + 5]), torch.cat([y, y + 1])

    found, read = _read(h, y, step=10)

    assert found.sums.projection is None
    assert read == 20
    whole = ClassMoments.of(h, y, CLASSES)
    np.testing.assert_allclose(_moments(found).spread, whole.spread, rtol=1e-12)


def test_directions_without_scatter_are_found_at_the_end():
    h, y = _sample(dtype=torch.float64)
    means = ClassMoments.of(h, y, CLASSES)
    across = directions(means.mean, means.count, None)
    # What the basis sees becomes 1e-6 of what it was.
    off = h - means.mean[y]
    h = h - (1 - 1e-6) * (off @ across @ across.mT)

    found, read = _read(h, y)

    assert found.sums.projection is None
    assert read == 2 * N // 100
    inside = (h - ClassMoments.of(h, y, CLASSES).mean[y]) @ found.sums.basis
    np.testing.assert_allclose(
        np.linalg.eigvalsh(_moments(found).within),
        np.linalg.eigvalsh(inside.mT @ inside),
        rtol=1e-7,
    )


def test_squares_that_overflow_are_read_with_care():
    h, y = _sample(dtype=torch.float64)
    found, _ = _read(h * 1e160, y)
    assert found.sums.projection is None


def test_no_batches_are_no_reading():
    mean, count = torch.eye(3).double(), torch.ones(3).double()
    empty = partial(KnownMeans.empty, mean, count, None)
    assert second_reading(empty, list) is None
