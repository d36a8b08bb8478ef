"""Prefixes of wrappers go when all parameters bear them and no two names become one."""

import pytest

from boundkit.readers.prefixes import strip
from boundkit.types import StoredTensor


def tensors(*names, scalar=()):
    made = {name: StoredTensor((2, 2), "float32", None) for name in names}
    return made | {name: StoredTensor((), "int64", None) for name in scalar}


@pytest.mark.parametrize(
    ("names", "prefixes", "expected"),
    [
        (
            ["module.a.weight", "module.b.weight"],
            ("module.",),
            ["a.weight", "b.weight"],
        ),
        (["_orig_mod.a.weight"], ("_orig_mod.",), ["a.weight"]),
        (["module._orig_mod.a.b"], ("module.", "_orig_mod."), ["a.b"]),
        (["_orig_mod.module.a.b"], ("_orig_mod.", "module."), ["a.b"]),
        (["_fsdp_wrapped_module.a._fsdp_wrapped_module.b"], None, ["a.b"]),
        (["l._checkpoint_wrapped_module.w", "k.w"], None, ["l.w", "k.w"]),
        (["module.a", "b"], (), ["module.a", "b"]),
        (["module."], (), ["module."]),
        (["model.a", "model.b"], (), ["model.a", "model.b"]),
        (["a.module.w"], (), ["a.module.w"]),
    ],
)
def test_names(names, prefixes, expected):
    plain, taken = strip(tensors(*names))

    assert list(plain.values()) == expected
    assert prefixes is None or taken == prefixes


def test_only_lightning_strips_model():
    plain, taken = strip(tensors("model.a", "model.b"), lightning=True)

    assert (list(plain.values()), taken) == (["a", "b"], ("model.",))


def test_buffers_may_lack_the_prefix():
    plain, _ = strip(tensors("module.a.weight", scalar=("n_averaged",)))

    assert plain == {"module.a.weight": "a.weight", "n_averaged": "n_averaged"}


def test_nothing_is_stripped_if_two_names_would_become_one():
    plain, taken = strip(tensors("module.a", scalar=("a",)))

    assert (plain, taken) == ({"module.a": "module.a", "a": "a"}, ())


def test_inner_wrappers_stay_if_two_names_would_become_one():
    plain, taken = strip(tensors("a._orig_mod.w", "a.w"))

    assert (list(plain), taken) == (list(plain.values()), ())
