"""The graph of a network against what the network does: where they differ is said."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from boundkit.errors import NotApplicable
from boundkit.layers.doubling import doubling_errors
from boundkit.layers.probe import evaluating, is_homogeneous, random_inputs
from boundkit.layers.replay import replay
from boundkit.layers.structure import claims_homogeneity
from boundkit.numerics.norms import frobenius_norm
from boundkit.types import Notice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import torch
    from torch import nn

    from boundkit.types import Network

__all__ = ["probed"]

#: Relative error that float32 may leave; a wrong graph is off by far more.
_TOLERANCE = 1e-3
#: Layers that are doubled, one forward pass each.
_MOST_DOUBLED = 32
#: Random samples that are run.
_SAMPLES = 4


def probed(
    network: Network,
    module: nn.Module,
    real: torch.Tensor | None,
    ours: Mapping[str, str],
) -> tuple[Network, tuple[Notice, ...]]:
    """Return the network with what running the module says against its graph.

    The nodes are run beside the module; f(2x) = 2 f(x) is tried where the graph implies
    it; and so is that doubling a layer doubles f, or, with biases, doubling the last
    layer's weight and bias.

    Args:
        network: Wired and rewritten: what the bounds see.
        module: What was traced.
        real: (b, ...) some samples of the data, or None.
        ours: Name of a weight or bias in the network -> in the module.

    Returns:
        The network with ``doubts``, and a notice for each of them.

    Raises:
        Unreadable: The bytes of a weight are not there.
    """
    if network.nodes is None or network.input_shape is None:
        return network, ()
    inputs = random_inputs(module, (_SAMPLES, *network.input_shape))
    samples = [inputs] if real is None else [inputs, real.to(inputs)]
    found = _misfits(network, module, samples, ours)
    doubts = tuple(doubt for doubt, serious in found if serious)
    return replace(network, doubts=doubts), tuple(
        Notice("probe-disagrees", doubt) for doubt, _ in found
    )


def _misfits(
    network: Network,
    module: nn.Module,
    samples: list[torch.Tensor],
    ours: Mapping[str, str],
) -> list[tuple[str, bool]]:
    """Return what does not fit, and whether a bound could be wrong for it."""
    biased = frozenset(
        layer.name
        for layer in network.layers
        if layer.bias is not None
        and layer.bias.storage is not None
        and frobenius_norm(layer.bias) > 0
    )
    if not _is_described(network):
        return []
    claim = claims_homogeneity(network, biased)
    seen = None if claim is None else is_homogeneous(module, samples[-1])
    found: list[tuple[str, bool]] = []
    if claim and seen is False:
        why = "the graph is a positively homogeneous network, but f(2x) is not 2 f(x)"
        found.append((why, True))
    if claim is False and seen:
        why = "the graph adds biases, but f(2x) = 2 f(x): they have no effect"
        found.append((why, False))
    for x in samples:
        found += _replayed(network, module, x)
        found += _doubled(network, module, x, ours, homogeneous=bool(claim))
    return list(dict.fromkeys(found))


def _is_described(network: Network) -> bool:
    """Say whether the graph tells what each node does."""
    return not any(
        n.op == "unknown" or (n.op == "norm" and n.statistics is None)
        for n in network.nodes or ()
    )


def _replayed(
    network: Network, module: nn.Module, x: torch.Tensor
) -> Iterator[tuple[str, bool]]:
    import torch

    with evaluating(module), torch.inference_mode():
        try:
            expected = module(x).double().reshape(len(x), -1)
            found = replay(network, x).double().reshape(len(x), -1)
        except NotApplicable:
            return
    error = float((found - expected).norm() / expected.norm().clamp(min=1e-30))
    if error > _TOLERANCE:
        yield "the graph, run by itself, gives other outputs than the model", True


def _doubled(
    network: Network,
    module: nn.Module,
    x: torch.Tensor,
    ours: Mapping[str, str],
    *,
    homogeneous: bool,
) -> Iterator[tuple[str, bool]]:
    uses = Counter(n.layer for n in network.nodes or () if n.layer is not None)
    ops = [node.op for node in network.nodes or ()]
    # A shift after the last layer would have to be doubled too, and so would the other
    # summands of an addition there.
    if "layer" not in ops or {"norm", "add"} & {*ops[::-1][: ops[::-1].index("layer")]}:
        return
    # Doubling a layer inside a branch does not double what is added to the branch.
    tried = _tried(list(uses), homogeneous=homogeneous and "add" not in ops)
    # A layer that was folded into is doubled together with its normalization only.
    stored = {n: ours[n] for n in tried if n in ours and not _rewritten(network, n)}
    added = {n.layer: n.bias for n in network.nodes or () if n.layer in stored}
    known = [ours[b] for b in added.values() if b is not None and b in ours]
    biases = [] if homogeneous else known
    counts = {ours_: uses[theirs] for theirs, ours_ in stored.items()}
    errors = _safely(lambda: doubling_errors(module, x, counts, biases))
    what = "its weight" if homogeneous else "its weight and bias"
    for name, own in stored.items():
        if not errors.get(own, 0.0) <= _TOLERANCE:
            yield f"doubling {name} ({what}) does not double the outputs", True


def _tried(names: list[str], *, homogeneous: bool) -> list[str]:
    if not homogeneous:
        return names[-1:]
    step = -(-len(names) // _MOST_DOUBLED)
    return list(dict.fromkeys([*names[::step], names[-1]])) if names else []


def _rewritten(network: Network, name: str) -> bool:
    layer = next((x for x in network.layers if x.name == name), None)
    storage = None if layer is None else layer.weight.storage
    return storage is not None and storage.key.startswith("computed:fold_norm:")


def _safely(run: Callable[[], Mapping[str, float]]) -> Mapping[str, float]:
    try:
        return run()
    # Models are foreign code: a copy of one may raise anything.
    except Exception:  # noqa: BLE001 - then nothing is known
        return {}
