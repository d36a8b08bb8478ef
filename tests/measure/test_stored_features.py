"""Statistics of stored features equal those computed sample by sample."""

import numpy as np
import pytest
import torch

from boundkit.data.features import features_of
from boundkit.errors import DataError
from boundkit.measure.stored_features import feature_statistics


def _sample(n=700, classes=4, width=30, offset=0.0):
    generator = torch.Generator().manual_seed(0)
    y = torch.randint(0, classes, (n,), generator=generator)
    means = 2 * torch.randn(classes, width, generator=generator)
    h = (means[y] + torch.randn(n, width, generator=generator) + offset).float()
    weight = means + torch.randn(classes, width, generator=generator)
    return h, y, weight, torch.randn(classes, generator=generator)


def _nc1(moments):
    """Return tr(Sigma_W Sigma_B^+) from finished moments, whole or in a basis."""
    centered = moments.mean - moments.mean.mean(0)
    if moments.basis is not None:
        centered = centered @ moments.basis
    between = centered.mT @ centered / len(centered)
    within = moments.within / moments.count.sum()
    inverse = torch.linalg.pinv(between, hermitian=True, rtol=1e-10)
    return float(torch.trace(within @ inverse))


def _reference(h, y, classes):
    wide, labels = h.double().numpy(), y.numpy()
    mean = np.stack([wide[labels == c].mean(0) for c in range(classes)])
    off = wide - mean[labels]
    between = np.zeros((h.shape[1],) * 2)
    for row in mean - mean.mean(0):
        between += np.outer(row, row) / classes
    within = sum(np.outer(row, row) for row in off) / len(off)
    return float(np.trace(within @ np.linalg.pinv(between, 1e-10))), mean, off


@pytest.mark.parametrize("scatter", ["whole", "span"])
def test_nc1_equals_that_of_a_loop_over_samples(scatter):
    h, y, weight, bias = _sample()

    found = feature_statistics(features_of(h, y, weight, bias), scatter=scatter)

    expected, mean, off = _reference(h, y, 4)
    np.testing.assert_allclose(_nc1(found.moments), expected, rtol=1e-10)
    np.testing.assert_allclose(found.moments.mean, mean, rtol=1e-10, atol=1e-12)
    spread = np.bincount(y, np.square(off).sum(1))
    np.testing.assert_allclose(found.moments.spread, spread, rtol=1e-12)
    assert (found.moments.basis is None) == (scatter == "whole")


@pytest.mark.parametrize("scatter", ["whole", "span"])
def test_decisions_and_margins_equal_those_of_a_loop(scatter):
    h, y, weight, bias = _sample()

    found = feature_statistics(features_of(h, y, weight, bias), scatter=scatter)

    _, mean, off = _reference(h, y, 4)
    wide = h.double()
    outputs = wide @ weight.double().mT + bias.double()
    nearest = torch.cdist(wide, torch.as_tensor(mean)).argmin(1)
    own = outputs.gather(1, y.unsqueeze(1))
    others = outputs.scatter(1, y.unsqueeze(1), -torch.inf).amax(1)
    np.testing.assert_allclose(found.margins, own.squeeze(1) - others, atol=1e-10)
    for counts, wrong in (
        (found.agreement.nearest_errors, nearest != y),
        (found.agreement.net_errors, outputs.argmax(1) != y),
        (found.agreement.mismatches, outputs.argmax(1) != nearest),
    ):
        assert counts.tolist() == torch.bincount(y[wrong], minlength=4).tolist()
    lengths = np.bincount(y, np.linalg.norm(off, axis=1))
    np.testing.assert_allclose(found.agreement.to_mean, lengths, rtol=1e-12)
    center = np.linalg.norm(wide.numpy() - mean.mean(0), axis=1)
    np.testing.assert_allclose(
        found.agreement.to_center, np.bincount(y, center), rtol=1e-12
    )


@pytest.mark.parametrize("scatter", ["whole", "span"])
def test_nc1_survives_an_offset_of_a_hundred_thousand_deviations(scatter):
    h, y, *_ = _sample(offset=1e5)

    found = feature_statistics(features_of(h, y), scatter=scatter)

    expected, *_ = _reference(h, y, 4)
    # The bar is 1e-5; float64 leaves eps times the offset.
    np.testing.assert_allclose(_nc1(found.moments), expected, rtol=1e-8)


@pytest.mark.parametrize("scatter", ["whole", "span"])
@pytest.mark.parametrize("offset", [0.0, 1e5])
def test_single_precision_is_off_by_a_millionth(scatter, offset):
    stored = features_of(*_sample(offset=offset))

    low, high = (
        feature_statistics(stored, scatter=scatter, precision=one)
        for one in ("single", "double")
    )

    # Stored as float32, so far out, features have lost digits before they are read.
    rtol = 1e-6 if offset == 0 else 1e-5
    np.testing.assert_allclose(_nc1(low.moments), _nc1(high.moments), rtol=rtol)
    assert torch.equal(low.moments.mean, high.moments.mean)
    np.testing.assert_allclose(low.margins, high.margins, rtol=0, atol=1e-4)
    for name in ("nearest_errors", "net_errors", "mismatches", "mismatches_unbiased"):
        one, other = (getattr(each.agreement, name) for each in (low, high))
        assert one.tolist() == other.tolist()


