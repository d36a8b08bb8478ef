"""Arrays of any origin in; what does not fit is refused, by name."""

import numpy as np
import pytest
import torch

import boundkit
from boundkit.measure.peeled_arrays import ulpm


def arrays(n=12, width=5, classes=3):
    rng = np.random.default_rng(0)
    return (
        rng.normal(size=(n, width)),
        np.arange(n) % classes,
        rng.normal(size=(classes, width)),
        rng.normal(size=classes),
    )


def test_the_public_name_is_this_function():
    assert boundkit.ulpm is ulpm


@pytest.mark.parametrize("size", [1, 5, 12, 4096])
def test_the_batch_size_does_not_matter(size):
    expected = ulpm(*arrays())

    found = ulpm(*arrays(), batch_size=size)

    assert found.reasons == expected.reasons
    for name in expected.values.keys() - expected.reasons.keys():
        assert found[name] == pytest.approx(expected[name], rel=1e-10), name


def test_lists_arrays_and_tensors_are_alike(tmp_path):
    h, y, w, b = arrays()
    np.save(tmp_path / "h.npy", h)
    forms = [
        (h.tolist(), y.tolist(), w.tolist(), b.tolist()),
        (torch.tensor(h), torch.tensor(y), torch.tensor(w), torch.tensor(b)),
        (np.load(tmp_path / "h.npy", mmap_mode="r"), y, w, b),
        (np.asfortranarray(h), y.astype(np.uint8), w.astype(">f8"), b),
        (h[::-1], y[::-1], w, b),
    ]
    expected = ulpm(h, y, w, b)

    for form in forms:
        found = ulpm(*form)
        # Lists of Python floats come as float64, as the arrays are.
        assert found["loss"] == pytest.approx(expected["loss"], rel=1e-12)


@pytest.mark.parametrize("negative", [-1, 0])
def test_one_output_takes_signs_or_zero_and_one(negative):
    h, _, w, _ = arrays()
    signs = np.where(np.arange(12) % 3, 1, -1)
    margins = signs * (h @ w[0])

    found = ulpm(h, np.where(signs > 0, 1, negative), w[0])

    assert found["least_margin"] == pytest.approx(margins.min(), rel=1e-12)
    assert found["loss"] == pytest.approx(np.log1p(np.exp(-margins)).sum(), rel=1e-12)


def test_a_feature_that_is_not_finite_is_named():
    h, y, w, b = arrays()
    h[7, 2] = np.nan

    with pytest.raises(boundkit.DataError, match=r"features\[7\] holds NaN or Inf"):
        ulpm(h, y, w, b, batch_size=5)


def test_a_weight_that_is_not_finite_leaves_nothing_defined():
    h, y, w, b = arrays()
    w[0, 0] = np.inf

    assert "weights or features" in ulpm(h, y, w, b).reasons["loss"]


def changed(**parts):
    names = ("features", "labels", "weight", "bias")
    return [parts.get(n, a) for n, a in zip(names, arrays(), strict=True)]


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"features": np.zeros(12)}, r"features have shape \(12,\); give one row"),
        ({"features": np.zeros((0, 5))}, r"features have shape \(0, 5\)"),
        ({"features": np.zeros((12, 5), complex)}, "features are torch.complex128"),
        ({"features": np.array(["a"])}, "features are not an array .*<U1 holds no"),
        ({"labels": np.zeros(3)}, "12 features but 3 labels"),
        ({"labels": np.full(12, 0.5)}, r"labels: y\[0\] is 0.5, not a whole number"),
        ({"labels": np.arange(12)}, r"labels\[3\] is 3, but there are 3 classes"),
        ({"labels": np.full(12, -1)}, r"labels\[0\] is -1, but there are 3 classes"),
    ],
)
def test_samples_that_do_not_fit_are_refused(parts, message):
    with pytest.raises(boundkit.DataError, match=message):
        ulpm(*changed(**parts))


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"weight": np.zeros((3, 4))}, r"weight must have shape \(C, 5\) .*\(3, 4\)"),
        ({"weight": np.zeros((0, 5))}, r"weight must have shape \(C, 5\)"),
        ({"bias": np.zeros(2)}, "one number per row of weight, 3, but got 2"),
    ],
)
def test_a_last_layer_that_does_not_fit_is_refused(parts, message):
    with pytest.raises(boundkit.UsageError, match=message):
        ulpm(*changed(**parts))


def test_batches_hold_at_least_one_sample():
    with pytest.raises(boundkit.UsageError, match="batch_size must be at least 1"):
        ulpm(*arrays(), batch_size=0)
