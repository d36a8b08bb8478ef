"""A net while it is trained: weights, velocities, and rho on top."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from boundkit.errors import UsageError
from boundkit.lab.nets import build, named
from boundkit.lab.nets.architecture import layers_of
from boundkit.lab.objective import decay_term, mean_loss
from boundkit.lab.parametrization import (
    lagrange_step,
    plain_step,
    unit,
    weight_step,
)

if TYPE_CHECKING:
    from boundkit.lab.recipe import Recipe

__all__ = [
    "Learner",
    "advance",
    "begun",
    "materialized",
    "objective",
    "rho_of",
    "scores",
]


@dataclass(slots=True, eq=False)
class Learner:
    """What a step of training changes.

    Attributes:
        recipe: What to do.
        net: Holds W, or V of unit norms.
        velocities: One a parameter of the net, in its order.
        lengths: |v| of every layer, for weight normalization.
        rho: Factor on top, a scalar; 1 for plain weights.
        rho_velocity: Of the factor.
    """

    recipe: Recipe
    net: nn.Module
    velocities: list[Tensor]
    lengths: list[Tensor]
    rho: Tensor
    rho_velocity: Tensor

    def state(self) -> dict[str, Any]:
        """Return everything in a form that ``torch.save`` keeps exactly."""
        return {
            "net": self.net.state_dict(),
            "velocities": self.velocities,
            "lengths": self.lengths,
            "rho": self.rho,
            "rho_velocity": self.rho_velocity,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take everything from a state that was kept."""
        where = self.rho.device
        self.net.load_state_dict(state["net"])
        self.velocities = [each.to(where) for each in state["velocities"]]
        self.lengths = [each.to(where) for each in state["lengths"]]
        self.rho = state["rho"].to(where)
        self.rho_velocity = state["rho_velocity"].to(where)


def begun(recipe: Recipe, shape: tuple[int, int, int], device: torch.device) -> Learner:
    """Return a net with the initial weights of its recipe; drawn on the CPU.

    Args:
        recipe: What to train.
        shape: Channels, rows and columns of an image.
        device: Where to.

    Raises:
        UsageError: The net has weights that its parametrization says nothing of, or the
            image is too small for it.
    """
    normalized = recipe.parametrization != "plain"
    if normalized and not named(recipe.net).homogeneous:
        raise UsageError(
            f"{recipe.net!r} has biases or scales of BatchNorm, so no norm can be pulled"
            f" out of it; use parametrization='plain', not {recipe.parametrization!r}"
        )
    net = build(recipe.net, shape, recipe.outputs, recipe.width)
    rho = _initialized(net, recipe)
    net.to(device)
    return Learner(
        recipe,
        net,
        [torch.zeros_like(p) for p in net.parameters()],
        [torch.ones((), device=device) for _ in layers_of(net)],
        rho.to(device),
        torch.zeros((), device=device),
    )


@torch.no_grad()
def _initialized(net: nn.Module, recipe: Recipe) -> Tensor:
    """Draw the layers' weights; return rho where they have unit norms, else 1."""
    source = torch.Generator().manual_seed(recipe.seed)
    rho = torch.ones(())
    layers = layers_of(net)
    for name, layer in layers.items():
        weight = torch.randn(layer.weight.shape, generator=source)
        gain = 1 if name == "head" else 2
        weight *= (gain / layer.weight[0].numel()) ** 0.5 * recipe.init
        if recipe.init_kind == "norm":
            weight = recipe.init * unit(weight)
        if recipe.parametrization != "plain":
            rho *= torch.linalg.vector_norm(weight)
            weight = unit(weight)
        layer.weight.copy_(weight)
        if layer.bias is not None:
            layer.bias.zero_()
    return rho


def scores(learner: Learner, x: Tensor) -> Tensor:
    """Return the outputs (b, outputs) for images x; rho counts."""
    out: Tensor = learner.net(x)
    return out if learner.recipe.parametrization == "plain" else learner.rho * out


