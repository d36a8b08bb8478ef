"""Shapes of the results of torch's calls, found on tensors without numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["shape_of_result"]

#: Calls that depend on their arguments only and touch nothing but their result.
_PURE = frozenset({
    *("abs", "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d"),
    *("adaptive_max_pool1d", "adaptive_max_pool2d", "adaptive_max_pool3d", "add"),
    *("addmm", "alpha_dropout", "amax", "amin"),
    *("avg_pool1d", "avg_pool2d", "avg_pool3d", "baddbmm"),
    *("batch_norm", "bmm", "cat", "celu"),
    *("channel_shuffle", "chunk", "clamp", "clamp_min"),
    *("clone", "constant_pad_nd", "contiguous", "conv1d"),
    *("conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d"),
    *("conv_transpose3d", "detach", "div", "dropout"),
    *("einsum", "elu", "embedding", "erf"),
    *("exp", "expand", "expand_as", "feature_dropout"),
    *("flatten", "gelu", "glu", "group_norm"),
    *("gru", "hardsigmoid", "hardswish", "hardtanh"),
    *("instance_norm", "layer_norm", "leaky_relu", "linear"),
    *("log", "log_softmax", "lstm", "masked_fill"),
    *("matmul", "max_pool1d", "max_pool1d_with_indices", "max_pool2d"),
    *("max_pool2d_with_indices", "max_pool3d", "max_pool3d_with_indices", "mean"),
    *("mish", "mm", "mul", "narrow"),
    *("neg", "pad", "permute", "pixel_shuffle"),
    *("pow", "prelu", "reflection_pad1d", "reflection_pad2d"),
    *("relu", "relu6", "replication_pad1d", "replication_pad2d"),
    *("reshape", "rms_norm", "rnn_relu", "rnn_tanh"),
    *("rsqrt", "rsub", "scaled_dot_product_attention", "select"),
    *("selu", "sigmoid", "silu", "slice"),
    *("softmax", "softplus", "sqrt", "squeeze"),
    *("stack", "std", "sub", "sum"),
    *("t", "tanh", "to", "transpose"),
    *("unflatten", "unsqueeze", "upsample_bilinear2d", "upsample_nearest1d"),
    *("upsample_nearest2d", "var", "view", "where"),
    *("_softmax"),
})
#: Calls with one result per position along an axis, which should not be many.
_SEVERAL = frozenset({"split", "unbind"})
_MANY = 1024


def shape_of_result(
    name: str, given: tuple[Any, ...], keywords: Mapping[str, Any]
) -> Any:
    """Return what a call gives, as tensors without numbers.

    Args:
        name: Of the function in ATen, such as ``"conv2d"``.
        given: Arguments by position, tensors on the device ``"meta"``.
        keywords: Arguments by name.

    Returns:
        A tensor; a list of them and of None where there are several; None where the
        shape is not known.
    """
    import torch

    if name not in _PURE and not (name in _SEVERAL and _is_short(given)):
        return None
    try:
        with torch.no_grad():
            found = getattr(torch.ops.aten, name)(*given, **keywords)
    # Arguments come from a file; torch raises whatever it likes about them.
    except Exception:  # noqa: BLE001 - any failure means "not known"
        return None
    if isinstance(found, torch.Tensor):
        return found
    if isinstance(found, list | tuple):
        return [x if isinstance(x, torch.Tensor) else None for x in found]
    return None


def _is_short(given: tuple[Any, ...]) -> bool:
    shape = getattr(given[0], "shape", None) if given else None
    return shape is not None and max(shape, default=0) <= _MANY
