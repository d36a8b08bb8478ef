"""Data sets are known by what is in them."""

import numpy as np
import pytest

from boundkit.lab.data.images import Images
from boundkit.lab.data.known import known_as

MNIST = (5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949)
FASHION = "f5392da0ad6191515d0d876aa463f44161ccb818f38bd85defdc8e3545246d6d"


def of(shape, counts, source="folder", digest="0"):
    y = np.repeat(np.arange(10), counts)
    # Shapes and labels decide, so that the pixels need no memory.
    x = np.broadcast_to(np.uint8(0), (len(y), *shape))
    return Images(source, x, y, x[:10], y[:10], digest)


@pytest.mark.parametrize(
    ("images", "name"),
    [
        (of((1, 28, 28), MNIST), "MNIST"),
        (of((3, 32, 32), 5000), "CIFAR-10"),
        (of((1, 28, 28), 6000, "/data/KMNIST"), "KMNIST"),
        (of((1, 28, 28), 6000, "/data/KMNIST", FASHION), "Fashion-MNIST"),
        # Nothing but its folder tells KMNIST from others.
        (of((1, 28, 28), 6000, "/data/other"), None),
        (of((1, 28, 28), MNIST[::-1]), None),
        (of((3, 32, 32), 6000), None),
    ],
)
def test_known_by_shape_counts_and_digest(images, name):
    assert known_as(images) == name


def test_synthetic_images_are_none_of_them(images):
    assert known_as(images) is None
