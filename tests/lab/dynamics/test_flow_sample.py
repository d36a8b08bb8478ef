from __future__ import annotations

import numpy as np
import pytest

from boundkit.errors import DataError, UsageError
from boundkit.lab.dynamics import flow_sample
from boundkit.lab.dynamics.flow_sample import default_place, two_classes


def stored(tmp_path, x, y):
    path = tmp_path / "data.npz"
    np.savez(path, x=np.asarray(x, np.float32), y=np.asarray(y))
    return str(path)


def images(tmp_path, n=20):
    generator = np.random.default_rng(0)
    return stored(tmp_path, generator.random((n, 1, 4, 6)), np.arange(n) % 4)


def test_the_first_of_each_class_divided_by_their_norms(tmp_path):
    x = np.arange(1.0, 19.0).reshape(6, 3)
    sample = two_classes(stored(tmp_path, x, [0, 1, 2, 1, 0, 1]), (1, 0), 4, 1)

    assert sample.signs.tolist() == [1.0, -1.0, -1.0, 1.0]
    expected = x[[0, 1, 3, 4]]
    expected /= np.linalg.norm(expected, axis=1)[:, None]
    np.testing.assert_allclose(sample.inputs, expected, rtol=1e-6)  # float32 on disk


def test_labels_of_minus_and_plus_one(tmp_path):
    x = np.eye(4)
    sample = two_classes(stored(tmp_path, x, [1, -1, 1, -1]), (-1, 1), 4, 1)

    assert sample.signs.tolist() == [1.0, -1.0, 1.0, -1.0]


def test_squares_of_pixels_are_averaged(tmp_path):
    image = np.arange(24.0).reshape(1, 1, 4, 6)
    path = stored(tmp_path, np.concatenate([image, image + 1]), [0, 1])
    sample = two_classes(path, (0, 1), 2, 2)

    expected = np.array([3.5, 5.5, 7.5, 15.5, 17.5, 19.5])
    assert sample.inputs.shape == (2, 6)
    np.testing.assert_allclose(
        sample.inputs[0], expected / np.linalg.norm(expected), rtol=1e-6
    )


def test_too_few_samples_of_a_class_are_told(tmp_path):
    with pytest.raises(
        DataError,
        match=r"2 samples of class 7|0 samples of class 7, but 4 are asked for; give "
        r"fewer --samples or other --classes \(there are 0, 1, 2, 3\)",
    ):
        two_classes(images(tmp_path), (0, 7), 8, 1)
    with pytest.raises(DataError, match="5 samples of class 0, but 6 are asked for"):
        two_classes(images(tmp_path), (0, 1), 12, 1)


@pytest.mark.parametrize(
    ("pair", "count", "pool", "message"),
    [
        ((0, 1), 5, 1, "samples must be even, half of each class, but got 5"),
        ((0, 1), 0, 1, "samples must be a whole number of at least 2, but got 0"),
        ((1, 1), 4, 1, "classes must be two different labels, but got 1 twice"),
        ((0, 1), 4, 0, "pool must be a whole number of at least 1, but got 0"),
        (
            (0, 1),
            4,
            3,
            "pool must divide the sides of the images, but got 3 for inputs",
        ),
    ],
)
def test_settings_that_make_no_sense(tmp_path, pair, count, pool, message):
    with pytest.raises(UsageError, match=message):
        two_classes(images(tmp_path), pair, count, pool)


def test_an_input_without_direction_is_refused(tmp_path):
    path = stored(tmp_path, [[0.0, 0.0], [1.0, 0.0]], [0, 1])

    with pytest.raises(DataError, match="input 0 of the two classes has norm 0"):
        two_classes(path, (0, 1), 2, 1)


def test_the_default_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("BOUNDKIT_DATA", str(tmp_path))
    assert default_place() == str(tmp_path)

    monkeypatch.delenv("BOUNDKIT_DATA")
    monkeypatch.setattr(flow_sample, "_DEBIAN", str(tmp_path / "nothing"))
    with pytest.raises(DataError, match="put train-images-idx3-ubyte and train-labels"):
        default_place()
