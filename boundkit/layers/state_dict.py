"""Layers and ledger of a checkpoint, from its tensors alone."""

from __future__ import annotations

from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING

from boundkit.layers.forward_order import follows, forward_order
from boundkit.layers.names import Verdict, classify, looks_like_weight
from boundkit.layers.parametrized import Rebuilt, rebuild
from boundkit.numerics.blocks import is_floating
from boundkit.numerics.collector import without_collector
from boundkit.types import Geometry, Layer, LedgerRow, Network

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import Any

    from boundkit.types import Checkpoint, StoredTensor

__all__ = ["GUESSED_ORDER", "from_tensors"]

#: The rewrite that puts layers into an order in which their shapes fit.
GUESSED_ORDER = "forward order told from shapes"

_UNCOUNTED = frozenset({"recurrent", "embedding"})


def _effective(
    checkpoint: Checkpoint, rebuilt: tuple[Rebuilt, ...]
) -> dict[str, StoredTensor]:
    """Return the tensors in stored order, each rebuilt weight in its first part's place."""
    owner = {part: r for r in rebuilt for part in r.parts}
    out: dict[str, StoredTensor] = {}
    for name, tensor in checkpoint.tensors.items():
        r = owner.get(name)
        if r is None:
            out[name] = tensor
        elif r.name not in out:
            out[r.name] = r.tensor
    return out


def _modules(checkpoint: Checkpoint, name: str) -> Mapping[str, Any]:
    return checkpoint.modules.get(name.rpartition(".")[0], {})


def _verdicts(
    checkpoint: Checkpoint, tensors: Mapping[str, StoredTensor]
) -> dict[str, Verdict]:
    conventional = any(
        looks_like_weight(name) and len(t.shape) >= 2 and is_floating(t.dtype)
        for name, t in tensors.items()
    )
    return {
        name: classify(
            name,
            tensor,
            tensors,
            module=str(_modules(checkpoint, name).get("class", "")).rpartition(".")[2],
            conventional=conventional,
        )
        for name, tensor in tensors.items()
    }


def _representatives(
    checkpoint: Checkpoint, verdicts: Mapping[str, Verdict]
) -> dict[str, str]:
    """Map every aliased name to the one that is analyzed: a counted layer if there is one."""
    groups: dict[str, list[str]] = {}
    for name, first in checkpoint.aliases.items():
        groups.setdefault(first, [first]).append(name)
    chosen: dict[str, str] = {}
    for members in groups.values():
        known = [m for m in members if m in verdicts]
        if not known:
            continue
        best = next(
            (m for m in known if verdicts[m].kind not in {None, *_UNCOUNTED}), known[0]
        )
        chosen |= dict.fromkeys(known, best)
    return chosen


def _windows(attributes: Mapping[str, Any], rank: int) -> Geometry | None:
    """Read a convolution's geometry off a stored module's attributes, if all are there."""
    try:
        kernel, stride, dilation = (
            tuple(int(v) for v in attributes[key])
            for key in ("kernel_size", "stride", "dilation")
        )
        padding = tuple((int(v), int(v)) for v in attributes["padding"])
        groups = int(attributes["groups"])
    except (KeyError, TypeError, ValueError):
        return None
    if {len(kernel), len(stride), len(dilation), len(padding)} != {rank}:
        return None
    return Geometry(
        kernel,
        stride,
        padding,
        dilation,
        groups=groups,
        transposed="Transpose" in str(attributes.get("class", "")),
        padding_mode=str(attributes.get("padding_mode", "zeros")),
    )


def _layer(
    checkpoint: Checkpoint,
    name: str,
    tensors: Mapping[str, StoredTensor],
    verdict: Verdict,
) -> Layer:
    assert verdict.kind is not None  # noqa: S101 - callers pass layers only
    tensor = tensors[name]
    bias_name = name.removesuffix("weight") + "bias"
    bias = tensors.get(bias_name) if name.endswith("weight") else None
    geometry = None
    if verdict.kind.startswith("conv"):
        geometry = _windows(_modules(checkpoint, name), len(tensor.shape) - 2)
    return Layer(
        name,
        verdict.kind,
        tensor,
        bias=bias,
        geometry=geometry,
        counted=verdict.kind not in _UNCOUNTED,
    )


