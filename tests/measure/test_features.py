"""Moments of a running net's features equal those computed sample by sample."""

from dataclasses import fields

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from boundkit.data import open_data
from boundkit.errors import DataError, ModelError
from boundkit.measure.evidence import evidence
from boundkit.measure.features import collected
from boundkit.numerics.class_moments import ClassMoments


def _net(outputs=3, dtype=torch.float64):
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(6, 8), nn.ReLU(), nn.Dropout(), nn.Linear(8, outputs)
    ).to(dtype)


def _sample(classes=3, n=101):
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(n, 6, generator=generator, dtype=torch.float64)
    return x, torch.randint(0, classes, (n,), generator=generator)


def _collected(net, x, y, **settings):
    return collected(net, open_data((x, y)), "3", device="cpu", **settings)


def _assert_moments(found, features, labels, classes):
    h = features.detach().double().numpy()
    y = labels.numpy()
    mean = np.stack([h[y == c].mean(0) for c in range(classes)])
    off = h - mean[y]
    np.testing.assert_array_equal(found.count, np.bincount(y, minlength=classes))
    np.testing.assert_allclose(found.mean, mean, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(found.within, off.T @ off, rtol=1e-10, atol=1e-11)
    spread = [np.square(off[y == c]).sum() for c in range(classes)]
    np.testing.assert_allclose(found.spread, spread, rtol=1e-12)


def test_moments_and_evidence_come_of_one_pass():
    net, (x, y) = _net(), _sample()

    found = _collected(net, x, y, batch_size=16)

    _assert_moments(found.moments, net[:2](x), y, 3)
    expected = evidence(net, open_data((x, y)), device="cpu")
    np.testing.assert_allclose(found.evidence.margins, expected.margins, rtol=1e-12)
    assert found.passes == 1
    assert found.is_output
    assert torch.equal(found.head.weight, net[3].weight.detach())
    assert net[2].training


def test_agreement_is_that_of_every_distance_computed():
    net, (x, y) = _net(), _sample()

    found = _collected(net, x, y).agreement

    h, mean = net[:2](x).detach().numpy(), []
    mean = np.stack([h[y == c].mean(0) for c in range(3)])
    nearest = np.linalg.norm(h[:, None] - mean, axis=2).argmin(1)
    f = (net[3](net[:2](x))).detach()
    decided, unbiased = f.argmax(1).numpy(), (f - net[3].bias).argmax(1).numpy()
    for counts, wrong in (
        (found.nearest_errors, nearest != y.numpy()),
        (found.net_errors, decided != y.numpy()),
        (found.mismatches, decided != nearest),
        (found.mismatches_unbiased, unbiased != nearest),
    ):
        assert counts.tolist() == np.bincount(y[wrong], minlength=3).tolist()
    lengths = np.linalg.norm(h - mean[y], axis=1)
    expected = np.bincount(y, lengths, minlength=3)
    np.testing.assert_allclose(found.to_mean, expected, rtol=1e-12)


def test_a_second_pass_gives_what_kept_features_give():
    net, (x, y) = _net(), _sample()

    kept = _collected(net, x, y)
    again = _collected(net, x, y, memory=100)

    assert (kept.passes, again.passes) == (1, 2)
    for field in fields(kept.agreement):
        one, two = (getattr(c.agreement, field.name) for c in (kept, again))
        assert torch.equal(one, two)


@pytest.mark.parametrize("size", [1, 13, 101])
def test_neither_batches_nor_order_matter(size):
    net, (x, y) = _net(), _sample()
    order = torch.randperm(len(y), generator=torch.Generator().manual_seed(2))

    found = _collected(net, x[order], y[order], batch_size=size).moments

    expected = _collected(net, x, y).moments
    for name in ("count", "mean", "spread", "within"):
        one, other = getattr(found, name), getattr(expected, name)
        scale = float(other.abs().max())
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-10 * scale)


