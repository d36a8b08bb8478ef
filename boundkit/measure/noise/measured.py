"""Noise of SGD at one checkpoint: gradients of single samples, layer by layer."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from boundkit.errors import ModelError, UsageError
from boundkit.measure.forward import require_per_sample
from boundkit.measure.noise.columns import (
    Columns,
    Training,
    absent,
    gradient_columns,
    update_columns,
)
from boundkit.measure.noise.drawn import draw
from boundkit.measure.noise.findings import COLUMNS, LayerNoise, Noise
from boundkit.measure.noise.found import found_by
from boundkit.measure.noise.losses import LOSSES
from boundkit.measure.noise.low_rank import EPSILON
from boundkit.measure.noise.patch_ranks import patch_count
from boundkit.measure.noise.placement import placement
from boundkit.measure.noise.plans import plan_of
from boundkit.measure.noise.rank_columns import movement_columns, rank_columns
from boundkit.measure.noise.totals import correlation, margins, total

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import torch
    from torch import nn

    from boundkit.data import Samples
    from boundkit.measure.noise.found import Found
    from boundkit.measure.noise.passes import Plan
    from boundkit.types import Layer, Network

    Progress = Callable[[int, int | None, str], None] | None

__all__ = ["noise"]


def noise(
    network: Network,
    module: nn.Module,
    samples: Samples,
    *,
    batch: int = 1,
    loss: str | None = None,
    weight_decay: float | None = None,
    learning_rate: float | None = None,
    steps: int | None = None,
    earlier: Network | None = None,
    earlier_module: nn.Module | None = None,
    device: str = "auto",
    batch_size: int = 256,
    progress: Progress = None,
    sample: int = 256,
    seed: int = 0,
) -> Noise:
    """Return the noise of minibatch gradients, and what it has to do with low rank.

    Gradients of the data loss of single samples, eval mode, float64; minibatches are
    drawn without replacement from the whole training sample. Xu et al. (2023), section
    6; Galanti, Siegel, Gupte, Poggio (2022).

    Args:
        network: With its weights as stored; traced, if patches are to be counted.
        module: The trained net; left as it was.
        samples: Its training sample.
        batch: Samples per step of SGD.
        loss: ``"square"``, ``"cross-entropy"``, or None for square with one output
            and cross-entropy with several.
        weight_decay: lam of ``lam ||W||^2``, half of torch's weight_decay.
        learning_rate: Of plain SGD.
        steps: Steps of SGD between the earlier checkpoint and this one.
        earlier: A checkpoint of the same run, for jitter and the rank of the update.
        earlier_module: The net of that checkpoint, for the jitter of the margins.
        device: Where to run.
        batch_size: Most samples at a time.
        progress: Called with chunks done, None, and a label.
        sample: Most samples to take gradients of.
        seed: Of their choice.

    Returns:
        Numbers for each layer, with their standard errors and reasons.

    Raises:
        DataError: The data cannot be used, or labels do not fit the outputs.
        ModelError: The net does not run, or torch cannot differentiate it.
        UsageError: An argument is out of range or contradicts another.
    """
    training = Training(batch, learning_rate, weight_decay, steps)
    _require_sense(training, sample)
    require_per_sample(module)
    spot = placement(network, module)
    if not spot.names:
        raise ModelError(
            "no layer's weight is a parameter of the model; give the model that was"
            " trained"
        )
    drawn = draw(samples, sample, seed, batch_size, progress)
    if batch > drawn.population:
        raise UsageError(
            f"batch must be at most the {drawn.population} samples there are, but got"
            f" {batch}"
        )
    plan, why = plan_of(network, spot, drawn, loss, device, samples.name)
    found = found_by(network, plan, drawn, batch_size, progress)
    layers = tuple(
        _layer(layer, network, plan, found, training, earlier, spot.missing)
        for layer in network.layers
    )
    return Noise(
        _conventions(plan, training, found, len(drawn.x), seed, why),
        layers,
        total(found, batch),
        correlation(layers, found.obstacle),
        margins(plan, drawn, earlier_module, batch_size, device),
    )


def _require_sense(training: Training, sample: int) -> None:
    if training.batch < 1:
        raise UsageError(f"batch must be at least 1, but got {training.batch}")
    if sample < 2:
        raise UsageError(f"sample must be at least 2, but got {sample}")
    if training.steps is not None and training.steps < 1:
        raise UsageError(f"steps must be at least 1, but got {training.steps}")
    mu, lam = training.learning_rate, training.weight_decay
    if mu is not None and not 0 < mu < math.inf:
        raise UsageError(f"learning_rate must be positive, but got {mu:g}")
    if lam is not None and not 0 <= lam < math.inf:
        raise UsageError(f"weight_decay must not be negative, but got {lam:g}")
    if mu is not None and lam is not None and 2 * mu * lam >= 1:
        raise UsageError(
            f"2 * learning_rate * weight_decay must be below 1, but is {2 * mu * lam:g};"
            " give the values that SGD was run with"
        )


def _layer(
    layer: Layer,
    network: Network,
    plan: Plan,
    found: Found,
    training: Training,
    earlier: Network | None,
    missing: Mapping[str, str],
) -> LayerNoise:
    if layer.name in missing:
        columns = absent(COLUMNS, missing[layer.name])
        return LayerNoise(layer.name, columns.values, columns.reasons)
    weight = plan.weights[layer.name]
    values = weight.cpu().numpy().reshape(layer.weight.shape)
    patches = patch_count(network, layer) or plan.patches.get(layer.name)
    columns = _gradients(layer.name, weight, found, training)
    columns |= update_columns(
        found.tangent.get(layer.name),
        found.widest.get(layer.name, math.nan),
        _identity(layer.name, found),
        _log_rho(network, plan),
        training.batch,
        found.obstacle or ("" if layer.counted else "it is not a factor of rho"),
    )
    columns |= rank_columns(layer, values, patches, training)
    columns |= movement_columns(layer, values, patches, earlier, training)
    return LayerNoise(layer.name, columns.values, columns.reasons)


def _gradients(
    name: str, weight: torch.Tensor, found: Found, training: Training
) -> Columns:
    sampled, pulled = found.gradient[name], None
    if training.weight_decay is not None:
        mean = found.seen.gradient.mean[name] + 2 * training.weight_decay * weight
        along = sampled.along + 2 * training.weight_decay * found.across[name]
        pulled = replace(sampled, along=along, square=float(mean.square().sum()))
    return gradient_columns(sampled, pulled, float(weight.norm()), training.batch)


def _identity(name: str, found: Found) -> float | None:
    euler = found.seen.euler
    if euler is None or name not in euler.worst or not float(euler.largest):
        return None
    return float(euler.worst[name]) / float(euler.largest)


def _log_rho(network: Network, plan: Plan) -> float:
    norms = [
        float(plan.weights[layer.name].norm())
        for layer in network.layers
        if layer.name in plan.normalized
    ]
    return math.fsum(math.log(norm) for norm in norms)


def _conventions(
    plan: Plan, training: Training, found: Found, used: int, seed: int, why: str
) -> dict[str, Any]:
    formula = LOSSES[plan.loss][0 if plan.outputs == 1 else 1]
    n = next(iter(found.gradient.values())).population
    way = "torch.func.vmap" if plan.way == "vmap" else f"sample by sample: {why}"
    dtype = str(next(plan.module.parameters()).dtype).removeprefix("torch.")
    return {
        "loss": plan.loss,
        "loss_of_a_sample": formula,
        "gradients": f"of the data loss, eval mode, {dtype}, {way}",
        "minibatches": "means over B of N samples drawn without replacement",
        "batch": training.batch,
        "population": n,
        "sample": used,
        "seed": seed,
        "stderr": "of the sample against the population; 0 where all were used",
        "learning_rate": training.learning_rate,
        "weight_decay": training.weight_decay,
        "weight_decay_of": "lam ||W||^2, half of torch's weight_decay",
        "steps": training.steps,
        "paper": found.obstacle or "Xu et al. (2023), section 6, root mean squares",
        "lemma8_pairs_among": found.paired,
        "rank_bound_within": EPSILON,
    }
