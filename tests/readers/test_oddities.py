"""What is safe but odd is said, with a code that stays."""

import pytest

from boundkit.readers.contents import Contents
from boundkit.readers.selection import select
from boundkit.types import StoredTensor


def stored(*shape):
    return StoredTensor(shape, "float32", None, unread="not needed here")


def codes(tree):
    return [notice.code for notice in select(Contents("t", tree, ()), "x").notices]


SHARED = {"weight": stored(2, 2)}


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        ({"a.weight": stored(2, 2)}, []),
        (stored(2, 2), ["bare-tensor"]),
        ([stored(2, 2), stored(2)], ["tensor-list"]),
        ({0: stored(2, 2), 1: stored(2)}, ["odd-key", "odd-key"]),
        ({("fc", "weight"): stored(2, 2)}, ["odd-key"]),
        ({"a.bias": stored(2), "b.bias": stored(2)}, ["bias-only"]),
        ({"a.running_mean": stored(2), "a.bias": stored(2)}, ["bias-only"]),
        ({"a.running_mean": stored(2), "a.num_batches_tracked": stored()}, ["buffer-only"]),
        ({"a.lora_A.weight": stored(2, 4), "a.lora_B.weight": stored(4, 2)},
         ["adapter-without-base"]),
        ({"a.lora_A.default.weight": stored(2, 4), "a.base_layer.weight": stored(4, 4)},
         ["adapter-not-merged"]),
        ({"a.lora_A": stored(2, 4), "a.weight": stored(4, 4)}, ["adapter-not-merged"]),
        ({"a.lora_embedding_A.default": stored(2, 4)}, ["adapter-without-base"]),
        ({"a.ia3_l": stored(1, 4), "b.weight": stored(2, 2)}, ["adapter-without-base"]),
        ({"enc": SHARED, "dec": SHARED, "fc": {"weight": stored(2, 2)}},
         ["shared-container"]),
    ],
)  # fmt: skip
def test_notices(tree, expected):
    assert codes(tree) == expected


def test_odd_keys_are_named_and_not_repeated_for_ever():
    notices = select(Contents("t", {i: stored(1) for i in range(100)}, ()), "x").notices

    assert len(notices) == 21
    assert notices[0].tensor == "0"
    assert "type int" in notices[0].message
    assert notices[-1].message == "80 more keys like these"
