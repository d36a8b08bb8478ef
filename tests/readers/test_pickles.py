"""Pickles are described and never run, whatever protocol or opcode they use."""

import argparse
import collections
import functools
import io
import pathlib
import pickle
import pickletools
import struct
import sys
import time
import tracemalloc

import numpy as np
import pytest
import torch

from boundkit.errors import Unreadable
from boundkit.readers import pickles
from boundkit.readers.contents import Opaque
from boundkit.readers.pickle_machine import Machine
from boundkit.readers.pickles import unpickle
from boundkit.types import StoredTensor


def described(data):
    return unpickle("file.pkl", data)[0]


def values(tensor):
    raw = tensor.storage.read(0, tensor.storage.nbytes)
    order = ">" if tensor.big_endian else "<"
    dtype = np.dtype(tensor.dtype).newbyteorder(order)
    flat = np.frombuffer(raw, dtype)
    if tensor.stride is None:
        return flat.reshape(tensor.shape)
    steps = [s * dtype.itemsize for s in tensor.stride]
    return np.lib.stride_tricks.as_strided(flat, tensor.shape, steps)


PLAIN = {
    "none": None,
    "flags": [True, False],
    "numbers": (
        0,
        1,
        255,
        256,
        65536,
        -1,
        -(2**31),
        2**40,
        -(2**80),
        1.5,
        float("inf"),
    ),
    "text": ["", "a", "weiß", "\u202e", "\udc80", "x" * 300],
    "octets": [b"", b"\xff\n", b"y" * 300],
    "nested": {"a": {"b": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)]}},
    ("tuple", 1): "tuple key",
    7: "integer key",
}


@pytest.mark.parametrize("protocol", range(6))
def test_plain_values_survive_every_protocol(protocol):
    assert described(pickle.dumps(PLAIN, protocol)) == PLAIN


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (collections.OrderedDict(a=1, b=2), {"a": 1, "b": 2}),
        (collections.defaultdict(list, a=[1]), {"a": [1]}),
        (collections.Counter("aab"), {"a": 2, "b": 1}),
        (collections.deque([1, 2], 5), [1, 2]),
        ({3}, [3]),
        (frozenset({3}), [3]),
        (slice(1, 2, None), slice(1, 2)),
        (complex(1, 2), complex(1, 2)),
        (range(3), range(3)),
        (bytearray(b"\xffab"), b"\xffab"),
        (pathlib.PurePosixPath("/a/b"), "/a/b"),
        (argparse.Namespace(lr=0.1), {"lr": 0.1}),
        (torch.Size([2, 3]), (2, 3)),
        (torch.device("cuda", 1), "cuda:1"),
        (torch.bfloat16, "torch.bfloat16"),
        (torch.strided, "torch.strided"),
        (np.float32(0.5), 0.5),
        (np.int64(-3), -3),
        (np.bool_(True), True),
    ],
    ids=lambda v: type(v).__name__,
)
def test_everyday_objects_become_plain_values(value, expected, protocol):
    try:
        data = pickle.dumps(value, protocol)
    except TypeError:  # torch.layout and some others want protocol 2
        data = pickle.dumps(value, 2)

    assert described(data) == expected


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype="<f4").reshape(2, 3),
        np.arange(6, dtype=">f8").reshape(2, 3),
        np.asfortranarray(np.arange(24.0).reshape(2, 3, 4)),
        np.array(3.0),
        np.zeros((0, 4), "i2"),
        np.array([1 + 2j]),
        np.array([True, False]),
        np.arange(200, dtype="u1"),
    ],
    ids=lambda a: f"{a.dtype.str}{a.shape}",
)
def test_numpy_arrays_become_tensors(array, protocol):
    found = described(pickle.dumps({"w": array, "again": array}, protocol))

    np.testing.assert_array_equal(values(found["w"]), array)
    assert found["w"].shape == array.shape
    assert found["again"] is found["w"]


def test_arrays_of_objects_and_strings_stay_opaque():
    found = described(pickle.dumps([np.array([{}, 1], object), np.array(["ab"])], 4))

    assert [v.class_name for v in found] == ["numpy.ndarray"] * 2


