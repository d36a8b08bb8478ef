"""What the labels in a checkpoint commonly mean.

These are habits of training scripts, not a format: a label only ever decides between
readings that the shape of the data allows, and where two readings remain the file is
refused with a list.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from boundkit.readers.outline import Branch

__all__ = [
    "LEAVES",
    "aside",
    "is_model_label",
    "is_optimizer_tensor",
    "rival_components",
]

WRAPPERS = frozenset({
    "model",
    "model_dict",
    "model_params",
    "model_state",
    "model_state_dict",
    "model_weights",
    "module",
    "modules",
    "net",
    "net_state_dict",
    "network",
    "params",
    "parameters",
    "state",
    "state_dict",
    "statedict",
    "weights",
})
"""Labels under which scripts keep the weights."""

LEAVES = frozenset({
    "weight",
    "bias",
    "weight_g",
    "weight_v",
    "weight_orig",
    "weight_u",
    "running_mean",
    "running_var",
    "num_batches_tracked",
    "in_proj_weight",
    "in_proj_bias",
    "kernel",
    "embedding",
    "gamma",
    "beta",
    "w",
    "b",
})
"""Last components of the names that layers give their tensors."""

_ROLES = frozenset({
    "actor",
    "adversary",
    "critic",
    "discriminator",
    "ema",
    "generator",
    "netd",
    "netg",
    "shadow",
    "student",
    "swa",
    "teacher",
})

_RIVALS = (
    ({"g", "gen", "generator", "netg"}, {"d", "disc", "discriminator", "netd"}),
    ({"student"}, {"teacher"}),
    ({"online"}, {"target"}),
    ({"policy"}, {"target"}),
)
_HEADS = (({"actor", "pi", "policy"}, {"critic", "q", "value", "vf"}),)
"""Rivals only where nothing lies beside them that could be their common trunk."""

_NUMBERED = re.compile(r"(?:model|net|network)_?(?:[0-9]+|[a-z])")
_AFFIX = re.compile(r"^(?:net|model|module)_|_(?:net|network|model|module|state_dict)$")

_ASIDE = (
    (re.compile(r"(?:.*_)?(?:optim|optimi[sz]ers?|opt)(?:_.*)?"), "optimizer state"),
    (re.compile(r"(?:.*_)?(?:lr_)?(?:scheduler|sched)s?(?:_.*)?"), "scheduler state"),
    (re.compile(r"(?:.*_)?(?:grad_|loss_)?scaler(?:_.*)?|amp"), "loss scaler state"),
    (re.compile(r"(?:.*_)?(?:rng|random)(?:_.*)?states?|rng"), "random state"),
    (re.compile(r"callbacks|loops|trainer(?:_state)?"), "trainer state"),
    (re.compile(r"criterion|loss_fn|loss_function"), "loss function state"),
    (re.compile(r"hparams|hyper_?parameters|args|config|cfg"), "hyperparameters"),
    (re.compile(r"grads?|gradients?"), "gradients"),
)
_SOFT = frozenset({"scheduler state", "loss scaler state", "random state"})
"""Kinds whose labels a layer could bear as well."""

_ASIDE_CLASSES = (
    ("torch.optim.lr_scheduler.", "scheduler state"),
    ("torch.optim.", "optimizer state"),
    ("transformers.training_args", "hyperparameters"),
    ("argparse.", "hyperparameters"),
)

_OPTIMIZER_SLOTS = frozenset({
    "exp_avg",
    "exp_avg_sq",
    "exp_inf",
    "max_exp_avg_sq",
    "momentum_buffer",
    "square_avg",
    "acc_delta",
    "grad_avg",
})


def aside(label: str, branch: Branch) -> str | None:
    """Return why a branch is not part of the weights, or None if it may be.

    An optimizer is known by its structure, whatever its label; the other kinds by
    label, unless the branch holds what only layers hold.
    """
    if {"state", "param_groups"} <= branch.entries.keys():
        return "optimizer state"
    for prefix, kind in _ASIDE_CLASSES:
        if branch.class_name.startswith(prefix):
            return kind
    name = _snake(label)
    reason = next((why for pattern, why in _ASIDE if pattern.fullmatch(name)), None)
    if reason in _SOFT and not LEAVES.isdisjoint(branch.tensors):
        return None
    return reason


def is_model_label(label: str) -> bool:
    """Tell whether a label says that what lies under it is a model of its own."""
    name = _snake(label)
    return (
        name in WRAPPERS
        or bool(_NUMBERED.fullmatch(name))
        or not _ROLES.isdisjoint(name.split("_"))
    )


def is_optimizer_tensor(name: str) -> bool:
    """Tell whether a dotted name is one that optimizers give to their tensors."""
    return name.rpartition(".")[2] in _OPTIMIZER_SLOTS


def rival_components(components: Iterable[str]) -> bool:
    """Tell whether two of the components name networks that never form one chain.

    Such as a generator and its discriminator, or a model and its moving average.
    """
    snakes = {_snake(c) for c in components}
    plain = {_AFFIX.sub("", name) for name in snakes}
    if any(plain & left and plain & right for left, right in _RIVALS):
        return True
    if any(
        plain & left and plain & right and plain <= left | right
        for left, right in _HEADS
    ):
        return True
    averages = {s for s in snakes if "ema" in s.split("_")}
    originals = plain | {"ema", "model", "net"}
    return bool(snakes - averages) and any(
        "_".join(part for part in a.split("_") if part != "ema") in originals | {""}
        for a in averages
    )


def _snake(label: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", label[:100]).lower().replace("-", "_")
