"""Rows and totals of a report, from what the stages found."""

from __future__ import annotations

import math
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from boundkit.measure.margins import margin_summary
from boundkit.measure.printed import printed
from boundkit.report.model import LayerRow, Rho
from boundkit.types import Measurement, Notice

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from boundkit.types import Evidence, Geometry, Layer, LedgerRow, Network, Norms

__all__ = [
    "coverage",
    "describe_geometry",
    "folded_rows",
    "graph_rows",
    "head_convention",
    "heuristics",
    "layer_rows",
    "margins",
    "norm_notices",
    "parameters",
    "rho",
    "rho_measurements",
]


def coverage(ledger: Sequence[LedgerRow]) -> float:
    """Return the share of learned numbers that are counted or folded; 0 if none are.

    Args:
        ledger: One row per tensor.
    """
    sizes = [(math.prod(r.shape), r.status) for r in ledger if r.parameter]
    total = sum(size for size, _ in sizes)
    seen = sum(size for size, status in sizes if status != "skipped")
    return seen / total if total else 0.0


def _each(values: Sequence[int]) -> str:
    return str(values[0]) if len(set(values)) == 1 else "x".join(map(str, values))


def describe_geometry(geometry: Geometry | None) -> str:
    """Return stride, padding and the like in few characters, such as ``"/2 p1"``."""
    if geometry is None:
        return ""
    parts = [f"/{_each(geometry.stride)}"]
    if any(p != (0, 0) for p in geometry.padding):
        parts.append("p" + _each([max(p) for p in geometry.padding]))
    if any(d != 1 for d in geometry.dilation):
        parts.append("d" + _each(geometry.dilation))
    if geometry.groups != 1:
        parts.append(f"g{geometry.groups}")
    return " ".join(parts)


def layer_rows(
    network: Network,
    norms: Norms,
    columns: Mapping[str, Mapping[str, float | None]],
    points: Mapping[str, tuple[tuple[int, float], ...]],
) -> tuple[LayerRow, ...]:
    """Return the layer table.

    Args:
        network: Its layers, in their order.
        norms: Of their weights.
        columns: Layer name -> spectral columns, where they were computed.
        points: Layer name -> some of its singular values, where they are to be drawn.
    """

    def row(layer: Layer) -> LayerRow:
        norm = norms.weight[layer.name]
        finite = math.isfinite(norm)
        return LayerRow(
            layer.name,
            layer.kind,
            layer.weight.shape,
            layer.weight.numel,
            norm if finite else None,
            math.log10(norm) if finite and norm > 0 else None,
            layer.counted,
            describe_geometry(layer.geometry),
            MappingProxyType(dict(columns.get(layer.name, {}))),
            points.get(layer.name, ()),
        )

    return tuple(row(layer) for layer in network.layers)


def folded_rows(
    ledger: Sequence[LedgerRow], folded: Mapping[str, str]
) -> tuple[LedgerRow, ...]:
    """Return the ledger with the tensors that were folded into a layer marked so.

    Args:
        ledger: One row per tensor.
        folded: Tensor of a normalization layer -> layer it went into.
    """

    def row(old: LedgerRow) -> LedgerRow:
        layer = folded.get(old.tensor)
        if layer is None or old.status == "counted":
            return old
        why = f"{old.reason}; folded into {layer}"
        return replace(old, status="folded", layer=layer, reason=why)

    return tuple(map(row, ledger))


def graph_rows(ledger: Sequence[LedgerRow], network: Network) -> tuple[LedgerRow, ...]:
    """Return the ledger with the weights counted that only the graph tells of.

    Args:
        ledger: One row per tensor, told from names and shapes.
        network: With its layers as the graph shows them, if it is traced.
    """
    counted = {layer.name for layer in network.layers if layer.counted}

    def row(old: LedgerRow) -> LedgerRow:
        if old.tensor not in counted or old.status != "skipped":
            return old
        return replace(
            old,
            status="counted",
            layer=old.tensor,
            reason="weight of a linear map, as the graph shows",
        )

    return tuple(map(row, ledger)) if network.nodes is not None else tuple(ledger)