@pytest.mark.parametrize("scatter", ["whole", "span"])
def test_what_single_precision_cannot_hold_is_read_in_double(scatter):
    h, y, *_ = _sample()
    stored = features_of((h.double() * 1e-25).float(), y)

    low, high = (
        feature_statistics(stored, scatter=scatter, precision=one)
        for one in ("single", "double")
    )

    assert torch.equal(low.moments.within, high.moments.within)


def test_features_too_large_to_be_added_up_are_an_error():
    h = torch.full((9, 2), 1e308, dtype=torch.float64)

    with pytest.raises(DataError, match="<features>: h is too large to be added up"):
        feature_statistics(features_of(h, torch.arange(9) % 2))


@pytest.mark.parametrize("scatter", ["whole", "span"])
def test_order_does_not_matter(scatter):
    h, y, weight, bias = _sample(n=3000)
    order = torch.randperm(len(y), generator=torch.Generator().manual_seed(1))

    one, other = (
        feature_statistics(features_of(*rows, weight, bias), scatter=scatter)
        for rows in ((h, y), (h[order], y[order]))
    )

    np.testing.assert_allclose(_nc1(one.moments), _nc1(other.moments), rtol=1e-10)
    assert one.agreement.mismatches.tolist() == other.agreement.mismatches.tolist()


def test_without_a_layer_there_are_no_margins():
    h, y, *_ = _sample()

    for scatter in ("whole", "span"):
        found = feature_statistics(features_of(h, y), scatter=scatter)
        assert found.margins is found.head is found.agreement.mismatches is None


def test_where_the_span_is_no_smaller_the_scatter_is_whole():
    h, y, *_ = _sample(classes=9, width=16)

    found = feature_statistics(features_of(h, y), scatter="span")

    assert found.moments.basis is None
    assert found.moments.within.shape == (16, 16)


@pytest.mark.parametrize("scatter", ["whole", "span"])
def test_broken_samples_are_named(scatter):
    h, y, weight, _ = _sample()
    h[33, 1], h[600, 2] = torch.nan, torch.inf

    found = feature_statistics(features_of(h, y, weight), scatter=scatter)

    assert found.broken == (33, 600)
    assert found.agreement is found.margins is None
    assert not found.moments.mean.isfinite().all()


def test_only_the_first_broken_samples_are_named():
    h, y, *_ = _sample()
    h[20:] = torch.nan

    assert feature_statistics(features_of(h, y)).broken == tuple(range(20, 30))


def test_a_class_without_samples_stays_empty():
    h, y, *_ = _sample()
    y = torch.where(y == 2, 1, y)

    for scatter in ("whole", "span"):
        found = feature_statistics(features_of(h, y), scatter=scatter)
        assert found.moments.count[2] == 0
        assert not found.moments.mean[2].any()
        assert found.agreement.count.tolist() == torch.bincount(y).tolist()


def test_features_that_end_early_are_an_error():
    h, y, *_ = _sample()
    whole = features_of(h, y)
    short = type(whole)(
        "f.npz", 700, 30, y, 4, lambda start, stop, n: iter([h[start:100]])
    )

    with pytest.raises(DataError, match=r"f\.npz: h ends after 100 rows"):
        feature_statistics(short)


def test_progress_counts_every_reading():
    h, y, *_ = _sample()
    told = []

    feature_statistics(features_of(h, y), progress=lambda *a: told.append(a))

    assert {label for *_, label in told} == {"class means", "scatter"}
    assert told[-1] == (700, 700, "scatter")


def test_few_samples_are_known_in_all_directions():
    h, y, weight, bias = _sample(n=20)
    stored = features_of(h, y, weight, bias)

    found = feature_statistics(stored, scatter="span")

    whole = feature_statistics(stored, scatter="whole").moments
    basis = found.moments.basis
    assert found.moments.complete
    np.testing.assert_allclose(
        basis @ found.moments.within @ basis.mT, whole.within, rtol=1e-9, atol=1e-11
    )


def test_wide_features_are_scattered_in_a_span(monkeypatch):
    monkeypatch.setattr("boundkit.measure.stored_features.WIDE", 29)
    h, y, weight, bias = _sample()

    found = feature_statistics(features_of(h, y, weight, bias))

    assert found.moments.basis.shape == (30, 7)


def test_broken_samples_are_named_without_a_scatter():
    h, y, *_ = _sample()
    h[[5, 123]] = torch.nan

    found = feature_statistics(features_of(h, y), scatter="span")

    assert found.broken == (5, 123)
    assert found.moments.within.numel() == 0
    assert found.agreement is None