def _row(
    name: str, tensor: StoredTensor, verdict: Verdict, same_as: str | None
) -> LedgerRow:
    if same_as is not None and same_as != name:
        why = f"the same tensor as {same_as}, counted once"
        return LedgerRow(
            name, tensor.shape, tensor.dtype, "skipped", same_as, why, parameter=False
        )
    counted = verdict.kind is not None and verdict.kind not in _UNCOUNTED
    return LedgerRow(
        name,
        tensor.shape,
        tensor.dtype,
        "counted" if counted else "skipped",
        name if verdict.kind is not None else None,
        verdict.reason,
        verdict.parameter,
    )


def _part_row(part: str, tensor: StoredTensor, rebuilt: Rebuilt) -> LedgerRow:
    learned = part not in rebuilt.auxiliary
    return LedgerRow(
        part,
        tensor.shape,
        tensor.dtype,
        "counted" if learned else "skipped",
        rebuilt.name,
        f"{rebuilt.parts[part]}; {rebuilt.how}",
        learned,
    )


def _ledger(
    checkpoint: Checkpoint,
    verdicts: Mapping[str, Verdict],
    rebuilt: Collection[Rebuilt],
    same: Mapping[str, str],
) -> tuple[LedgerRow, ...]:
    owner = {part: r for r in rebuilt for part in r.parts}
    rows = [
        _part_row(name, tensor, owner[name])
        if name in owner
        else _row(name, tensor, verdicts[name], same.get(name))
        for name, tensor in checkpoint.tensors.items()
    ]
    rows += [
        LedgerRow(name, t.shape, t.dtype, "skipped", None, reason, parameter=False)
        for name, (t, reason) in checkpoint.beside.items()
    ]
    return tuple(rows)


def _outputs(layers: tuple[Layer, ...]) -> int | None:
    """Return the number of rows of the last counted layer, if they are its outputs."""
    last = next((x for x in reversed(layers) if x.counted), None)
    if last is None or last.kind == "attention":
        return None
    return last.weight.shape[1 if last.kind.startswith("conv_transpose") else 0]


def _ordered(
    layers: tuple[Layer, ...], obstacles: dict[str, list[str]]
) -> tuple[tuple[Layer, ...], bool]:
    """Return the layers as a chain if they can be one, and whether that moved any.

    Where they cannot, ``obstacles`` gets a ``branching`` entry, unless something else
    stands against a chain already.
    """
    if obstacles.keys() & {"attention", "recurrent", "embedding", "normalization"}:
        return layers, False
    counted = [layer for layer in layers if layer.counted]
    order, possible = forward_order(counted)
    if not possible:
        a, b = next((a, b) for a, b in pairwise(counted) if not follows(a, b))
        obstacles["branching"] = [a.name, b.name]
    moved = [x.name for x in order] != [x.name for x in counted]
    rest = tuple(layer for layer in layers if not layer.counted)
    return ((*order, *rest) if moved else layers), moved


@without_collector()
def from_tensors(checkpoint: Checkpoint) -> tuple[Network, tuple[LedgerRow, ...]]:
    """Return the layers in stored order, and one ledger row per tensor.

    The architecture is not known: ``Network.nodes`` is None. Weights that are stored in
    pieces are rebuilt; views of the same numbers count once.

    Args:
        checkpoint: As read; no number is read here.
    """
    rebuilt = rebuild(checkpoint.tensors)
    tensors = _effective(checkpoint, rebuilt)
    verdicts = _verdicts(checkpoint, tensors)
    same = _representatives(checkpoint, verdicts)
    own = [name for name in tensors if same.get(name, name) == name]
    layers = tuple(
        _layer(checkpoint, name, tensors, verdicts[name])
        for name in own
        if verdicts[name].kind is not None
    )
    obstacles: dict[str, list[str]] = {}
    for name in own:
        if (sort := verdicts[name].obstacle) is not None:
            obstacles.setdefault(sort, []).append(name)
    layers, guessed = _ordered(layers, obstacles)
    rewrites = sorted({r.how for r in rebuilt})
    network = Network(
        layers,
        outputs=_outputs(layers),
        obstacles=MappingProxyType({k: tuple(v) for k, v in obstacles.items()}),
        rewrites=(*rewrites, GUESSED_ORDER) if guessed else tuple(rewrites),
    )
    return network, _ledger(checkpoint, verdicts, rebuilt, same)
