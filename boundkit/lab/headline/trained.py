"""Train a net for its bound, and certify it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from boundkit.analysis import analyze
from boundkit.lab.headline import bounded, nets, pixels
from boundkit.lab.headline.plans import ARCHITECTURES, DELTA

if TYPE_CHECKING:
    from pathlib import Path

    from boundkit.lab.data import Images
    from boundkit.lab.headline.plans import Plan
    from boundkit.report.model import Report

__all__ = ["certified", "train_one"]


def train_one(
    plan: Plan, images: Images, out: Path, held_back: int = pixels.HELD_BACK
) -> Path:
    """Train one net and store its weights as a plain state_dict.

    Args:
        plan: What to train.
        images: Gray ones of 28 x 28 bytes.
        out: The work folder; the task's sample is written to ``data`` in it.
        held_back: Images that give the center and are in no sample.

    Returns:
        The path of the weights.

    Raises:
        DataError: The images do not fit.
        UsageError: The bound does not cover a route.
    """
    data, _ = pixels.prepare(images, out / "data", plan.task, held_back)
    routes = plan.routes or (plan.net,)
    prices = [
        bounded.price(getattr(nets, route)(), data, plan.bias_energy)
        * plan.branch_share**branches
        for branches, route in enumerate(routes)
    ]
    x, y = pixels.inputs(data)
    net = bounded.train(
        getattr(nets, plan.net),
        x,
        y,
        prices,
        epochs=plan.epochs,
        batch=plan.batch,
        rate=plan.rate,
        alpha=plan.alpha,
        clip_from=plan.clip_from,
        seed=plan.seed,
        bias_energy=plan.bias_energy,
    )
    path = out / f"{plan.name}.pt"
    torch.save(net.state_dict(), path)
    return path


def certified(plan: Plan, out: Path) -> Report:
    """Return the report on one trained net, at its share of delta.

    Args:
        plan: How it was trained.
        out: The work folder.
    """
    return analyze(
        out / f"{plan.name}.pt",
        model=getattr(nets, plan.net)(),
        data=str(out / "data" / f"{plan.task}_train.npz"),
        test_data=str(out / "data" / f"{plan.task}_test.npz"),
        delta=DELTA / len(ARCHITECTURES),
        only=["norms", "margins", "bounds"],
    )
