"""A second reading equals the whole space, in any split, and in float32 nearly so."""

import numpy as np
import pytest
import torch

from boundkit.numerics import known_means
from boundkit.numerics.class_moments import ClassMoments
from boundkit.numerics.known_means import KnownMeans
from boundkit.numerics.nearest import Centers, agreement
from boundkit.numerics.second_reading import in_range
from boundkit.numerics.span import directions


def _sample(classes, width, n=300, offset=0.0, noise=1.0, dtype=torch.float32):
    generator = torch.Generator().manual_seed(0)
    y = torch.randint(0, classes, (n,), generator=generator)
    means = 3 * torch.randn(classes, width, generator=generator, dtype=torch.float64)
    off = torch.randn(n, width, generator=generator, dtype=torch.float64)
    return (means[y] + noise * off + offset).to(dtype), y


def _layer(basis, classes, width):
    generator = torch.Generator().manual_seed(1)
    weight = torch.randn(classes, width, generator=generator, dtype=torch.float64)
    if basis is not None:
        weight = weight @ basis @ basis.mT
    return weight, torch.randn(classes, generator=generator, dtype=torch.float64)


def _read(sums, h, y, *, step=111, **counted):
    total, outputs = None, []
    for low in range(0, len(h), step):
        seen, out = sums.add(h[low : low + step], y[low : low + step])
        total = seen if total is None else total + seen
        outputs.append(out)
    count = torch.bincount(y, minlength=len(sums.mean)).double()
    outputs = None if outputs[0] is None else torch.cat(outputs)
    return sums.finished(count, **counted), total, outputs


def _basis(moments, *, narrow):
    return directions(moments.mean, moments.count, None) if narrow else None


# Up to 32 classes means are subtracted by products; 64 directions and more are
# multiplied many samples at a time.
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("narrow", [True, False])
@pytest.mark.parametrize(("classes", "width"), [(4, 30), (40, 100), (70, 150)])
def test_sums_equal_those_of_the_whole_space(classes, width, narrow, dtype):
    h, y = _sample(classes, width, 900, dtype=dtype)
    whole = ClassMoments.of(h, y, classes)
    basis = _basis(whole, narrow=narrow)
    weight, bias = _layer(basis, classes, width)
    sums = KnownMeans.empty(whole.mean, whole.count, basis, weight, bias)

    found, total, given = _read(sums, h, y)

    inside = torch.eye(width).double() if basis is None else basis
    within = inside.mT @ whole.within @ inside
    scale = float(within.abs().max())
    np.testing.assert_allclose(found.within, within, rtol=1e-11, atol=1e-12 * scale)
    np.testing.assert_allclose(found.spread, whole.spread, rtol=1e-12)
    outputs = h.double() @ weight.mT + bias
    np.testing.assert_allclose(given, outputs, atol=1e-9)
    centers = Centers.of(whole.mean, whole.count)
    expected = agreement(centers, h, y, outputs.argmax(1), (outputs - bias).argmax(1))
    for name in ("count", "nearest_errors", "nearest_ties", "net_errors", "mismatches"):
        assert getattr(total, name).tolist() == getattr(expected, name).tolist()
    assert total.mismatches_unbiased.tolist() == expected.mismatches_unbiased.tolist()
    np.testing.assert_allclose(total.to_mean, expected.to_mean, rtol=1e-12)
    np.testing.assert_allclose(total.to_center, expected.to_center, rtol=1e-12)


@pytest.mark.parametrize("narrow", [True, False])
@pytest.mark.parametrize("offset", [0, 1e5])
def test_neither_batches_nor_shares_matter(offset, narrow):
    h, y = _sample(4, 30, offset=offset)
    moments = ClassMoments.of(h, y, 4)
    basis = _basis(moments, narrow=narrow)

    def read(rows, step):
        sums = KnownMeans.empty(moments.mean, moments.count, basis)
        return _read(sums, h[rows], y[rows], step=step)

    one, seen, _ = read(slice(None), 300)
    for step in (1, 7, 100):
        other, agreed, _ = read(slice(None), step)
        np.testing.assert_allclose(other.within, one.within, rtol=1e-10, atol=1e-9)
        np.testing.assert_allclose(agreed.to_center, seen.to_center, rtol=1e-10)
    (first, left, _), (last, right, _) = read(slice(90), 40), read(slice(90, None), 40)
    merged = first + last
    np.testing.assert_allclose(merged.within, one.within, rtol=1e-10, atol=1e-9)
    np.testing.assert_allclose(merged.spread, one.spread, rtol=1e-10)
    assert (left + right).nearest_errors.tolist() == seen.nearest_errors.tolist()


