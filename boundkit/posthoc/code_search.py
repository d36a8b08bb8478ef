"""The search for a short code that errs little. Nothing here is trusted by the bound."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from boundkit.numerics.kl_inverse import kl_inverse
from boundkit.posthoc.code_plan import as_code, factors, numbers, opened, planned, put
from boundkit.posthoc.code_refine import requantized, trained
from boundkit.posthoc.coded import bits
from boundkit.posthoc.counting import counted
from boundkit.posthoc.losses import SCALES, smooth_loss
from boundkit.posthoc.saliency import input_moments, squared_gradients
from boundkit.posthoc.threads import fastest_threads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import torch
    from torch import nn

    from boundkit.posthoc.code_plan import Books, Plan
    from boundkit.posthoc.coded import Center, CodedNetwork
    from boundkit.posthoc.saliency import Inputs
    from boundkit.posthoc.settled import Settled

    Progress = Callable[[int, int | None, str], None] | None

__all__ = ["RANKS", "Found", "Stopped", "searched"]

Stopped = Literal["finished", "budget", "interrupted"]

#: Ranks that are tried for linear layers.
RANKS = (1, 2, 4, 8, 16)
#: Samples that settings are compared on.
_COMPARED = 4000
#: Loss per nat of code to start from.
_PRICES = (4e-6, 1.6e-5, 1e-6, 6.4e-5)
#: Factors on the price that are tried after each segment of training.
_STEPS_OF_PRICE = (1.0, 1.6, 0.6)
#: For each round: how many tries go on, segments of training, steps of a segment.
_ROUNDS = ((4, 1, 40), (2, 3, 40), (1, 12, 50))
_RATE, _LAST_RATE = 2e-3, 2e-4
#: Share of the budget after which gradients are no longer looked at.
_LOOKING = 0.15
#: Share of the budget for the tries without training.
_OPENING = 0.35


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """The best code of a search.

    Attributes:
        network: The code.
        stopped: Why the search ended.
        tries: Codes that were compared.
    """

    network: CodedNetwork
    stopped: Stopped
    tries: int


@dataclass(frozen=True, slots=True, eq=False)
class _Try:
    plan: Plan
    books: Books
    price: float
    bound: float


@dataclass(frozen=True, slots=True, eq=False)
class _Trial:
    """What tries are judged by: an estimate of the bound, from some of the samples."""

    module: nn.Module
    x: torch.Tensor
    labels: torch.Tensor
    n: int
    delta: float

    def work(self) -> None:
        """Do a little of what the search does most."""
        import torch

        with torch.inference_mode():
            self.module(self.x[:256])

    def judged(self, plan: Plan, books: Books, price: float) -> _Try:
        import torch

        tensors = put(plan, [v.float() for v in numbers(plan.parts, books)])
        device = self.x.device
        batches = zip(
            torch.split(self.x, 1000), torch.split(self.labels, 1000), strict=True
        )
        (count,) = counted(self.module, (tensors,), batches, device)
        nats = bits(as_code(plan, books)).total * math.log(2) + math.log(1 / self.delta)
        bound = kl_inverse(count.guarded / len(self.labels), nats / self.n)
        # Beyond 1, shorter codes are still better.
        return _Try(plan, books, price, bound + nats / self.n * 1e-6)


def searched(
    net: Settled,
    centers: Mapping[Center, Mapping[str, torch.Tensor]],
    x: torch.Tensor,
    labels: torch.Tensor,
    *,
    n: int,
    delta: float,
    ranks: Sequence[int],
    deadline: float,
    device: torch.device,
    progress: Progress = None,
) -> Found:
    """Return the best code that was found before a deadline.

    Codes from each center and rank at several prices are compared on the same samples;
    the best are trained through the quantizer, fewer and fewer of them.

    Args:
        net: The trained network.
        centers: Values by name for each center.
        x: (m, ...) inputs on the CPU.
        labels: (m,) of these.
        n: Samples of the bound.
        delta: Probability that it fails.
        ranks: Of linear layers, 0 for no factors.
        deadline: Of ``time.perf_counter``.
        device: Where to run.
        progress: Called with codes compared, None, and a label.

    Raises:
        KeyboardInterrupt: Before there was a code to fall back on.
    """
    import torch

    from boundkit.measure.forward import placed

    generator = torch.Generator().manual_seed(0)
    module = placed(net.module, device)
    chosen = torch.randperm(len(x), generator=generator)[:_COMPARED]
    few, few_labels = x[chosen].to(device), labels[chosen].to(device)
    trial = _Trial(module, few, few_labels, n, delta)
    best: list[_Try] = []
    tries = 0
    stopped: Stopped = "finished"
    begun = time.perf_counter()
    plan = (net, centers, trial, x, labels, ranks, begun, deadline, generator)
    try:
        with fastest_threads(trial.work):
            for one in _all_tries(*plan):
                best = sorted([*best, one], key=lambda each: each.bound)[:1]
                tries += 1
                if progress is not None:
                    progress(tries, None, f"codes; bound about {best[0].bound:.3f}")
    except KeyboardInterrupt:
        if not best:
            raise
        stopped = "interrupted"
    if stopped == "finished" and time.perf_counter() > deadline:
        stopped = "budget"
    return Found(as_code(best[0].plan, best[0].books), stopped, tries)


def _all_tries(
    net: Settled,
    centers: Mapping[Center, Mapping[str, torch.Tensor]],
    trial: _Trial,
    x: torch.Tensor,
    labels: torch.Tensor,
    ranks: Sequence[int],
    begun: float,
    deadline: float,
    generator: torch.Generator,
) -> Iterator[_Try]:
    values = {name: value.to(trial.x.device) for name, value in net.values().items()}
    inputs = input_moments(net, trial.module, trial.x)
    known = set(dict(trial.module.named_parameters()))
    learned = {name: value for name, value in values.items() if name in known}
    soon = begun + _LOOKING * (deadline - begun)
    saliency = squared_gradients(
        trial.module, learned, inputs, trial.x, generator, soon
    )
    opening = begun + _OPENING * (deadline - begun)
    pool: list[_Try] = []
    for center, rank in _starts(values, inputs, centers, ranks):
        if pool and time.perf_counter() > opening:
            break
        zero = {
            name: value.to(trial.x.device) for name, value in centers[center].items()
        }
        plan = planned(values, center, zero, saliency, inputs, rank)
        of_start: list[_Try] = []
        for price in _PRICES:
            if of_start and time.perf_counter() > opening:
                break
            of_start.append(trial.judged(*opened(plan, inputs, price), price))
            yield of_start[-1]
        pool.append(min(of_start, key=lambda each: each.bound))
    everything = (x.to(trial.x.device), labels.to(trial.x.device))
    scale = _scale(trial)
    yield from _rounds(trial, pool, *everything, scale, deadline, generator)


def _starts(
    values: Mapping[str, torch.Tensor],
    inputs: Mapping[str, Inputs],
    centers: Mapping[Center, Mapping[str, torch.Tensor]],
    ranks: Sequence[int],
) -> list[tuple[Center, int]]:
    """Return the pairs of center and rank that differ."""
    shapes = [values[name].shape for name in inputs]
    used = [r for r in ranks if r == 0 or any(factors(shape, r) for shape in shapes)]
    # A rank too large for every layer is the same as none. Short codes come first: they
    # take the least time, and most often win.
    ordered = sorted(set(used or [0]), key=lambda rank: rank or math.inf)
    return [(center, rank) for rank in ordered for center in reversed(tuple(centers))]


def _rounds(
    trial: _Trial,
    pool: list[_Try],
    x: torch.Tensor,
    labels: torch.Tensor,
    scale: float,
    deadline: float,
    generator: torch.Generator,
) -> Iterator[_Try]:
    """Train the best tries, in rounds that fewer and fewer of them reach."""
    for wanted, segments, steps in _ROUNDS:
        pool = sorted(pool, key=lambda each: each.bound)[:wanted]
        last = wanted == 1
        after = []
        for one in pool:
            here = one
            for segment in range(segments):
                if time.perf_counter() > deadline:
                    return
                fade = (
                    (_LAST_RATE / _RATE) ** ((segment + 1) / segments) if last else 1.0
                )
                start = (_LAST_RATE / _RATE) ** (segment / segments) if last else 1.0
                plan = trained(
                    trial.module,
                    here.plan,
                    here.books,
                    x,
                    labels,
                    price=here.price,
                    scale=scale,
                    steps=steps,
                    rates=(_RATE * start, _RATE * fade),
                    deadline=deadline,
                    generator=generator,
                )
                tried = list(_priced(trial, plan, here.price))
                yield from tried
                here = min(tried, key=lambda each: each.bound)
            after.append(here)
        pool = after


def _priced(trial: _Trial, plan: Plan, price: float) -> Iterator[_Try]:
    for factor in _STEPS_OF_PRICE:
        books = requantized(plan, factor * price)
        yield trial.judged(plan, books, factor * price)


def _scale(trial: _Trial) -> float:
    """Return the factor on the outputs under which the net's loss is least."""
    import torch

    with torch.inference_mode():
        outputs = trial.module(trial.x).reshape(len(trial.x), -1)
        losses = [smooth_loss(outputs, trial.labels, s) for s in SCALES]
    return SCALES[int(torch.stack(losses).nan_to_num(torch.inf).argmin())]
