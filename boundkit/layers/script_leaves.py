"""Modules of torch's own that are one operation to us: recurrence and attention."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.layers.script_values import torch_class
from boundkit.types import StoredTensor

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch

    from boundkit.layers.script_values import ScriptObject, ScriptTensor

__all__ = ["is_leaf", "leaf_result"]

_RECURRENT = frozenset({"GRU", "LSTM", "RNN"})
_ATTENDING = frozenset({
    "MultiheadAttention",
    "TransformerDecoder",
    "TransformerDecoderLayer",
    "TransformerEncoder",
    "TransformerEncoderLayer",
})


def is_leaf(owner: ScriptObject) -> bool:
    """Say whether a module is one operation, whatever its code calls."""
    return torch_class(owner) in _RECURRENT | _ATTENDING


def leaf_result(
    owner: ScriptObject, given: Sequence[ScriptTensor]
) -> torch.Tensor | None:
    """Return a tensor like the first one that such a module returns, None if unknown.

    Args:
        owner: The module.
        given: The tensors that it is given, the sequence first.
    """
    like = given[0].like if given else None
    if like is None or torch_class(owner) in _ATTENDING:
        return like
    # A projection of the hidden state, where there is one, is what comes out.
    last = owner.state.get("weight_hr_l0", owner.state.get("weight_hh_l0"))
    if not isinstance(last, StoredTensor) or len(last.shape) != 2:
        return None
    width = last.shape[0 if "weight_hr_l0" in owner.state else 1]
    both = 2 if "weight_ih_l0_reverse" in owner.state else 1
    return like.new_empty((*like.shape[:-1], both * width))
