"""Train the headline nets: ``python examples/headline/train.py --net all --out DIR``."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch

from boundkit.errors import BoundkitError
from boundkit.lab.data import open_images
from boundkit.lab.headline.plans import RUNS, plan_named
from boundkit.lab.headline.trained import train_one

__all__ = ["main"]


def main() -> None:
    """Train the nets that the command line names, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--net", default="all", metavar="NAME|all")
    parser.add_argument("--data", type=Path, default=None, metavar="DIR")
    parser.add_argument("--out", type=Path, default=Path("headline-out"), metavar="DIR")
    wanted = parser.parse_args()
    torch.set_num_threads(1)
    try:
        images = open_images(wanted.data)
        for plan in RUNS if wanted.net == "all" else (plan_named(wanted.net),):
            begun = time.process_time()
            path = train_one(plan, images, wanted.out)
            print(f"{path}  {time.process_time() - begun:.0f} s CPU", flush=True)
    except BoundkitError as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
