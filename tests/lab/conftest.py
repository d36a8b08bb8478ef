"""Synthetic images for the lab: ten classes, told apart by where they are bright."""

import numpy as np
import pytest

from boundkit.lab.data.images import assembled


def drawn(seed, each):
    random = np.random.default_rng(seed)
    labels = np.repeat(np.arange(10), each)
    x = random.integers(0, 60, (len(labels), 28, 28))
    for row, label in enumerate(labels):
        top, left = 5 * (label // 4), 6 * (label % 4)
        x[row, top + 2 : top + 8, left + 2 : left + 8] += 150
    order = random.permutation(len(labels))
    return x[order].astype(np.uint8), labels[order]


@pytest.fixture(scope="session")
def images():
    return assembled("synthetic", drawn(0, 100), drawn(1, 50))


@pytest.fixture(scope="session")
def archive(tmp_path_factory):
    path = tmp_path_factory.mktemp("images") / "synthetic.npz"
    (x, y), (x_test, y_test) = drawn(0, 100), drawn(1, 50)
    np.savez(path, x_train=x, y_train=y, x_test=x_test, y_test=y_test)
    return path
