import numpy as np
import pytest

from boundkit.errors import UsageError
from boundkit.lab.data.images import assembled
from boundkit.lab.data.task import noisy, pooled, task_of


def whole(images, **changed):
    settings = {
        "classes": (3, 8),
        "n": 40,
        "n_test": 20,
        "noise": 0.0,
        "pooling": 1,
        "preprocessing": "unit",
        "seed": 0,
    }
    return task_of(images, **(settings | changed))


def test_classes_are_balanced_and_in_the_order_of_the_file(images):
    found = whole(images)

    assert found.y_train.tolist() == [0] * 20 + [1] * 20
    assert found.shape == (1, 28, 28)
    first = images.x_train[images.y_train == 8][0, 0] / 255
    np.testing.assert_allclose(
        found.x_train[20, 0], first / np.linalg.norm(first), rtol=1e-6
    )


def test_unit_images_have_norm_one(images):
    norms = np.linalg.norm(whole(images).x_test.reshape(20, -1), axis=1)

    np.testing.assert_allclose(norms, 1, rtol=1e-6)


def test_a_black_image_stays_black():
    x, y = np.zeros((2, 4, 4), np.uint8), np.array([0, 1])

    found = whole(assembled("a", (x, y), (x, y)), classes=(0, 1), n=2, n_test=2)

    assert not found.x_train.any()


def test_standard_images_have_mean_zero_and_deviation_one(images):
    x = whole(images, preprocessing="standard").x_train

    np.testing.assert_allclose(x.mean(dtype=float), 0, atol=1e-6)
    np.testing.assert_allclose(x.std(dtype=float), 1, rtol=1e-6)


def test_pooling_takes_means_of_squares():
    x = np.arange(16, dtype=np.uint8).reshape(1, 1, 4, 4)

    # 0 + 1 + 4 + 5 = 10, and 2, 2, 8, 8 more in each of four pixels.
    expected = np.array([[2.5, 4.5], [10.5, 12.5]]) / 255

    np.testing.assert_allclose(pooled(x, 2)[0, 0], expected, rtol=1e-6)


def test_floats_are_not_divided_by_255():
    x = np.full((1, 1, 2, 2), 3, np.float32)

    assert pooled(x, 2).item() == 3


@pytest.mark.parametrize(("share", "classes"), [(0.4, 2), (1.0, 2), (0.6, 10)])
def test_noise_draws_its_share_anew_uniformly(share, classes):
    n = 20_000
    labels = np.arange(n) % classes

    changed = (noisy(labels, share, classes, 3) != labels).mean()

    # Of what is drawn, one in C stays what it was; 5 standard deviations.
    expected = share * (1 - 1 / classes)
    assert abs(changed - expected) < 5 * np.sqrt(expected / n)


def test_noise_is_decided_by_its_seed(images):
    first, again = whole(images, noise=0.5), whole(images, noise=0.5)
    other = whole(images, noise=0.5, seed=1)

    np.testing.assert_array_equal(first.y_train, again.y_train)
    assert (first.y_train != other.y_train).any()
    assert (first.y_train != first.y_clean).any()


def test_too_few_samples_are_refused(images):
    with pytest.raises(
        UsageError, match="have 100 training samples of class 3, but 101"
    ):
        whole(images, n=202)


def test_a_class_that_is_not_there_is_refused(images):
    with pytest.raises(UsageError, match="have 0 training samples of class 11"):
        whole(images, classes=(0, 11))


def test_squares_that_do_not_fit_are_refused(images):
    with pytest.raises(
        UsageError, match="pooling must divide 28 x 28 pixels, but got 3"
    ):
        whole(images, pooling=3)
