import pytest
import torch

from boundkit.layers.shapes_only import shape_of_result


def _meta(*shape):
    return torch.empty(shape, device="meta")


@pytest.mark.parametrize(
    ("name", "rest", "shape"),
    [
        ("conv2d", (_meta(3, 1, 3, 3), None, [2, 2], [1, 1]), (5, 3, 4, 4)),
        ("flatten", (1,), (5, 64)),
        ("max_pool2d", ([2, 2],), (5, 1, 4, 4)),
    ],
)
def test_shapes_by_hand(name, rest, shape):
    assert tuple(shape_of_result(name, (_meta(5, 1, 8, 8), *rest), {}).shape) == shape


def test_several_results():
    found = shape_of_result("unbind", (_meta(3, 2),), {})

    assert [tuple(x.shape) for x in found] == [(2,)] * 3


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("from_file", ("/etc/passwd", False, 4)),
        ("linear", (_meta(2, 3), _meta(4, 9))),
        ("relu", ("x",)),
        ("unbind", (_meta(10**8),)),
        ("unbind", ()),
    ],
)
def test_what_is_not_known_is_none(name, given):
    assert shape_of_result(name, given, {}) is None
