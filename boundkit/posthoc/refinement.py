"""Makes the certificate itself smaller: mean and scales of the posterior by Adam.

The objective is ``CE + tau KL/n`` on weights drawn anew for each half batch, with the
prior's scales at their optimum. ``tau`` weighs the two as the inverse of kl does at the
present bound B: ``dB/dq : dB/dc = ln(B (1-q) / (q (1-B)))``.

For most of the way only the means are moved by Adam. Scales follow the curvature h at
draws of the posterior, ``1/s^2 = 1/lambda^2 + n h / tau``: it is known from few samples,
where the slope of a scale is drowned in noise. In the end scales get their own slopes.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from boundkit.posthoc.closed_form import curvature, stationary
from boundkit.posthoc.gaussians import Posterior, group_sums
from boundkit.posthoc.objective import slope, weight_of_divergence

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

    from boundkit.posthoc.objective import Task

    Progress = Callable[[int, int | None, str], None] | None

__all__ = ["Refined", "Stopped", "refined"]

Stopped = Literal["finished", "budget", "interrupted", "diverged"]

#: Samples of a step: a convolution spends its time on samples, others on weights. With 80
#: instead of 128 a residual net of 77,000 weights came to .479 instead of .502.
_BATCH, _BATCH_OF_CONVOLUTIONS = 250, 80
#: Of Adam: for means in units of the prior's scale of their tensor, and for log scales.
_RATE, _SCALE_RATE = 0.12, 0.07
#: Fewer steps than these in all get smaller rates: no time to make good what they break.
_FULL = 2000
#: Share of the way, and steps at most, on which scales follow the curvature: given time,
#: their own slopes lead further.
_FOLLOWED, _FOLLOWED_STEPS = 0.5, 1000
#: Steps between looks at the curvature, samples of a look, weight of the newest look,
#: and rounds towards scales that agree with the prior's.
_LOOK_EVERY, _LOOKED_AT, _NEWEST, _ROUNDS = 50, 256, 0.3, 5
#: Of the running error and loss.
_FADE = 0.98
#: Steps between looks at the clock, at the bound, and between copies that are kept.
_EVERY, _KEEP_EVERY = 10, 100
#: Fewer steps than these are not a search.
_FEWEST = 200
#: How often the rate is cut to a quarter after numbers that are not finite.
_ATTEMPTS = 3


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
        self._curvature: torch.Tensor | None = None
        self._follows = True
        deep = any(len(shape) > 2 for shape in task.net.shapes)
        self._batch = _BATCH_OF_CONVOLUTIONS if deep else _BATCH
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
        expected = self.step / done if done else 0.0
        fall *= math.sqrt(min(1.0, max(expected, _FEWEST) / _FULL))
        self._follows = done < _FOLLOWED and self.step < _FOLLOWED_STEPS
        means, scales = self._adam.param_groups
        means["lr"] = _RATE * fall
        scales["lr"] = 0.0 if self._follows else _SCALE_RATE * fall

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
        again.step, again._curvature = self.step, self._curvature
        return again

    def posterior(self, *, kept: bool) -> Posterior:
        """Return the present posterior, or the last one known to be good."""
        if kept:
            return self._kept
        return Posterior(self._mean.clone(), self._log_scale.clone())

    def advance(self, generator: torch.Generator | None) -> None:
        """Take one step."""
        import torch

        if self._follows:
            self._follow(generator)
        here = slope(self.task, self._mean, self._log_scale, self._batch, generator)
        before = self._seen or (here.loss, here.wrong)
        fade = min(_FADE, self.step / (self.step + 1))
        self._seen = (
            torch.lerp(here.loss, before[0], fade),
            torch.lerp(here.wrong, before[1], fade),
        )
        wide, away = self._prior()
        share = self._tau / self.task.n
        inverse = wide.reciprocal().index_select(0, self.task.groups)
        spread = (2 * self._log_scale).exp() * inverse
        pull = here.mean.addcmul_(away, inverse, value=share)
        self._moved.grad = pull.mul_(self._unit)
        self._log_scale.grad = here.log_scale.add_(spread - 1, alpha=share)
        self._adam.step()
        torch.addcmul(self._base, self._unit, self._moved, out=self._mean)
        self.step += 1

    def _follow(self, generator: torch.Generator | None) -> None:
        """Set the scales to what the curvature asks."""
        import torch

        task = self.task
        if self._curvature is None or self.step % _LOOK_EVERY == 0:
            where = self._mean.device
            size = (_LOOKED_AT,)
            rows = torch.randint(len(task.x), size, generator=generator, device=where)
            noise = torch.randn(self._mean.shape, generator=generator, device=where)
            draw = self._mean + self._log_scale.exp() * noise
            x = task.x.index_select(0, rows)
            found = curvature(task.net, draw, x, task.scale, generator).float()
            before = found if self._curvature is None else self._curvature
            self._curvature = torch.lerp(before, found, _NEWEST)
        elif self.step % _EVERY:
            return
        count, weight = len(self._sizes), task.n / self._tau
        self._log_scale.copy_(
            stationary(
                Posterior(self._mean, self._log_scale),
                self._center,
                task.groups,
                count,
                weight * self._curvature,
                rounds=_ROUNDS,
            ).log_scale
        )

    def _prior(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the squared scale of each group, and how far each mean is away."""
        away = self._mean - self._center
        energy = (2 * self._log_scale).exp().addcmul_(away, away)
        sums = group_sums(energy, self.task.groups, len(self._sizes))
        return sums / self._sizes, away
