"""Products of fewer digits than float32 has are noticed."""

import torch

from boundkit.numerics.products import keeps_digits


def test_products_are_what_they_are_called():
    assert keeps_digits("cpu")


def test_products_in_bfloat16_are_noticed(monkeypatch):
    def rounded(one, other, *, out):
        return out.copy_((one.bfloat16() @ other.bfloat16()).float())

    monkeypatch.setattr(torch, "mm", rounded)

    assert not keeps_digits("cpu")
