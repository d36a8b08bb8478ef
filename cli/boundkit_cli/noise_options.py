"""The options of what speaks of SGD's noise and of low rank."""

from __future__ import annotations

from typing import Annotated

import typer

from boundkit_cli import values

__all__ = ["Earlier", "LearningRate", "SgdBatch", "Steps"]

SgdBatch = Annotated[
    int | None,
    typer.Option(
        "--sgd-batch",
        metavar="INT",
        callback=values.at_least_one,
        help="Minibatch that the net was trained with, for the noise of SGD.",
    ),
]
LearningRate = Annotated[
    float | None,
    typer.Option(
        "--learning-rate",
        metavar="FLOAT",
        callback=values.positive_or_none,
        help="Learning rate at the end of training, for the bound on ranks.",
    ),
]
Steps = Annotated[
    int | None,
    typer.Option(
        "--steps",
        metavar="INT",
        callback=values.at_least_one,
        help="Steps between --earlier and this checkpoint, for the rank of the update.",
    ),
]
Earlier = Annotated[
    list[str] | None,
    typer.Option(
        "--earlier",
        metavar="CKPT",
        help="A checkpoint of the same run shortly before, for jitter and the rank of "
        "the update. May be repeated, oldest first.",
    ),
]
