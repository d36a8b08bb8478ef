import numpy as np

from boundkit.layers.computed import computed
from boundkit.numerics.blocks import array


def test_numbers_are_computed_once_and_only_when_read():
    calls = []

    def compute():
        calls.append(1)
        return np.arange(6, dtype=np.float32).reshape(2, 3)

    tensor = computed("w", (2, 3), compute)

    assert (tensor.shape, tensor.dtype, calls) == ((2, 3), "float64", [])
    assert array(tensor).tolist() == array(tensor).tolist() == [[0, 1, 2], [3, 4, 5]]
    assert calls == [1]


def test_computed_tensors_are_told_apart_by_their_names():
    one, two = (computed(name, (1,), lambda: np.ones(1)) for name in "ab")

    assert one.identity != two.identity
    assert one.identity == computed("a", (1,), lambda: np.zeros(1)).identity


def test_an_empty_tensor_has_no_numbers():
    assert array(computed("w", (0, 3), lambda: np.ones((0, 3)))).shape == (0, 3)
