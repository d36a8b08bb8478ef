import numpy as np
import pytest

from boundkit.errors import DataError
from boundkit.lab.data.images import assembled

X = np.zeros((4, 3, 3), np.uint8)
Y = np.array([0, 1, 1, 0])


def test_labels_may_be_a_column_of_whole_floats():
    found = assembled("a", (X, Y[:, None].astype(float)), (X, Y))

    assert found.y_train.dtype == np.int64
    assert found.y_train.tolist() == Y.tolist()
    assert found.x_train.shape == (4, 1, 3, 3)


def test_images_of_other_types_become_float32():
    found = assembled("a", (X.astype(float) + 0.5, Y), (X.astype(float), Y))

    assert found.x_train.dtype == np.float32


def test_the_digest_tells_labels_apart():
    first = assembled("a", (X, Y), (X, Y))
    second = assembled("a", (X, 1 - Y), (X, Y))

    assert first.digest != second.digest


@pytest.mark.parametrize(
    ("train", "test", "message"),
    [
        ((X, Y[:3]), (X, Y), "are no pair"),
        ((X[:0], Y[:0]), (X, Y), "are no pair"),
        ((X[0], Y), (X, Y), "are no pair"),
        ((X, Y), (X[:, :2], Y), "give both parts of one data set"),
        ((X, Y - 1), (X, Y), "not classes 0, 1"),
        ((X, Y + 0.5), (X, Y), "not classes 0, 1"),
        ((X + np.nan, Y), (X, Y), "hold NaN or Inf"),
    ],
)
def test_what_is_no_data_set_is_refused(train, test, message):
    with pytest.raises(DataError, match=message):
        assembled("a", train, test)
