"""What a tensor is, told from its name, its shape and its neighbors alone.

A bare state_dict has no architecture; these are the conventions of torch.nn and of the
libraries that save checkpoints with it. Nothing is guessed silently: every verdict
carries the reason that goes into the ledger.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from boundkit.numerics.blocks import is_floating

if TYPE_CHECKING:
    from collections.abc import Mapping

    from boundkit.types import Kind, StoredTensor

__all__ = ["Verdict", "classify", "looks_like_weight"]

Obstacle = Literal[
    "bias", "normalization", "attention", "recurrent", "embedding", "unread", "adapter"
]

_BUFFERS = {
    "running_mean": "running mean of a normalization layer",
    "running_var": "running variance of a normalization layer",
    "num_batches_tracked": "step counter of a normalization layer",
    "inv_freq": "rotary frequencies, not learned",
    "position_ids": "position indices, not learned",
    "relative_position_index": "position indices, not learned",
    "attn_mask": "attention mask, not learned",
    "masked_bias": "attention mask, not learned",
}
_EMBEDDING = re.compile(
    r"(^|_)(emb|embed|embeds|embedding|embeddings|embedder|wte|wpe)s?(_|$|\d)",
    re.IGNORECASE,
)
_RECURRENT = re.compile(r"^weight_(ih|hh|hr)(_l\d+)?(_reverse)?$")
_ATTENTION = re.compile(r"^(in_proj_weight|[qkv]_proj_weight)$")
_BIAS = re.compile(r"(^|_)bias(_|$|\d)|^b\d*$", re.IGNORECASE)
_ADAPTER = re.compile(r"(^|\.)(lora_[A-Za-z]\w*|lora_embedding_[AB]|ia3_l)(\.|$)")
_WEIGHT = re.compile(r"(^|_)(weight|weights|kernel)s?\d*$|^[wW]\d*$|^(tensor|\d+)$")

_CONV: dict[int, Kind] = {3: "conv1d", 4: "conv2d", 5: "conv3d"}
_CLASSES: dict[str, Kind] = {
    "Linear": "linear",
    "NonDynamicallyQuantizableLinear": "linear",
    "LazyLinear": "linear",
    "Embedding": "embedding",
    "EmbeddingBag": "embedding",
    "LSTM": "recurrent",
    "GRU": "recurrent",
    "RNN": "recurrent",
    "LSTMCell": "recurrent",
    "GRUCell": "recurrent",
    "RNNCell": "recurrent",
    "Conv1d": "conv1d",
    "Conv2d": "conv2d",
    "Conv3d": "conv3d",
    "LazyConv1d": "conv1d",
    "LazyConv2d": "conv2d",
    "LazyConv3d": "conv3d",
    "ConvTranspose1d": "conv_transpose1d",
    "ConvTranspose2d": "conv_transpose2d",
    "ConvTranspose3d": "conv_transpose3d",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a tensor is.

    Attributes:
        kind: Of the layer whose weight it is, or None.
        reason: For the ledger: why it is counted, or why not.
        parameter: Whether it was learned, so that it counts in the coverage.
        obstacle: What it means for theorems about bias-free ReLU chains, if anything.
    """

    kind: Kind | None
    reason: str
    parameter: bool = True
    obstacle: Obstacle | None = None


def looks_like_weight(name: str) -> bool:
    """Say whether ``name`` is what weights are usually called; adapters' are not."""
    leaf = name.rpartition(".")[2]
    return not _ADAPTER.search(name) and bool(
        _WEIGHT.search(leaf) or _RECURRENT.match(leaf) or _ATTENTION.match(leaf)
    )


def _unreadable(name: str, tensor: StoredTensor) -> Verdict | None:
    if tensor.storage is None:
        why = tensor.unread or "the file holds no numbers for it"
        return Verdict(None, why, parameter=True, obstacle="unread")
    if tensor.dtype.startswith("complex"):
        return Verdict(
            None, "complex numbers: no bound here covers them", obstacle="unread"
        )
    if tensor.dtype == "bool":
        return Verdict(None, "boolean mask, not learned", parameter=False)
    if not is_floating(tensor.dtype):
        integer = tensor.dtype.startswith(("int", "uint"))
        if not integer:
            why = f"dtype {tensor.dtype} (quantized or packed) is not read"
            return Verdict(None, why, obstacle="unread")
        leaf = name.rpartition(".")[2]
        packed = looks_like_weight(name) or leaf.startswith(("q", "packed"))
        if len(tensor.shape) >= 2 and packed:
            why = "integers: packed quantized weights are not read"
            return Verdict(None, why, obstacle="unread")
        return Verdict(None, "integers: a counter or indices", parameter=False)
    if tensor.numel == 0:
        return Verdict(None, "empty tensor", parameter=False)
    return None


