"""Train the headline nets: ``python examples/headline/train.py --net all --out DIR``."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import dataset
import nets
import recipe
import torch
from runs import RUNS, Run, run_named

__all__ = ["main", "train_one"]


def train_one(run: Run, source: Path, out: Path) -> Path:
    """Train one net and store its weights as a plain state_dict.

    Args:
        run: What to train.
        source: The folder with the IDX files.
        out: The work folder.

    Returns:
        The path of the weights.

    Raises:
        SystemExit: An IDX file is missing, or the bound does not cover a route.
    """
    data, _ = dataset.prepare(source, out / "data", run.task)
    routes = run.routes or (run.net,)
    prices = [
        recipe.price(getattr(nets, route)(), data, run.bias_energy)
        * run.branch_share**branches
        for branches, route in enumerate(routes)
    ]
    x, y = dataset.inputs(data)
    net = recipe.train(
        getattr(nets, run.net),
        x,
        y,
        prices,
        epochs=run.epochs,
        batch=run.batch,
        rate=run.rate,
        alpha=run.alpha,
        clip_from=run.clip_from,
        seed=run.seed,
        bias_energy=run.bias_energy,
    )
    path = out / f"{run.name}.pt"
    torch.save(net.state_dict(), path)
    return path


def main() -> None:
    """Train the nets that the command line names, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--net", default="all", metavar="NAME|all")
    parser.add_argument("--data", type=Path, default=dataset.SOURCE, metavar="DIR")
    parser.add_argument("--out", type=Path, default=Path("headline-out"), metavar="DIR")
    wanted = parser.parse_args()
    torch.set_num_threads(1)
    for run in RUNS if wanted.net == "all" else (run_named(wanted.net),):
        begun = time.process_time()
        path = train_one(run, wanted.data, wanted.out)
        print(f"{path}  {time.process_time() - begun:.0f} s CPU", flush=True)


if __name__ == "__main__":
    main()