@pytest.mark.parametrize("negative", [-1, 0])
def test_one_output_tells_two_classes(negative):
    net, (x, y) = _net(1), _sample(2)

    found = _collected(net, x, torch.where(y == 0, negative, 1))

    _assert_moments(found.moments, net[:2](x), y, 2)
    wrong = (net.eval()(x)[:, 0] > 0).long() != y
    expected = torch.bincount(y[wrong], minlength=2).tolist()
    assert found.agreement.net_errors.tolist() == expected
    assert found.head.weight.shape == (1, 8)


def test_a_held_out_sample_is_compared_with_the_training_means():
    net, (x, y) = _net(), _sample()
    train = _collected(net, x[:60], y[:60])

    found = _collected(net, x[60:], y[60:], reference=train.moments, memory=0)

    assert found.passes == 1
    _assert_moments(found.moments, net[:2](x[60:]), y[60:], 3)
    h = net[:2](x[60:]).detach()
    nearest = torch.cdist(h, train.moments.mean).argmin(1)
    expected = torch.bincount(y[60:][nearest != y[60:]], minlength=3).tolist()
    assert found.agreement.nearest_errors.tolist() == expected


def test_half_precision_nets_add_up_in_double():
    net, (x, y) = _net(dtype=torch.bfloat16), _sample()

    found = _collected(net, x, y, batch_size=101).moments

    assert found.within.dtype == torch.float64
    _assert_moments(found, net[:2](x.bfloat16()), y, 3)


def test_a_stream_is_read_as_long_as_it_lasts():
    net, (x, y) = _net(), _sample()

    class Stream(torch.utils.data.IterableDataset):
        def __iter__(self):
            return iter(zip(x, y, strict=True))

    found = collected(net, open_data(DataLoader(Stream(), 7)), "3", device="cpu")

    _assert_moments(found.moments, net[:2](x), y, 3)


def test_what_follows_the_head_is_noticed():
    net, (x, y) = nn.Sequential(*_net(), nn.LogSoftmax(1)), _sample()

    found = _collected(net, x, y)

    assert not found.is_output
    assert found.agreement.net_errors.sum() == (net.eval()(x).argmax(1) != y).sum()


