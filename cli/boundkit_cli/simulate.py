"""``boundkit simulate``: the papers' own dynamical systems."""

from __future__ import annotations

from typing import Annotated

import typer

from boundkit_cli import options as opt
from boundkit_cli import simulation_options as shared
from boundkit_cli import values
from boundkit_cli.exits import USAGE
from boundkit_cli.simulate_central_path import central_path
from boundkit_cli.simulate_ulpm import ulpm

__all__ = ["simulate"]

simulate = typer.Typer(
    name="simulate",
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@simulate.callback(invoke_without_command=True)
def _systems(context: typer.Context) -> None:
    """Simulate a dynamical system of the papers, and check what they say of it.

    Each claim is printed with what it predicts, what was found, and whether it holds.

    \b
    Example:
      boundkit simulate flow --out flow
      boundkit simulate flow --reduction scalar --rate 4
      boundkit simulate central-path --out path
      boundkit simulate ulpm --out ulpm
    """  # noqa: D301 - click reads a real backspace as "do not rewrap"
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(USAGE)


_Reduction = Annotated[
    str,
    typer.Option(
        "--reduction",
        metavar="net|scalar",
        help="A small ReLU net on two classes, or rho alone with fixed --margins.",
    ),
]
_Data = Annotated[
    str | None,
    typer.Option(
        "--data",
        metavar="SPEC",
        help="Training data as of boundkit analyze; by default Fashion-MNIST from "
        "$BOUNDKIT_DATA or Debian's dataset-fashion-mnist.",
    ),
]
_Classes = Annotated[
    str,
    typer.Option("--classes", metavar="A,B", help="Labels that become -1 and +1."),
]
_Samples = Annotated[
    int, typer.Option("--samples", metavar="INT", help="Of both classes together.")
]
_Pool = Annotated[
    int | None,
    typer.Option(
        "--pool",
        metavar="INT",
        help="Side of the squares of pixels that are averaged; 4 for the default data, "
        "else 1.",
    ),
]
_Widths = Annotated[
    str,
    typer.Option(
        "--widths",
        metavar="INT,...",
        help="Of the hidden layers; an empty text for a linear net.",
    ),
]
_Rounding = Annotated[
    float,
    typer.Option(
        "--rounding",
        metavar="FLOAT",
        callback=values.not_negative,
        help="Over how much of |h| |V| the kink of ReLU is rounded off; the net stays "
        "homogeneous. 0 is ReLU itself, and slow where units slide along the kink.",
    ),
]
_Margins = Annotated[
    str,
    typer.Option(
        "--margins",
        metavar="FLOAT,...",
        help="Of --reduction scalar: y f of the net with unit layers.",
    ),
]
_Depth = Annotated[
    int,
    typer.Option(
        "--depth",
        metavar="INT",
        help="Layers of --reduction scalar where norms are free.",
    ),
]
_Rho = Annotated[
    float,
    typer.Option(
        "--rho",
        metavar="FLOAT",
        callback=values.positive,
        help="Product of norms at time 0.",
    ),
]
_Decay = Annotated[
    float,
    typer.Option(
        "--decay",
        metavar="FLOAT",
        callback=values.not_negative,
        help="Coefficient of rho^2 beside the mean square loss.",
    ),
]
_Time = Annotated[
    float | None,
    typer.Option(
        "--time",
        metavar="FLOAT",
        callback=values.positive_or_none,
        help="Until when; by default 1000, or 12 relaxation times of the scalar "
        "reduction.",
    ),
]
_Rate = Annotated[
    float | None,
    typer.Option(
        "--rate",
        metavar="FLOAT",
        callback=values.positive_or_none,
        help="Also gradient descent with this learning rate, beside its second-order "
        "model in continuous time.",
    ),
]


@simulate.command("flow")
def flow(
    reduction: _Reduction = "net",
    data: _Data = None,
    classes: _Classes = "0,1",
    samples: _Samples = 100,
    pool: _Pool = None,
    widths: _Widths = "16",
    rounding: _Rounding = 0.05,
    margins: _Margins = "0.2,0.3,0.1,0.4",
    depth: _Depth = 3,
    rho: _Rho = 0.3,
    decay: _Decay = 1e-3,
    time: _Time = None,
    rate: _Rate = None,
    seed: shared.Seed = 0,
    solver: shared.Solver = "BDF",
    rtol: shared.Rtol = 1e-5,
    atol: shared.Atol = 1e-8,
    points: shared.Points = 100,
    out: shared.Out = None,
    formats: shared.Formats = None,
    output: opt.Output = None,
    quiet: opt.Quiet = False,
) -> int:
    """Follow the product of norms and the unit layers of a net down the square loss.

    With unit norms (Lagrange multipliers) and without; equilibrium, its loss and the
    identities of the flow are checked along the path.

    \b
    Example:
      boundkit simulate flow --out flow
      boundkit simulate flow --samples 40 --widths 8 --time 60 --rate 0.05
      boundkit simulate flow --reduction scalar --margins 0.2,0.3,0.1,0.4 --rate 4

    \b
    Exit codes:
      0  done, whether or not the claims hold
      2  wrong usage
      3  the data cannot be used, or have too few samples of a class
      4  a path ended early (diverged, or could not be followed); its data are kept
    """  # noqa: D301 - click reads a real backspace as "do not rewrap"
    settings = {
        "reduction": reduction,
        "data": data,
        "classes": shared.whole_numbers(classes, "--classes"),
        "samples": samples,
        "pool": pool,
        "widths": shared.whole_numbers(widths, "--widths"),
        "rounding": rounding,
        "margins": shared.numbers(margins, "--margins"),
        "depth": depth,
        "rho": rho,
        "decay": decay,
        "time": time,
        "rate": rate,
        "seed": seed,
        "solver": solver,
        "rtol": rtol,
        "atol": atol,
        "points": points,
    }
    return shared.finish("flow", settings, out, formats, output, quiet)


simulate.command("central-path")(central_path)
simulate.command("ulpm")(ulpm)