def rho_of(learner: Learner) -> Tensor:
    """Return the product of the layers' Frobenius norms, a float64 scalar."""
    if learner.recipe.parametrization != "plain":
        # Large steps can carry the factor through 0; a product of norms is positive.
        return learner.rho.detach().double().abs()
    norms = [
        torch.linalg.vector_norm(layer.weight.detach().double())
        for layer in layers_of(learner.net).values()
    ]
    return torch.stack(norms).log().sum().exp()


def objective(learner: Learner, loss: Tensor) -> Tensor:
    """Return a loss with the decay of the recipe."""
    weights = [p.detach() for p in learner.net.parameters()]
    on_rho = learner.recipe.decay_on == "rho"
    term = decay_term(weights, rho_of(learner), learner.recipe.decay, on_rho=on_rho)
    return loss + term


def advance(learner: Learner, x: Tensor, wanted: Tensor, rate: float) -> Tensor:
    """Take a step on a batch and return its loss before, without decay, on the device.

    Args:
        learner: Is changed.
        x: (b, channels, rows, columns).
        wanted: Targets of the batch.
        rate: Learning rate.
    """
    recipe = learner.recipe
    parameters = list(learner.net.parameters())
    normalized = recipe.parametrization != "plain"
    learner.rho.requires_grad_(normalized)
    loss = mean_loss(scores(learner, x), wanted, recipe.loss)
    leaves = [*parameters, learner.rho] if normalized else parameters
    gradients = list(torch.autograd.grad(loss, leaves))
    with torch.no_grad():
        if normalized:
            _move_rho(learner, gradients.pop(), rate)
            _move_units(learner, parameters, gradients, rate)
        else:
            _move_plain(learner, parameters, gradients, rate)
    return loss.detach()


def _move_rho(learner: Learner, gradient: Tensor, rate: float) -> None:
    recipe = learner.recipe
    rho = learner.rho.detach()
    learner.rho, learner.rho_velocity = plain_step(
        rho,
        learner.rho_velocity,
        gradient + 2 * recipe.decay * rho,
        rate,
        recipe.momentum,
    )


def _move_units(
    learner: Learner, weights: list[nn.Parameter], gradients: list[Tensor], rate: float
) -> None:
    momentum = learner.recipe.momentum
    for at, (weight, gradient) in enumerate(zip(weights, gradients, strict=True)):
        velocity = learner.velocities[at]
        if learner.recipe.parametrization == "lagrange":
            moved, velocity = lagrange_step(weight, velocity, gradient, rate, momentum)
        else:
            moved, velocity, learner.lengths[at] = weight_step(
                weight, velocity, learner.lengths[at], gradient, rate, momentum
            )
        weight.copy_(moved)
        learner.velocities[at] = velocity


def _move_plain(
    learner: Learner, weights: list[nn.Parameter], gradients: list[Tensor], rate: float
) -> None:
    recipe = learner.recipe
    if recipe.decay and recipe.decay_on == "rho":
        gradients = _with_rho_decay(learner, weights, gradients)
    shrink = recipe.decay if recipe.decay_on == "layers" else 0.0
    for at, (weight, gradient) in enumerate(zip(weights, gradients, strict=True)):
        slope = gradient + shrink * weight if shrink else gradient
        moved, learner.velocities[at] = plain_step(
            weight, learner.velocities[at], slope, rate, recipe.momentum
        )
        weight.copy_(moved)


def _with_rho_decay(
    learner: Learner, weights: list[nn.Parameter], gradients: list[Tensor]
) -> list[Tensor]:
    """Add the gradient of lam rho^2: 2 lam rho^2 W_k / |W_k|^2 in every layer."""
    layers = {id(layer.weight) for layer in layers_of(learner.net).values()}
    slope = (2 * learner.recipe.decay * rho_of(learner).square()).float()
    return [
        g + slope * w / w.square().sum() if id(w) in layers else g
        for w, g in zip(weights, gradients, strict=True)
    ]


def materialized(learner: Learner) -> dict[str, Tensor]:
    """Return the weights on the CPU, rho multiplied into the last layer."""
    state = {
        name: t.detach().cpu().clone() for name, t in learner.net.state_dict().items()
    }
    if learner.recipe.parametrization != "plain":
        state["head.weight"] *= learner.rho.detach().cpu()
    return state
