import ast

import pytest
import torch

from boundkit.layers.script_names import dotted
from boundkit.layers.script_values import UNKNOWN, NotFollowed, ScriptTensor
from boundkit.layers.script_variables import assign, bind, item


def _parts(tensor, count):
    return [tensor] * count


def _assigned(text, value):
    scope = {}
    assign(ast.parse(text).body[0].targets[0], value, scope, _parts)
    return scope


def test_names_get_values_and_tuples_their_parts():
    assert _assigned("a = 0", 3) == {"a": 3}
    assert _assigned("a, (b, c), = 0", (1, [2, 3])) == {"a": 1, "b": 2, "c": 3}
    assert _assigned("a, b = 0", UNKNOWN) == {"a": UNKNOWN, "b": UNKNOWN}


def test_results_of_unknown_calls_are_taken_apart():
    tensor = ScriptTensor(torch.fx.Graph().placeholder("x"), None)

    assert _assigned("a, b = 0", tensor) == {"a": tensor, "b": tensor}
    assert item(tensor, 1, _parts) is tensor


@pytest.mark.parametrize(
    ("text", "value", "reason"),
    [
        ("a.b = 0", 1, "changes attributes or items"),
        ("a[0] = 0", 1, "changes attributes or items"),
        ("a, b = 0", (1,), "takes apart what only a run would tell"),
        ("a, b = 0", 5, "takes apart what only a run would tell"),
    ],
)
def test_what_is_no_assignment_of_names_is_refused(text, value, reason):
    with pytest.raises(NotFollowed, match=reason):
        _assigned(text, value)


@pytest.mark.parametrize(
    ("owner", "index", "expected"),
    [
        ([4, 5], -1, 5),
        ((4, 5), 0, 4),
        ({"k": 6}, "k", 6),
        ({"k": 6}, "l", UNKNOWN),
        ([4], 1, UNKNOWN),
        ([4], UNKNOWN, UNKNOWN),
        ("text", 0, UNKNOWN),
    ],
)
def test_items(owner, index, expected):
    assert item(owner, index, _parts) == expected


def _bound(given, keywords):
    definition = ast.parse("def f(a, b, c=7): pass").body[0]
    return bind(definition, given, keywords, ast.literal_eval)


def test_arguments_take_their_defaults():
    assert _bound((1, 2), {}) == {"a": 1, "b": 2, "c": 7}
    assert _bound((1,), {"b": 2, "c": 3}) == {"a": 1, "b": 2, "c": 3}


def test_too_few_and_too_many_arguments_are_refused():
    with pytest.raises(NotFollowed, match="'f' is not given 'b'"):
        _bound((1,), {})
    with pytest.raises(NotFollowed, match="'f' is given too many arguments"):
        _bound((1, 2, 3, 4), {})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("torch.relu", "torch.relu"),
        ("CONSTANTS.c0", "CONSTANTS.c0"),
        ("__torch__.a.b", "__torch__.a.b"),
        ("self.layer", None),
        ("ops.prim.x", None),
    ],
)
def test_dotted_names(text, expected):
    assert dotted(ast.parse(text, mode="eval").body, {"ops"}) == expected
