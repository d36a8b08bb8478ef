"""Makes the certificate itself smaller: mean and scales of the posterior by Adam.

The objective is ``CE + tau KL/n`` on weights drawn anew for each half batch, with the
prior's scales at their optimum. ``tau`` weighs the two as the inverse of kl does at the
present bound B: ``dB/dq : dB/dc = ln(B (1-q) / (q (1-B)))``.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from boundkit.numerics.kl_inverse import kl_inverse
from boundkit.posthoc.gaussians import Posterior, group_sums
from boundkit.posthoc.losses import mistakes, smooth_loss

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

    from boundkit.posthoc.coordinates import Coordinates

    Progress = Callable[[int, int | None, str], None] | None

__all__ = ["Refined", "Stopped", "Task", "refined", "weight_of_divergence"]

Stopped = Literal["finished", "budget", "interrupted", "diverged"]

#: Samples of a step; half of them see the mean plus the noise, half minus it.
_BATCH = 250
#: Of Adam: for means in units of the prior's scale of their tensor, and for log scales.
_RATE, _SCALE_RATE = 0.12, 0.07
#: Of the running error and loss.
_FADE = 0.98
#: Steps between looks at the clock, at the bound, and between copies that are kept.
_EVERY, _KEEP_EVERY = 10, 100
#: Fewer steps than these are not a search.
_FEWEST = 200
#: How often the rate is cut to a quarter after numbers that are not finite.
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """What the posterior is to be good at; tensors on one device.

    Attributes:
        net: The network.
        center: (P,) of the prior.
        groups: (P,) group of each weight.
        x: (m, ...) inputs.
        labels: (m,).
        n: Size of the whole sample.
        extra: Nats beside the divergence.
        scale: Factor on the outputs in the smooth loss.
    """

    net: Coordinates
    center: torch.Tensor
    groups: torch.Tensor
    x: torch.Tensor
    labels: torch.Tensor
    n: int
    extra: float
    scale: float


@dataclass(frozen=True, slots=True, eq=False)
class Refined:
    """Where the optimizer ended.

    Attributes:
        posterior: (P,) normals.
        steps: How many were taken.
        stopped: Why it ended.
    """

    posterior: Posterior
    steps: int
    stopped: Stopped


@dataclass(frozen=True, slots=True, eq=False)
class _Slope:
    """Gradient of the smooth loss of one batch, and what the batch was like."""

    mean: torch.Tensor
    log_scale: torch.Tensor
    loss: torch.Tensor
    wrong: torch.Tensor


def weight_of_divergence(q: float, cost: float, loss: float) -> float:
    """Return tau: what a nat per sample is worth in units of the smooth loss.

    Args:
        q: Error rate under the posterior.
        cost: Right side of the bound, nats per sample.
        loss: Smooth loss that belongs to q.
    """
    q = min(max(q, 1e-4), 0.99)
    bound = min(max(kl_inverse(q, max(cost, 0.0)), q + 1e-6), 1 - 1e-6)
    slope = math.log(bound * (1 - q) / (q * (1 - bound)))
    return max(loss, 1e-3) / (q * slope)


def refined(
    task: Task,
    start: Posterior,
    *,
    steps: int,
    deadline: float,
    generator: torch.Generator | None,
    progress: Progress = None,
) -> Refined:
    """Make a posterior's bound smaller until the time or the steps are over.

    The rate falls as a cosine of the time or of the steps, whichever is further on. An
    interruption ends the search and keeps what it has found.

    Args:
        task: What the posterior is to be good at.
        start: (P,) normals on the device of the task.
        steps: At most.
        deadline: On ``time.perf_counter``.
        generator: Of batches and noise, on the device; None for torch's own.
        progress: Called with percent done, 100, and a label.
    """
    run = _Run(task, start, steps, deadline)
    stopped: Stopped
    try:
        stopped = run.to_the_end(generator, progress)
    except KeyboardInterrupt:
        stopped = "interrupted"
    return Refined(run.posterior(stopped), run.step, stopped)


class _Run:
    """A descent that starts again, slower, where its numbers are not finite."""

    def __init__(
        self, task: Task, start: Posterior, steps: int, deadline: float
    ) -> None:
        self._descent = _Descent(task, start, 1.0)
        self._steps, self._begun = steps, time.perf_counter()
        self._allowed = max(deadline - self._begun, 1e-9)

    @property
    def step(self) -> int:
        """Steps taken."""
        return self._descent.step

    def posterior(self, stopped: Stopped) -> Posterior:
        """Return the present posterior, or the last one known to be good."""
        return self._descent.posterior(kept=stopped in {"diverged", "interrupted"})

    def to_the_end(
        self, generator: torch.Generator | None, progress: Progress
    ) -> Stopped:
        """Take all steps that there is time for."""
        failures = 0
        while (done := self._done()) < 1:
            self._descent.slow_down(done)
            if progress is not None:
                progress(round(100 * done), 100, "searching")
            if not self._descent.weigh():
                failures += 1
                if failures > _ATTEMPTS:
                    return "diverged"
                self._descent = self._descent.restarted()
            for _ in range(min(_EVERY, self._steps - self.step)):
                self._descent.advance(generator)
        return "budget" if self.step < min(self._steps, _FEWEST) else "finished"

    def _done(self) -> float:
        """Return the share of the way, by steps or by time."""
        spent = (time.perf_counter() - self._begun) / self._allowed
        return max(self.step / self._steps if self._steps else 1.0, spent)


class _Descent:
    """Adam on means and log scales, with the running numbers that tau needs."""

    def __init__(self, task: Task, start: Posterior, share: float) -> None:
        import torch

        self.task, self.step, self._share, self._tau = task, 0, share, 1.0
        self._kept = start
        self._mean = start.mean.detach().float().clone()
        self._log_scale = start.log_scale.detach().float().clone()
        self._center = task.center.float()
        self._seen: tuple[torch.Tensor, torch.Tensor] | None = None
        ones = torch.ones_like(self._mean)
        count = len(task.net.names)
        self._sizes = group_sums(ones, task.groups, count).clamp(min=1)
        # Means are moved in units of the prior's scale: tensors differ by factors of ten.
        self._unit = self._prior()[0].sqrt().index_select(0, task.groups)
        self._moved = torch.zeros_like(self._mean)
        self._base = self._mean.clone()
        self._adam = torch.optim.Adam(
            [{"params": [self._moved]}, {"params": [self._log_scale]}],
            betas=(0.9, 0.99),
        )

    def slow_down(self, done: float) -> None:
        """Set the rates for a share of the way."""
        fall = self._share * (1 + math.cos(math.pi * done)) / 2
        means, scales = self._adam.param_groups
        means["lr"], scales["lr"] = _RATE * fall, _SCALE_RATE * fall

    def weigh(self) -> bool:
        """Set tau to what the present bound asks; say whether all is finite."""
        if self._seen is None:
            return True
        wide, _ = self._prior()
        nats = (
            wide.log().index_select(0, self.task.groups) / 2 - self._log_scale
        ).sum()
        loss, wrong = (float(value) for value in self._seen)
        cost = (float(nats) + self.task.extra) / self.task.n
        if not (math.isfinite(cost) and math.isfinite(loss)):
            return False
        self._tau = weight_of_divergence(wrong, cost, loss)
        # An interruption may fall between two halves of a step.
        if self.step % _KEEP_EVERY < _EVERY:
            self._kept = self.posterior(kept=False)
        return True

    def restarted(self) -> _Descent:
        """Return a descent from the last good posterior at a quarter of the rates."""
        again = _Descent(self.task, self._kept, self._share / 4)
        again.step = self.step
        return again

    def posterior(self, *, kept: bool) -> Posterior:
        """Return the present posterior, or the last one known to be good."""
        if kept:
            return self._kept
        return Posterior(self._mean.clone(), self._log_scale.clone())

    def advance(self, generator: torch.Generator | None) -> None:
        """Take one step."""
        import torch

        slope = self._slope(generator)
        before = self._seen or (slope.loss, slope.wrong)
        fade = min(_FADE, self.step / (self.step + 1))
        self._seen = (
            torch.lerp(slope.loss, before[0], fade),
            torch.lerp(slope.wrong, before[1], fade),
        )
        wide, away = self._prior()
        share = self._tau / self.task.n
        inverse = wide.reciprocal().index_select(0, self.task.groups)
        spread = (2 * self._log_scale).exp() * inverse
        pull = slope.mean.addcmul_(away, inverse, value=share)
        self._moved.grad = pull.mul_(self._unit)
        self._log_scale.grad = slope.log_scale.add_(spread - 1, alpha=share)
        self._adam.step()
        torch.addcmul(self._base, self._unit, self._moved, out=self._mean)
        self.step += 1

    def _prior(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the squared scale of each group, and how far each mean is away."""
        away = self._mean - self._center
        energy = (2 * self._log_scale).exp().addcmul_(away, away)
        sums = group_sums(energy, self.task.groups, len(self._sizes))
        return sums / self._sizes, away

    def _slope(self, generator: torch.Generator | None) -> _Slope:
        import torch

        task, mean = self.task, self._mean
        where = mean.device
        rows = torch.randint(len(task.x), (_BATCH,), generator=generator, device=where)
        noise = torch.randn(mean.shape, generator=generator, device=where)
        moved = self._log_scale.exp() * noise
        total, signed = torch.zeros_like(mean), torch.zeros_like(mean)
        losses, wrong = [], []
        for sign, part in zip((1.0, -1.0), rows.chunk(2), strict=True):
            leaf = torch.add(mean, moved, alpha=sign).requires_grad_()
            labels = task.labels.index_select(0, part)
            outputs = task.net.outputs(leaf, task.x.index_select(0, part))
            loss = smooth_loss(outputs, labels, task.scale)
            (slope,) = torch.autograd.grad(loss, leaf)
            total.add_(slope, alpha=0.5)
            signed.add_(slope, alpha=sign / 2)
            losses.append(loss.detach())
            wrong.append(mistakes(outputs.detach(), labels, 0.0).float().mean())
        mean_loss, mean_wrong = torch.stack(losses).mean(), torch.stack(wrong).mean()
        return _Slope(total, signed.mul_(moved), mean_loss, mean_wrong)