def _vector(
    name: str, tensor: StoredTensor, neighbors: Mapping[str, StoredTensor]
) -> Verdict:
    prefix, _, leaf = name.rpartition(".")
    stem = f"{prefix}." if prefix else ""
    if _BIAS.search(leaf):
        if f"{stem}running_mean" in neighbors:
            return Verdict(None, "shift of a BatchNorm", obstacle="normalization")
        weight = neighbors.get(f"{stem}weight")
        if leaf == "bias" and weight is not None and len(weight.shape) == 1:
            why = "shift of a normalization layer"
            return Verdict(None, why, obstacle="normalization")
        return Verdict(None, "bias: not a factor of rho", obstacle="bias")
    if f"{stem}running_mean" in neighbors:
        return Verdict(None, "scale of a BatchNorm", obstacle="normalization")
    if not tensor.shape:
        return Verdict(None, "a single number, not a linear map")
    if looks_like_weight(name):
        why = "vector of scales (normalization or learned slope), not a linear map"
        return Verdict(None, why, obstacle="normalization")
    return Verdict(None, "a vector, not a linear map")


def _matrix(name: str, tensor: StoredTensor, module: str) -> Verdict:
    prefix, _, leaf = name.rpartition(".")
    if len(tensor.shape) > 5:
        return Verdict(None, f"{len(tensor.shape)}-d: no linear map of torch has that")
    if _RECURRENT.match(leaf):
        why = "recurrent matrix: listed with its norm, not a factor of rho"
        return Verdict("recurrent", why, obstacle="recurrent")
    if _ATTENTION.match(leaf):
        return Verdict("attention", "attention projection", obstacle="attention")
    kind = _CLASSES.get(module)
    last = leaf if _EMBEDDING.search(leaf) else prefix.rpartition(".")[2]
    if kind is None and len(tensor.shape) == 2 and _EMBEDDING.search(last):
        kind = "embedding"
    if kind == "embedding":
        why = "embedding: listed with its norm, not a factor of rho"
        return Verdict("embedding", why, obstacle="embedding")
    if kind == "recurrent":
        why = "recurrent matrix: listed with its norm, not a factor of rho"
        return Verdict("recurrent", why, obstacle="recurrent")
    if kind is None:
        kind = "linear" if len(tensor.shape) == 2 else _CONV[len(tensor.shape)]
    return Verdict(kind, "weight of a linear map")


def classify(
    name: str,
    tensor: StoredTensor,
    neighbors: Mapping[str, StoredTensor],
    *,
    module: str = "",
    conventional: bool = True,
) -> Verdict:
    """Say what one tensor is, and why.

    Args:
        name: Its dotted name.
        tensor: Its description; its numbers are not read.
        neighbors: All tensors of the model.
        module: Class of the module that owns it, without its package, if known.
        conventional: Whether the model's weights are called what weights are usually
            called; if not, every matrix is taken for a weight.
    """
    leaf = name.rpartition(".")[2]
    if leaf in _BUFFERS:
        statistics = leaf.startswith("running_")
        normalizes: Obstacle | None = "normalization" if statistics else None
        return Verdict(None, _BUFFERS[leaf], parameter=False, obstacle=normalizes)
    if (verdict := _unreadable(name, tensor)) is not None:
        return verdict
    if _ADAPTER.search(name):
        if not conventional and len(tensor.shape) == 2:
            why = "adapter matrix: its base is not here, so it is counted by itself"
            return Verdict("linear", why, obstacle="adapter")
        why = "adapter matrix: not merged into the weight that it changes"
        return Verdict(None, why, obstacle="adapter")
    if len(tensor.shape) < 2:
        return _vector(name, tensor, neighbors)
    if _BIAS.search(leaf) and not looks_like_weight(name):
        return Verdict(None, "bias: not a factor of rho", obstacle="bias")
    if _EMBEDDING.search(leaf) and not looks_like_weight(name):
        why = "embedding added to the input: not a linear map"
        return Verdict(None, why, obstacle="embedding")
    if conventional and not looks_like_weight(name):
        return Verdict(None, "not named as a weight, so not taken for a layer")
    return _matrix(name, tensor, module)
