"""``boundkit simulate ulpm``: the unconstrained layer-peeled model."""

from __future__ import annotations

from typing import Annotated

import typer

from boundkit_cli import options as opt
from boundkit_cli import simulation_options as shared
from boundkit_cli import values

__all__ = ["ulpm"]

_Classes = Annotated[int, typer.Option("--classes", metavar="INT", help="K.")]
_PerClass = Annotated[
    int, typer.Option("--per-class", metavar="INT", help="n, samples of each class.")
]
_Width = Annotated[
    int,
    typer.Option("--width", metavar="INT", help="d, dimensions of the features."),
]
_Method = Annotated[
    str,
    typer.Option(
        "--method",
        metavar="descent|flow",
        help="Gradient descent in steps, or the flow, up to times like 1e100.",
    ),
]
_Rate = Annotated[
    float,
    typer.Option(
        "--learning-rate",
        metavar="FLOAT",
        callback=values.positive,
        help="Of descent.",
    ),
]
_Steps = Annotated[int, typer.Option("--steps", metavar="INT", help="Of descent.")]
_Reduction = Annotated[
    str,
    typer.Option(
        "--reduction",
        metavar="mean|sum",
        help="Of the loss that is descended, over samples.",
    ),
]
_Time = Annotated[
    float,
    typer.Option(
        "--time", metavar="FLOAT", callback=values.positive, help="Of the flow, in all."
    ),
]
_Start = Annotated[
    str,
    typer.Option(
        "--start",
        metavar="random|saddle",
        help="Gaussian, or near the saddle of the paper's Example 3.1.",
    ),
]
_Scale = Annotated[
    float | None,
    typer.Option(
        "--scale",
        metavar="FLOAT",
        callback=values.positive_or_none,
        help="Standard deviation of a random start (default 0.1), or factor of the "
        "saddle (default 1).",
    ),
]
_Offset = Annotated[
    float,
    typer.Option(
        "--offset",
        metavar="FLOAT",
        callback=values.not_negative,
        help="Angle from the saddle in radians, along the way out; 0 stays on it.",
    ),
]


def ulpm(
    classes: _Classes = 5,
    per_class: _PerClass = 10,
    width: _Width = 20,
    method: _Method = "descent",
    learning_rate: _Rate = 5.0,
    steps: _Steps = 100_000,
    reduction: _Reduction = "mean",
    time: _Time = 1e30,
    start: _Start = "random",
    scale: _Scale = None,
    offset: _Offset = 0.1,
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
    """Train classifier and features, both free, under cross-entropy.

    Margin and loss are held against their bounds, the point against the conditions of
    the minimum-norm separation problem, and the frame against the simplex.

    \b
    Example:
      boundkit simulate ulpm --out ulpm
      boundkit simulate ulpm --method flow --time 1e100
      boundkit simulate ulpm --start saddle --classes 4 --per-class 1 --width 4 \\
        --method flow --time 1e120

    \b
    Exit codes:
      0  done, whether or not the claims hold
      2  wrong usage, such as fewer dimensions than a simplex needs
      4  weights and features diverged, or the path ended early; its data are kept
    """  # noqa: D301 - click reads a real backspace as "do not rewrap"
    settings = {
        "classes": classes,
        "per_class": per_class,
        "width": width,
        "method": method,
        "learning_rate": learning_rate,
        "steps": steps,
        "reduction": reduction,
        "time": time,
        "start": start,
        "scale": scale,
        "offset": offset,
        "seed": seed,
        "solver": solver,
        "rtol": rtol,
        "atol": atol,
        "points": points,
    }
    return shared.finish("ulpm", settings, out, formats, output, quiet)