def test_features_that_are_overwritten_later_are_kept():
    class Overwriting(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(6, 8), nn.Linear(8, 3)

        def forward(self, x):
            h = self.a(x)
            f = self.b(h)
            h.zero_()
            return f

    net, (x, y) = Overwriting().double(), _sample()

    found = collected(net, open_data((x, y)), "b", device="cpu")

    _assert_moments(found.moments, net.a(x), y, 3)


def test_a_convolution_as_head_takes_flat_features():
    net = nn.Sequential(nn.Unflatten(1, (6, 1, 1)), nn.Conv2d(6, 3, 1)).double()
    x, y = _sample()

    found = collected(net, open_data((x, y)), "1", device="cpu")

    _assert_moments(found.moments, x, y, 3)
    assert found.head.weight.shape == (3, 6)


def test_a_layer_that_runs_twice_has_no_features():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Linear(6, 6)

        def forward(self, x):
            return self.a(self.a(x))

    x, y = _sample()

    with pytest.raises(ModelError, match="'a' ran 2 times as a module for one batch"):
        collected(Twice().double(), open_data((x, y)), "a", device="cpu")


def test_a_layer_with_another_number_of_outputs_is_no_head():
    x, y = _sample()

    with pytest.raises(ModelError, match=r"'0' gives shape \(101, 8\) but the net"):
        collected(_net(), open_data((x, y)), "0", device="cpu")


def test_labels_out_of_range_are_named():
    x, y = _sample()
    y[77] = 3

    with pytest.raises(DataError, match=r"y\[77\] is 3"):
        _collected(_net(), x, y, batch_size=16)


def test_progress_counts_both_passes():
    told = []
    x, y = _sample()

    _collected(
        _net(), x, y, batch_size=60, memory=0, progress=lambda *a: told.append(a)
    )

    assert told == [
        (60, 101, "forward pass"),
        (101, 101, "forward pass"),
        (60, 101, "pass 2"),
        (101, 101, "pass 2"),
    ]


def test_two_loaders_of_the_same_data_agree_with_the_states_added_by_hand():
    net, (x, y) = _net(), _sample()
    loader = DataLoader(TensorDataset(x, y), batch_size=9)

    found = collected(net, open_data(loader), "3", device="cpu").moments

    with torch.inference_mode():
        h = net[:2](x)
    expected = ClassMoments.of(h, y, 3)
    np.testing.assert_allclose(found.within, expected.within, rtol=1e-10, atol=1e-11)


def _wide(monkeypatch, width=7):
    monkeypatch.setattr("boundkit.measure.feature_watch.WIDE", width)


@pytest.mark.parametrize(("memory", "passes"), [(2**20, 1), (0, 2)])
def test_wide_features_are_scattered_in_a_span(monkeypatch, memory, passes):
    net, (x, y) = _net(), _sample(n=301)
    net = nn.Sequential(nn.Linear(6, 20), nn.ReLU(), nn.Dropout(), nn.Linear(20, 3))
    net, seen = net.double(), []
    expected = _collected(net, x, y)
    _wide(monkeypatch)

    found = _collected(
        net, x, y, memory=memory, batch_size=32, progress=lambda *at: seen.append(at)
    )

    assert found.passes == passes
    assert len({label for *_, label in seen}) == passes
    basis = found.moments.basis
    assert basis.shape == (20, 5)
    np.testing.assert_allclose(
        found.moments.within, basis.mT @ expected.moments.within @ basis, rtol=1e-9,
        atol=1e-10,
    )  # fmt: skip
    for name in ("count", "mean", "spread"):
        one, other = getattr(found.moments, name), getattr(expected.moments, name)
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-13)
    for field in fields(expected.agreement):
        one, other = (getattr(c.agreement, field.name) for c in (found, expected))
        np.testing.assert_allclose(one, other, rtol=1e-11)


@pytest.mark.parametrize("memory", [2**20, 0])
def test_few_wide_features_are_known_in_all_directions(monkeypatch, memory):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(6, 40), nn.ReLU(), nn.Dropout(), nn.Linear(40, 3))
    net, (x, y) = net.double(), _sample(n=30)
    expected = _collected(net, x, y).moments
    _wide(monkeypatch)

    found = _collected(net, x, y, memory=memory).moments

    assert found.complete
    np.testing.assert_allclose(
        found.basis @ found.within @ found.basis.mT, expected.within, atol=1e-11
    )


@pytest.mark.parametrize("memory", [2**20, 0])
def test_wide_held_out_features_are_compared_with_the_training_means(
    monkeypatch, memory
):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(6, 20), nn.ReLU(), nn.Dropout(), nn.Linear(20, 3))
    net, (x, y) = net.double(), _sample(n=301)
    train = _collected(net, x[:200], y[:200]).moments
    expected = _collected(net, x[200:], y[200:], reference=train)
    _wide(monkeypatch)

    found = _collected(net, x[200:], y[200:], reference=train, memory=memory)

    for field in fields(expected.agreement):
        one, other = (getattr(c.agreement, field.name) for c in (found, expected))
        np.testing.assert_allclose(one, other, rtol=1e-11)
    np.testing.assert_allclose(found.moments.mean, expected.moments.mean, rtol=1e-11)
    np.testing.assert_allclose(
        found.moments.spread, expected.moments.spread, rtol=1e-11
    )


@pytest.mark.parametrize("memory", [2**20, 0])
def test_too_many_classes_for_a_span_are_scattered_everywhere(monkeypatch, memory):
    net, (x, y) = _net(), _sample()
    _wide(monkeypatch)

    found = _collected(net, x, y, memory=memory, batch_size=16)

    _assert_moments(found.moments, net[:2](x), y, 3)
    assert found.passes == (1 if memory else 2)