@pytest.mark.parametrize("narrow", [True, False])
@pytest.mark.parametrize("offset", [0.0, 1e3, 1e5])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("classes", "width"), [(4, 60), (40, 100), (3, 5000)])
def test_single_products_are_off_by_a_millionth(classes, width, dtype, offset, narrow):
    if width == 5000 and not narrow:
        width = 400
    h, y = _sample(classes, width, 1000, offset=offset, dtype=dtype)
    exact = ClassMoments.of(h[:, :1], y, classes)
    sums = torch.zeros(classes, width, dtype=torch.float64).index_add_(0, y, h.double())
    mean = sums / exact.count.unsqueeze(1)
    basis = directions(mean, exact.count, None) if narrow else None
    weight, bias = _layer(basis, classes, width)
    options = (mean, exact.count, basis, weight, bias)

    low, agreed, given = _read(
        KnownMeans.empty(*options, precision="single", dtype=dtype), h, y
    )
    high, expected, outputs = _read(KnownMeans.empty(*options), h, y)

    assert low.within.dtype == low.spread.dtype == given.dtype == torch.float64
    scale = float(high.within.diagonal().max())
    np.testing.assert_allclose(low.within, high.within, rtol=0, atol=2e-6 * scale)
    traces = [float(one.within.trace()) for one in (low, high)]
    np.testing.assert_allclose(*traces, rtol=1e-6)
    np.testing.assert_allclose(low.spread, high.spread, rtol=1e-6)
    assert low.mean is mean
    # The average distance to a rounded mean is off by the square of that.
    rtol = 2e-5 if offset == 1e5 else 1e-6
    np.testing.assert_allclose(agreed.to_mean, expected.to_mean, rtol=rtol)
    np.testing.assert_allclose(agreed.to_center, expected.to_center, rtol=rtol)
    size = float(outputs.sub(weight @ mean.mean(0) + bias).abs().max())
    np.testing.assert_allclose(given, outputs, rtol=0, atol=5e-6 * size)
    assert agreed.nearest_errors.tolist() == expected.nearest_errors.tolist()
    assert agreed.mismatches.tolist() == expected.mismatches.tolist()


def _ties(classes, width, n, near):
    """Return samples half way between two means, up to ``near`` of the way."""
    generator = torch.Generator().manual_seed(3)
    means = torch.randn(classes, width, generator=generator, dtype=torch.float64)
    y = torch.arange(n) % classes
    step = 1 + torch.arange(n) // classes % (classes - 1)
    other = (y + step) % classes
    share = 0.5 + near * torch.randn(n, 1, generator=generator, dtype=torch.float64)
    return means, means[y] + share * (means[other] - means[y]), y


# With few samples all means are compared in float64, with many in float32 before.
@pytest.mark.parametrize("n", [60, 3000])
@pytest.mark.parametrize("near", [0.0, 1e-15, 1e-9, 1e-7, 1e-4])
@pytest.mark.parametrize("precision", ["double", "single"])
@pytest.mark.parametrize("narrow", [True, False])
def test_near_ties_are_decided_as_in_float64(narrow, precision, near, n):
    means, h, y = _ties(12, 200, n, near)
    count = torch.ones(12, dtype=torch.float64)
    basis = directions(means, count, None) if narrow else None
    sums = KnownMeans.empty(means, count, basis, precision=precision, dtype=h.dtype)

    _, found, _ = _read(sums, h, y, step=1000)

    expected = agreement(Centers.of(means, count), h, y)
    assert found.nearest_errors.tolist() == expected.nearest_errors.tolist()
    assert found.nearest_ties.tolist() == expected.nearest_ties.tolist()
    ties = {0.0: n, 1e-15: n, 1e-7: 0, 1e-4: 0}
    assert expected.nearest_ties.sum() == ties.get(near, expected.nearest_ties.sum())


