import pytest
import torch

from boundkit.layers.script_scalars import builtin_call, scalar_call, size_call
from boundkit.layers.script_values import UNKNOWN, ScriptTensor, TooMuch


def _tensor(*shape):
    return ScriptTensor(torch.fx.Graph().placeholder("x"), torch.empty(shape))


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("add", (2, 3), 5),
        ("floordiv", (7, 2), 3),
        ("remainder", (7, 2), 1),
        ("eq", ([1, 2], [1, 2]), True),
        ("ne", (None, 1), True),
        ("gt", (2, 1), True),
        ("__not__", (False,), True),
        ("__is__", (None, None), True),
        ("__isnot__", (3, None), True),
        ("__and__", (True, False), False),
        ("__contains__", ([1, 2], 2), True),
        ("len", ([1, 2],), 2),
        ("min", (2, 1), 1),
        ("max", ([2, 5],), 5),
        ("neg", (2,), -2),
        ("NumToTensor", (4,), 4),
        ("format", ("{}", 1), ""),
        ("append", ([1], 2), [1, 2]),
        ("floordiv", (1, 0), UNKNOWN),
        ("mul", ([0], 10**9), UNKNOWN),
        ("add", (UNKNOWN, 1), UNKNOWN),
        ("__is__", (UNKNOWN, None), UNKNOWN),
        ("__isnot__", (UNKNOWN, None), UNKNOWN),
        ("from_file", ("/etc/passwd",), UNKNOWN),
        ("div", (1,), UNKNOWN),
    ],
)
def test_values_by_hand(name, given, expected):
    assert scalar_call(name, given) == expected


@pytest.mark.parametrize("name", ["Bool", "Int", "Float", "min", "eq"])
def test_numbers_of_a_tensor_are_not_known(name):
    given = (_tensor(2),) if name != "eq" else ([_tensor(2)], [1])

    assert scalar_call(name, given) is UNKNOWN


def test_a_list_of_tensors_has_a_length_all_the_same():
    assert scalar_call("len", ([_tensor(2), _tensor(3)],)) == 2


def test_a_tensor_is_not_none():
    assert scalar_call("__is__", (_tensor(2), None)) is False


@pytest.mark.parametrize(
    ("name", "given", "what"),
    [
        ("mul", (1 << 40, 1 << 40), "a number in its code is out of the ordinary"),
        ("append", ([0] * 10_000, 1), "a list in its code is out of the ordinary"),
    ],
)
def test_what_grows_without_end_is_left(name, given, what):
    with pytest.raises(TooMuch, match=what):
        scalar_call(name, given)


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("range", (3,), range(3)),
        ("range", (0, 4, 2), range(0, 4, 2)),
        ("range", (0, 4, 0), UNKNOWN),
        ("range", (UNKNOWN,), UNKNOWN),
        ("int", (2.0,), 2),
        ("bool", (0,), False),
        ("unchecked_unwrap_optional", ("x",), "x"),
        ("open", ("x",), UNKNOWN),
    ],
)
def test_functions_of_python(name, given, expected):
    assert builtin_call(name, given) == expected


@pytest.mark.parametrize(
    ("name", "rest", "expected"),
    [
        ("size", (), [5, 3, 2]),
        ("size", (-1,), 2),
        ("size", (7,), UNKNOWN),
        ("dim", (), 3),
        ("numel", (), 30),
        ("len", (), 5),
        ("dtype", (), UNKNOWN),
        ("relu", (), None),
    ],
)
def test_sizes(name, rest, expected):
    assert size_call(name, _tensor(5, 3, 2), rest) == expected


def test_sizes_that_are_not_known():
    unknown = ScriptTensor(_tensor(1).node, None)

    assert size_call("size", unknown, ()) is UNKNOWN