def test_python_2_bytes_are_kept():
    assert described(b"U\x02\xff\xfe.") == b"\xff\xfe"
    assert described(b"S'it\\'s\\x41'\n.") == "it'sA"
    assert described(b"I01\n.") is True
    assert described(b"L12L\n.") == 12


def test_unknown_classes_are_described():
    class_line = b"cgone.module\nNet\n"
    found = described(
        b"\x80\x02" + class_line + b"K\x01\x85\x81}X\x01\x00\x00\x00aK\x02sb."
    )

    assert isinstance(found, Opaque)
    assert found.class_name == "gone.module.Net"
    assert found.arguments == (1,)
    assert found.state == {"a": 2}


def test_items_and_elements_of_unknown_containers_are_kept():
    found = described(b"\x80\x02cm\nD\n)\x81K\x01K\x02sK\x05a.")

    assert found.items == {1: 2}
    assert found.elements == [5]


def test_cycles_survive():
    cyclic = {"a": []}
    cyclic["a"].append(cyclic)

    found = described(pickle.dumps(cyclic))

    assert found["a"][0] is found


class Canary:
    """Pickles a call that would leave a file behind."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (eval, (f"open({str(self.path)!r}, 'w').close()",))


def hostile(path):
    command = f"touch {path}".encode()
    text = b"X" + struct.pack("<I", len(command)) + command
    short = b"\x8c\x05posix\x8c\x06system\x93"
    code = f"open({str(path)!r}, 'w')".encode()
    run = b"X" + struct.pack("<I", len(code)) + code
    return {
        "reduce": b"cos\nsystem\n" + text + b"\x85R.",
        "stack global": b"\x80\x04" + short + text + b"\x85R.",
        "inst": b"(" + text + b"ios\nsystem\n.",
        "obj": b"(cos\nsystem\n" + text + b"o.",
        "newobj": b"\x80\x02cos\nsystem\n" + text + b"\x85\x81.",
        "newobj_ex": b"\x80\x04cos\nsystem\n" + text + b"\x85}\x92.",
        "eval": b"cbuiltins\neval\n" + run + b"\x85R.",
        "getattr": b"cbuiltins\ngetattr\n(cos\n__dict__\n"
        + text
        + b"tR"
        + text
        + b"\x85R.",
        "build": b"\x80\x02cos\nsystem\n)\x81}X\x0c\x00\x00\x00__setstate__cos\nsystem\nsb"
        + text
        + b"b.",
        "newobj helper": b"ccopyreg\n__newobj__\n(cos\nsystem\n" + text + b"tR.",
        "from type": b"ctorch._tensor\n_rebuild_from_type_v2\n(cos\nsystem\nN"
        + text
        + b"\x85}tR.",
        "parameter": b"ctorch._utils\n_rebuild_parameter\n(cos\nsystem\n"
        + text
        + b"\x85R\x89}tR.",
        "import": b"cboundkit_canary_module\nanything\n)R.",
        "nested": pickle.dumps({"a": [Canary(path), (Canary(path),)]}),
    }


@pytest.mark.parametrize("kind", hostile("x"))
def test_nothing_in_a_pickle_runs(kind, tmp_path, monkeypatch):
    canary = tmp_path / "canary"
    (tmp_path / "boundkit_canary_module.py").write_text(f"open({str(canary)!r}, 'w')")
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)

    described(hostile(canary)[kind])

    assert not canary.exists()
    assert set(sys.modules) == before


def test_the_canaries_do_run_in_the_standard_unpickler(tmp_path):
    canary = tmp_path / "canary"
    pickle.loads(hostile(canary)["reduce"])

    assert canary.exists()


BOMBS = {
    "memo": b"Nr\xff\xff\xff\x7f.",
    "deep lists": b"]" * 200_000 + b"a" * 199_999 + b".",
    "deep tuple key": b"}" + b")" + b"\x85" * 200_000 + b"Ns.",
    "shared tuple key": b"}" + b")" + b"2\x86" * 5_000 + b"Ns.",
    "marks": b"(" * 200_000 + b".",
    "calls of calls": b"cx\ny\n" + b")R" * 100_000 + b".",
    "laughs": b"]" + b"q\x00(h\x00h\x00h\x00lq\x00" * 100_000 + b".",
    "states": b"\x80\x02cm\nC\n)\x81" + b"}q\x01b" * 100_000 + b".",
    "from type": b"ctorch._tensor\n_rebuild_from_type_v2\nq\x00"
    + b"(h\x00N" * 50_000
    + b"))"
    + b"t" * 50_000
    + b"R.",
}


@pytest.mark.parametrize("kind", BOMBS)
def test_bombs_end_soon_and_take_little(kind):
    tracemalloc.start()
    begin = time.process_time()
    try:
        found = described(BOMBS[kind])
    except Unreadable as error:
        found = error
    seconds = time.process_time() - begin
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del found

    assert seconds < 30  # tracemalloc makes it several times slower
    assert peak < 60 << 20


def test_merging_the_same_state_for_ever_is_refused():
    many = b"(" + b"".join(b"M" + struct.pack("<H", i) + b"N" for i in range(60_000))
    data = b"\x80\x02cm\nC\n)\x81" + many + b"dq\x01b" + b"h\x01b" * 100_000 + b"."

    with pytest.raises(Unreadable, match=r"it makes more than 4,?000,?000 objects"):
        described(data)


def test_too_many_objects_are_refused():
    with pytest.raises(Unreadable, match="more than 4,000,000 objects"):
        described(b"]" * 4_000_001 + b".")


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (b"", "truncated or its stack runs empty"),
        (b".", "truncated or its stack runs empty"),
        (b"N", "truncated or its stack runs empty"),
        (b"\x80\x09N.", "its protocol is 9"),
        (b"\xff.", "byte 0xff is no opcode"),
        (b"X\xff\xff\xff\xffabc", "truncated"),
        (b"\x8d\xff\xff\xff\xff\xff\xff\xff\xffabc", "truncated, or the length"),
        (b"\x8e\xff\xff\xff\xff\xff\xff\xff\x7fabc", "truncated, or a length"),
        (b"\x8b\xff\xff\xff\x7fabc", "truncated, or a length"),
        (b"T\xff\xff\xff\xffabc.", "truncated, or a length"),
        (b"h\x07.", "does not fit together"),
        (b"K\x01K\x02\x93.", "the name of a class is no string"),
        (b"cx\ny\nK\x01R.", "a call has no tuple"),
        (b"]K\x01K\x02s.", "items are set on what is no dictionary"),
        (b"}K\x01a.", "appended to what is no list"),
        (b"}](s.", "truncated or its stack runs empty"),
        (b"}]K\x01s.", "does not fit together"),
        (b"K\x01Q.", "refers to storages that are not there"),
        (b"S'abc\n.", "a string has no quotes"),
        (b"I" + b"1" * 500 + b"\n.", "a number of 500 characters"),
        (b"Iabc\n.", "invalid literal"),
        (b"cabc", "a line has no end"),
        (b"X\x01\x00\x00\x00\xff.", "codec"),
    ],
)
def test_damage_is_named(data, cause):
    with pytest.raises(Unreadable, match=cause):
        described(data)


def test_every_truncation_is_unreadable():
    data = pickle.dumps({"a": [np.zeros(3), torch.Size([1])], "b": "text" * 20}, 4)

    for length in range(len(data)):
        with pytest.raises(Unreadable):
            described(data[:length])


def test_integers_that_collide_are_not_hashed():
    huge = (1 << 61) - 1
    found = described(pickle.dumps({huge: 1, 5: 2}))

    assert [type(key) for key in found] == [Opaque, int]


def test_an_enormous_integer_is_not_kept():
    raw = b"\x01" * 5000

    found = described(b"\x8b" + struct.pack("<i", 5000) + raw + b".")

    assert isinstance(found, Opaque)


def test_where_the_pickle_ends_is_returned():
    data = b"N." + b"K\x05." + b"behind"

    assert unpickle("f", data) == (None, 2)
    assert unpickle("f", data, start=2) == (5, 5)


def flat(numel, dtype="float32"):
    return StoredTensor((numel,), dtype, None)


def rebuilt(arguments, base=None, function="_rebuild_tensor_v2"):
    """Pickle a state_dict whose one tensor is made by ``function``."""
    out = io.BytesIO()
    out.write(b"\x80\x02}X\x04\x00\x00\x00fc.wctorch._utils\n")
    out.write(function.encode() + b"\n(K\x00Q")
    for argument in arguments:
        out.write(pickletools.optimize(pickle.dumps(argument, 2))[2:-1])
    out.write(b"tRs.")
    return unpickle("f", out.getvalue(), lambda _: base or flat(10))[0]["fc.w"]


@pytest.mark.parametrize(
    ("offset", "size", "stride"),
    [
        (0, (11,), (1,)),
        (1, (10,), (1,)),
        (0, (2, 6), (6, 1)),
        (0, (4,), (4,)),
        (9, (2, 2), (1, 1)),
        (2**62, (1,), (1,)),
    ],
)
def test_a_shape_larger_than_the_storage_names_the_tensor(offset, size, stride):
    with pytest.raises(Unreadable, match=r"tensor 'fc.w': shape larger than storage"):
        rebuilt((offset, size, stride, False, {}))


@pytest.mark.parametrize(
    ("offset", "size", "stride", "cause"),
    [
        (-1, (1,), (1,), "its offset holds what is no size"),
        (0, (-1,), (1,), "its shape holds what is no size"),
        (0, (1,), (-1,), "its stride holds what is no size"),
        (0, (2,), (1, 1), "make no tensor"),
        (0, (2**40, 2**40), (0, 0), "make no tensor"),
        (0, (2**70,), (1,), "its shape holds what is no size"),
        (0, (1.5,), (1,), "its shape holds what is no size"),
        (0, "ab", (1,), "its shape is no tuple"),
        (0, (1,) * 65, (1,) * 65, "no tuple of at most 64"),
    ],
)
def test_sizes_that_are_none_name_the_tensor(offset, size, stride, cause):
    with pytest.raises(Unreadable, match=f"tensor 'fc.w': .*{cause}"):
        rebuilt((offset, size, stride, False, {}))


def test_a_call_with_too_few_arguments_names_the_tensor():
    with pytest.raises(Unreadable, match=r"tensor 'fc.w'"):
        rebuilt((0,))


def test_strides_of_a_contiguous_tensor_are_left_out():
    assert rebuilt((1, (3, 1, 2), (2, 99, 1))).stride is None
    assert rebuilt((1, (3, 2), (1, 3))).stride == (1, 3)
    assert rebuilt((0, (0, 5), (7, 7))).stride is None


def test_a_tensor_expanded_beyond_reason_is_not_read():
    found = rebuilt((0, (10**6, 10**6), (0, 0)))

    assert found.storage is None
    assert (
        found.unread == "expanded: 1000000000000 elements are declared over 10 stored"
    )


def test_a_tensor_of_an_untyped_storage_has_its_own_type():
    base = flat(16, "uint8")
    arguments = (1, (3,), (1,), False, {}, "torch.float32")

    assert rebuilt(arguments, base, "_rebuild_tensor_v3").dtype == "float32"
    with pytest.raises(Unreadable, match="its element type is not known"):
        rebuilt((*arguments[:5], "float33"), base, "_rebuild_tensor_v3")


def test_a_tensor_that_only_code_could_make_stays_opaque():
    found = unpickle(
        "f",
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(cm\nmake\n)RK\x00))\x89}tR.",
    )[0]

    assert found.class_name == "torch.Tensor"


@pytest.mark.parametrize("opcode", [b"(", b"(t", b"K\x01K\x01\x86"])
def test_opcodes_that_are_spelled_out_pay_like_the_others(opcode, monkeypatch):
    monkeypatch.setattr(pickles, "Machine", functools.partial(Machine, budget=50))

    with pytest.raises(Unreadable, match="it makes more than 4,000,000 objects"):
        unpickle("f", b"\x80\x02" + opcode * 200 + b"N.")