@pytest.mark.parametrize("outputs", [1, 5])
@pytest.mark.parametrize("near", [1e-13, 1e-9, 1e-7, 1e-5])
def test_outputs_that_are_nearly_equal_are_decided_as_in_float64(near, outputs):
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(outputs, 40, generator=generator, dtype=torch.float64)
    bias = torch.randn(outputs, generator=generator, dtype=torch.float64)
    h = torch.randn(500, 40, generator=generator, dtype=torch.float64)
    # To where the first two outputs, or the only one and 0, are equal; then away.
    normal = weight[0] if outputs == 1 else weight[0] - weight[1]
    level = bias[0] if outputs == 1 else bias[0] - bias[1]
    h -= ((h @ normal + level) / normal.square().sum()).unsqueeze(1) * normal
    h += near * torch.randn(500, 1, generator=generator).double() * normal
    y = torch.arange(500) % 2
    mean = torch.stack([h[y == c].mean(0) for c in range(2)])
    count = torch.full((2,), 250.0, dtype=torch.float64)
    sums = KnownMeans.empty(
        mean, count, None, weight, bias, precision="single", dtype=h.dtype
    )

    _, found, _ = _read(sums, h, y)

    exact = h @ weight.mT + bias
    decided = exact.argmax(1) if outputs > 1 else (exact.squeeze(1) > 0).long()
    wrong = torch.bincount(y[decided != y], minlength=2)
    assert found.net_errors.tolist() == wrong.tolist()


@pytest.mark.parametrize("scale", [1e-30, 1e-16, 1e16, 1e25])
def test_products_that_overflow_or_vanish_are_not_trusted(scale):
    h, y = _sample(3, 20)
    h = (h.double() * scale).float()
    moments = ClassMoments.of(h, y, 3)

    low, high = (
        _read(
            KnownMeans.empty(
                moments.mean, moments.count, None, precision=one, dtype=h.dtype
            ),
            h,
            y,
        )[0]
        for one in ("single", "double")
    )

    assert not in_range(low)
    np.testing.assert_allclose(high.spread, moments.spread, rtol=1e-12)


def test_ordinary_moments_are_in_range():
    assert in_range(ClassMoments.of(*_sample(3, 20), 3))


def test_classes_without_any_spread_have_none_in_single_precision():
    y = torch.arange(60) % 3
    h = (1e3 + torch.randn(3, 20))[y]
    moments = ClassMoments.of(h, y, 3)
    sums = KnownMeans.empty(
        moments.mean, moments.count, None, precision="single", dtype=h.dtype
    )

    found, agreed, _ = _read(sums, h, y)

    assert found.spread.tolist() == [0, 0, 0]
    assert not agreed.nearest_errors.any()


def test_products_of_fewer_digits_are_not_taken(monkeypatch):
    monkeypatch.setattr(known_means, "keeps_digits", lambda _: False)
    mean = torch.zeros(2, 3, dtype=torch.float64)

    sums = KnownMeans.empty(
        mean, torch.ones(2), None, precision="single", dtype=torch.float32
    )

    assert sums.off.dtype == torch.float64


def test_autocast_changes_nothing():
    h, y = _sample(4, 100)
    moments = ClassMoments.of(h, y, 4)
    options = {"precision": "single", "dtype": h.dtype}
    bare = _read(KnownMeans.empty(moments.mean, moments.count, None, **options), h, y)

    with torch.autocast("cpu", torch.bfloat16):
        sums = KnownMeans.empty(moments.mean, moments.count, None, **options)
        under = _read(sums, h, y)

    assert torch.equal(bare[0].within, under[0].within)


@pytest.mark.parametrize("narrow", [True, False])
def test_nothing_leaves_the_device(narrow):
    mean = torch.zeros(3, 40, dtype=torch.float64, device="meta")
    count = torch.ones(3, device="meta")
    basis = torch.zeros(40, 5, dtype=torch.float64, device="meta") if narrow else None
    sums = KnownMeans.empty(mean, count, basis, mean, count.double())
    labels = torch.zeros(9, dtype=torch.int64, device="meta")

    found, outputs = sums.add(torch.zeros(9, 40, device="meta"), labels)

    assert outputs.device.type == found.to_center.device.type == "meta"
    assert sums.finished(count).within.device.type == "meta"
