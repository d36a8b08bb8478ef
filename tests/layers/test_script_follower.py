"""Code that torch would not write, or that is damaged: each refusal by its reason."""

import ast

import pytest

from boundkit.layers.script_attributes import Attributes
from boundkit.layers.script_calls import Recorder
from boundkit.layers.script_follower import Follower
from boundkit.layers.script_values import (
    UNKNOWN,
    NotFollowed,
    ScriptTensor,
    TooMuch,
)
from boundkit.readers.contents import Opaque
from boundkit.readers.script_program import ScriptProgram
from boundkit.types import StoredTensor

NET = "__torch__.Net"
WEIGHT = StoredTensor((4, 4), "float32", None)
COUNTER = StoredTensor((), "int64", None)


class Code:
    """Definitions that stand in the test."""

    def __init__(self, text):
        found = ast.parse(text).body
        self._found = {part.name: part for part in found}

    def function(self, qualified):
        return self._found.get(qualified.rpartition(".")[2])

    def method(self, class_name, name):
        return self._found.get(name) if class_name == NET else None

    def hooked(self, class_name):
        return False


def program(text, **state):
    root = Opaque(NET, state={"weight": WEIGHT, "training": True, **state})
    return ScriptProgram(root, (WEIGHT, 3), Code(text))


def followed(text, **state):
    """What the code makes of five vectors."""
    recorder = Recorder()
    follower = Follower(program(text, **state), recorder)
    return follower.forward((recorder.input("x", (5, 4)),))


def value(expression, **state):
    return followed(f"def forward(self, x):\n  return {expression}", **state)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("self.training", False),
        ("torch.size(x, 1)", 4),
        ("[torch.dim(x), -1]", [2, -1]),
        ("(1, 'a')", (1, "a")),
        ("1 if torch.dim(x) == 2 else 0", NotFollowed),
        ("annotate(List[int], [])", []),
        ("unchecked_cast(int, 3)", 3),
        ("uninitialized(int)", UNKNOWN),
        ("isinstance(x, Tensor)", UNKNOWN),
        ("CONSTANTS.c1", 3),
        ("CONSTANTS.c9", UNKNOWN),
        ("CONSTANTS.cx", UNKNOWN),
        ("ops.prim.device(x)", UNKNOWN),
        ("torch.rand([2])", UNKNOWN),
        ("inf", float("inf")),
        ("a + b", UNKNOWN),
        ("int(ops.prim.NumToTensor(torch.size(x, 0)))", 5),
        ("torch.__isnot__(x, None)", True),
        ("self.names", {"a": [1, 2]}),
        ("self.names['a'][1]", 2),
    ],
)
def test_values(expression, expected):
    if expected is NotFollowed:
        with pytest.raises(NotFollowed, match="decides by numbers"):
            value(expression)
    else:
        assert value(expression, names={"a": [1, 2]}) == expected


@pytest.mark.parametrize(
    ("text", "error", "reason"),
    [
        ("def g(self, x):\n  return x", NotFollowed, "has no method 'forward'"),
        (
            "def forward(self, x):\n  return __torch__.Pair(x, x)",
            NotFollowed,
            "makes an object of the class 'Pair'",
        ),
        (
            "def forward(self, x):\n  import os",
            NotFollowed,
            "a statement of the kind Import",
        ),
        (
            "def forward(self, x):\n  return x.numpy()",
            NotFollowed,
            "calls a method 'numpy' of no module",
        ),
        (
            "def forward(self, x):\n  f = 3\n  return f(x)",
            NotFollowed,
            "calls something that only a run would tell",
        ),
        (
            "def forward(self, x):\n  return ops.mine.swap(x, self.weight)",
            NotFollowed,
            "'ops.mine.swap' may change stored tensors",
        ),
        (
            "def forward(self, x):\n  for i in range(torch.sum(x)):\n    y = i",
            NotFollowed,
            "repeats as often as only a run would tell",
        ),
        (
            "def forward(self, x):\n  return torch.add(x, x, out=x)",
            NotFollowed,
            "writes into a tensor that it is given",
        ),
        (
            "def forward(self, x):\n  return (self).forward(x)",
            TooMuch,
            "calls itself without end",
        ),
        (
            "def forward(self, x):\n  while True:\n    pass",
            TooMuch,
            "runs for long",
        ),
        (
            "def forward(self, x):\n  for i in range(1000000000000):\n    pass",
            TooMuch,
            "runs for long",
        ),
        (
            "def forward(self, x):\n  return torch.expand(x, [1000000000, 5, 4])",
            TooMuch,
            "maps out of the ordinary",
        ),
    ],
)
def test_refusals(text, error, reason):
    with pytest.raises(error, match=reason):
        followed(text)


def test_an_operation_that_nobody_knows_is_one_value():
    found = value("ops.mine.swap(x)")

    assert isinstance(found, ScriptTensor)
    assert found.like is None


def test_statements():
    found = followed(
        "def helper(x, times: int=2):\n"
        "  y = x\n"
        "  while torch.gt(times, 0):\n"
        "    y = torch.relu(y)\n"
        "    times = torch.sub(times, 1)\n"
        "  return y\n"
        "def forward(self, x):\n"
        "  z : Tensor = __torch__.helper(x, times=3)\n"
        "  if torch.eq(torch.dim(z), 2):\n"
        "    return z\n"
        "  else:\n"
        "    pass\n"
        "  return None"
    )

    assert [n.target.__name__ for n in found.node.graph.nodes if n.op != "placeholder"]
    assert len(found.node.graph.nodes) == 4


def test_a_file_without_a_module_is_said():
    with pytest.raises(NotFollowed, match="the file holds no module"):
        Attributes(ScriptProgram(3, (), Code("")), Recorder()).root()


def test_counting_batches_changes_nothing():
    found = followed(
        "def forward(self, x):\n"
        "  n = torch.add_(self.num_batches_tracked, 1)\n"
        "  return torch.relu(x)",
        num_batches_tracked=COUNTER,
    )

    assert tuple(found.like.shape) == (5, 4)
