"""The walk is linear in what is stored, whatever contains what."""

import time

import pytest

from boundkit.errors import Refused
from boundkit.readers import outline
from boundkit.readers.contents import Opaque
from boundkit.readers.outline import grow
from boundkit.types import StoredTensor

T = StoredTensor((2, 2), "float32", None)


def paths(tree):
    return [".".join(path) for path, _ in grow(tree, "x").walk()]


def test_tensors_come_in_stored_order():
    tree = {"b": T, "a": {"y": T, "x": [T, {"z": T}]}, "c": T}

    assert paths(tree) == ["b", "a.y", "a.x.0", "a.x.1.z", "c"]


def test_the_parts_of_an_object_are_walked():
    tree = Opaque("a.B", (T,), {"s": T}, {"i": T}, [T])

    assert paths(tree) == ["i", "0", "s", "argument 0"]


def test_the_state_of_a_class_with_slots_is_walked():
    assert paths(Opaque("a.B", (), ({"d": T}, {"slot": T}))) == ["d", "slot"]
    assert paths(Opaque("a.B", (), (None, {"slot": T}))) == ["slot"]
    assert paths(Opaque("a.B", (), [T])) == ["state.0"]


def test_a_list_of_named_tensors_has_their_names():
    assert paths([("a.weight", T), ("a.bias", T)]) == ["a.weight", "a.bias"]


def test_a_container_in_itself_is_walked_once():
    tree = {"a": T}
    tree["self"] = tree
    tree["list"] = [tree]

    root = grow(tree, "x")

    assert [path for path, _ in root.walk()] == [("a",)]
    assert root.links == {"self": ()}


def test_shared_containers_take_linear_time():
    shared = [T]
    for _ in range(60):
        shared = [shared] * 10

    begun = time.perf_counter()

    assert len(paths(shared)) == 1
    assert time.perf_counter() - begun < 1


def test_an_empty_label_without_value_hides_nothing():
    assert paths({"": None, "a": T}) == ["a"]


def test_bottomless_nesting_is_refused():
    tree = [T]
    for _ in range(10**5):
        tree = [tree]

    with pytest.raises(Refused, match="nested deeper than 64 levels"):
        grow(tree, "x")


def test_too_many_containers_are_refused(monkeypatch):
    monkeypatch.setattr(outline, "MOST_CONTAINERS", 10)

    with pytest.raises(Refused, match="more than 10 lists and dictionaries"):
        grow([[i] for i in range(20)], "x")


def test_odd_keys_become_strings_and_are_recorded():
    root = grow({1: T, ("a", 2): T, None: T, "x": T, b"b": T}, "x")

    assert list(root.tensors) == ["1", "a.2", "None", "x", "b'b'"]
    assert set(root.odd) == {"1", "a.2", "None", "b'b'"}


def test_keys_that_read_alike_stay_apart():
    root = grow({1: T, "1": T, Opaque("a"): T, Opaque("b"): T}, "x")

    assert len(root.tensors) == 4


def test_many_keys_that_read_alike_take_linear_time():
    tree = {Opaque("a"): T for _ in range(20_000)}
    begun = time.perf_counter()

    assert len(grow(tree, "x").tensors) == 20_000
    assert time.perf_counter() - begun < 2
