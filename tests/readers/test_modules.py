"""Modules unfold whatever lies in them, and never without end."""

import pytest

from boundkit.errors import Refused
from boundkit.readers.contents import Opaque
from boundkit.readers.modules import unfold
from boundkit.types import StoredTensor


def module(children=(), state=None):
    opaque = Opaque("m.Net")
    opaque.state = {"_parameters": {}, "_modules": dict(children)} | (state or {})
    return opaque


def test_a_module_in_itself_is_refused():
    root = module()
    root.state["_modules"]["child"] = root

    with pytest.raises(Refused, match="nested without end"):
        unfold("f", root)


def test_modules_that_double_at_each_level_are_refused():
    inner = module()
    for _ in range(40):
        inner = module({"a": inner, "b": inner})

    with pytest.raises(Refused, match="nested without end"):
        unfold("f", inner)


def test_module_names_that_are_objects_are_not_spelled_out():
    root = module({Opaque("x"): module()}, {Opaque("y"): 1})

    assert list(unfold("f", root).modules) == ["", "Opaque"]


def test_modules_in_objects_and_tuples_unfold_and_cycles_do_not_matter():
    weight = StoredTensor((), "float32", None)
    inner = Opaque("m.Trainer", state=({"net": module()}, {"slot": [module()]}))
    tree = {"trainer": inner, "pair": (module(state={"_parameters": {"w": weight}}), 1)}
    tree["self"] = tree

    found = unfold("f", tree)

    assert set(found.modules) == {"trainer.net", "trainer.slot.0", "pair.0"}
    assert found.tree["pair"] == [{"w": weight}, 1]


def test_tensors_that_state_dict_leaves_out_are_said():
    weight = StoredTensor((), "float32", None)

    found = unfold("f", module(state={"cache": weight}))

    assert found.tree == {}
    assert "'cache'" in found.notices()[0].message