def head_convention(outputs: int | None) -> str | None:
    """Return how the bounds count the last layer, in words.

    Args:
        outputs: Of the network, or None.
    """
    if outputs is None:
        return None
    if outputs <= 2:
        return "its row" if outputs == 1 else "difference of its two rows"
    return "rows minus their mean"


def rho(network: Network, norms: Norms) -> Rho:
    """Return the product of the norms of the counted layers, each use a factor.

    Args:
        network: Its layers.
        norms: Of their weights.

    Returns:
        Both None if a norm is not finite or nothing is counted; value 0 and no
        logarithm if a norm is 0; the logarithm alone where the product overflows.
    """
    factors = [(norms.weight[x.name], x.uses) for x in network.layers if x.counted]
    if not factors or not all(math.isfinite(f) for f, _ in factors):
        return Rho(None, None)
    if any(f == 0 for f, _ in factors):
        return Rho(None, 0.0)
    log10 = math.fsum(uses * math.log10(f) for f, uses in factors)
    return Rho(log10, math.pow(10.0, log10) if abs(log10) < 308 else None)


def rho_measurements(stored: Rho) -> tuple[Measurement, ...]:
    """Return 1 / rho, which the papers regress test error against.

    Args:
        stored: The product of norms.
    """
    if stored.log10 is None:
        return ()
    value = math.pow(10.0, -stored.log10) if stored.log10 > -308 else None
    source = "Xu et al. (2023), section 4"
    return (Measurement("inverse_rho", value, "1", source, log10=-stored.log10),)


def norm_notices(
    network: Network, norms: Norms, counts: Mapping[str, tuple[int, int]]
) -> tuple[Notice, ...]:
    """Name every number that is not finite, and every layer that is zero.

    Args:
        network: Its layers.
        norms: Of their weights.
        counts: Tensor -> numbers of NaN and of infinite elements, where there are any.
    """
    notices = [
        Notice(
            "non-finite",
            f"{name} holds {nan} NaN and {infinite} infinite numbers; what depends on "
            "it is null",
            name,
        )
        for name, (nan, infinite) in counts.items()
    ]
    notices += [
        Notice(
            "zero-layer",
            f"{layer.name} is zero, so rho is 0 and its logarithm is not defined",
            layer.name,
        )
        for layer in network.layers
        if norms.weight[layer.name] == 0 and layer.counted
    ]
    if not any(layer.counted for layer in network.layers):
        why = "no tensor is a weight of a linear map, so there is no rho"
        notices.append(Notice("no-layers", why))
    return tuple(notices)


def parameters(ledger: Sequence[LedgerRow]) -> int:
    """Return the number of learned numbers, each tensor once.

    Args:
        ledger: One row per tensor.
    """
    return sum(math.prod(row.shape) for row in ledger if row.parameter)


def heuristics(
    network: Network, stored: Rho, sample: Evidence | None, delta: float
) -> tuple[Measurement, ...]:
    """Return the formulas that stand in print without a proof.

    Args:
        network: Its counted layers are L.
        stored: The product of norms.
        sample: The training sample, or None.
        delta: The probability of failure that the formulas speak of.
    """
    if sample is None or stored.log10 is None:
        return ()
    rms = math.sqrt(sample.mean_square_norm)
    return printed(network, stored.log10 * math.log(10), rms, sample.n, delta)


def margins(
    train: Evidence | None,
    test: Evidence | None,
    stored: Rho,
    weight_decay: float | None,
) -> dict[str, Any] | None:
    """Return the statistics of the margins, of the training sample and of a held-out one.

    Args:
        train: The training sample, or None.
        test: A held-out sample, or None.
        stored: The product of norms, for normalized margins.
        weight_decay: Coefficient of rho^2, or None.
    """
    found = {
        name: margin_summary(
            sample.margins, stored.log10, weight_decay, sample.alignment
        )
        for name, sample in (("train", train), ("test", test))
        if sample is not None and sample.margins is not None
    }
    if "train" not in found:
        return {"test": found["test"]} if found else None
    held_out = {"test": found["test"]} if "test" in found else {}
    return found["train"] | held_out
