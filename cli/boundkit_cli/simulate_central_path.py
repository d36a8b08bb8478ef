"""``boundkit simulate central-path``: collapse under renormalized gradient flow."""

from __future__ import annotations

from typing import Annotated

import typer

from boundkit_cli import options as opt
from boundkit_cli import simulation_options as shared
from boundkit_cli import values

__all__ = ["central_path"]

_Classes = Annotated[int, typer.Option("--classes", metavar="INT", help="C.")]
_PerClass = Annotated[
    int, typer.Option("--per-class", metavar="INT", help="N, samples of each class.")
]
_Width = Annotated[
    int,
    typer.Option("--width", metavar="INT", help="p, dimensions of the features."),
]
_Time = Annotated[
    float,
    typer.Option(
        "--time", metavar="FLOAT", callback=values.positive, help="Of the flow, in all."
    ),
]
_Signal = Annotated[
    float,
    typer.Option(
        "--signal",
        metavar="FLOAT",
        callback=values.positive,
        help="Root mean square of the signal-to-noise values at the start.",
    ),
]
_Renormalize = Annotated[
    str,
    typer.Option(
        "--renormalize",
        metavar="project|whiten",
        help="Project the gradient, as the paper, or whiten after each plain step, "
        "which is another flow.",
    ),
]


def central_path(
    classes: _Classes = 5,
    per_class: _PerClass = 10,
    width: _Width = 20,
    time: _Time = 1e9,
    signal: _Signal = 1.0,
    renormalize: _Renormalize = "project",
    seed: shared.Seed = 0,
    solver: shared.Solver = "DOP853",
    rtol: shared.Rtol = 1e-9,
    atol: shared.Atol = 1e-12,
    points: shared.Points = 120,
    out: shared.Out = None,
    formats: shared.Formats = None,
    output: opt.Output = None,
    quiet: opt.Quiet = False,
) -> int:
    """Let features flow to neural collapse under square loss, their noise renormalized.

    The classifier is always that of least squares. Signal-to-noise values of the
    features are held against their closed form, and limits against what is reached.

    \b
    Example:
      boundkit simulate central-path --out path
      boundkit simulate central-path --classes 10 --per-class 20 --width 64
      boundkit simulate central-path --renormalize whiten --time 1e6

    \b
    Exit codes:
      0  done, whether or not the claims hold
      2  wrong usage, such as fewer dimensions than a simplex needs
      4  the path ended early; its data are kept
    """  # noqa: D301 - click reads a real backspace as "do not rewrap"
    settings = {
        "classes": classes,
        "per_class": per_class,
        "width": width,
        "time": time,
        "signal": signal,
        "renormalize": renormalize,
        "seed": seed,
        "solver": solver,
        "rtol": rtol,
        "atol": atol,
        "points": points,
    }
    return shared.finish("central-path", settings, out, formats, output, quiet)
