"""``boundkit reproduce``: train small nets and redraw figures of the papers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from boundkit_cli import options as opt
from boundkit_cli.console import progress, talk, write
from boundkit_cli.exits import DONE, UNDEFINED

if TYPE_CHECKING:
    from boundkit.lab.documents import Reproduction

__all__ = ["reproduce"]

_Figures = Annotated[
    list[str] | None,
    typer.Argument(metavar="FIGURE...", help="Names of figures, or all; see --list."),
]
_Scale = Annotated[
    str,
    typer.Option(
        "--scale",
        metavar="small|paper",
        help="Minutes on two cores, or the paper's own sizes, better on a GPU.",
    ),
]
_Data = Annotated[
    str | None,
    typer.Option(
        "--data",
        metavar="PATH",
        help="Folder of IDX files (Fashion-MNIST, MNIST, KMNIST) or of CIFAR-10's binary "
        "batches, or an .npz with x_train, y_train, x_test, y_test. Without it: "
        "$BOUNDKIT_DATA, or Debian's dataset-fashion-mnist.",
    ),
]
_Out = Annotated[
    Path,
    typer.Option(
        "--out",
        metavar="DIR",
        help="Folder of the results, to go on with later; index.html shows them all.",
    ),
]
_List = Annotated[
    bool,
    typer.Option("--list", help="List the figures: paper, time, needs; run nothing."),
]


def reproduce(
    figures: _Figures = None,
    scale: _Scale = "small",
    data: _Data = None,
    out: _Out = Path("reproduced"),
    device: opt.Device = "cpu",
    listing: _List = False,
    quiet: opt.Quiet = False,
) -> int:
    """Train small nets and redraw figures of the papers, claim by claim.

    For each figure: what the paper claims, what was measured, and whether it holds at
    this scale; DIR/FIGURE.png, .csv and .json, and DIR/index.html over all. Killed and
    started again, it goes on where it was.

    \b
    Example:
      boundkit reproduce --list
      boundkit reproduce p1-fig3 --out reproduced
      boundkit reproduce all --data cifar-10-batches-bin --scale paper --device cuda

    \b
    Exit codes:
      0  done, whether the claims hold or not
      2  wrong usage, or DIR cannot be written
      3  the images cannot be read
      4  done, but a training diverged or numbers are not finite
    """  # noqa: D301 - click reads a real backspace as "do not rewrap"
    if listing:
        _list()
        return DONE
    if not figures:
        raise typer.BadParameter(
            "name a figure, or all; --list lists them", param_hint="FIGURE"
        )
    names = _each(figures)
    import boundkit

    undefined = False
    with progress(quiet) as reporter:
        for name in names:
            for found in boundkit.reproduce(
                name, scale, data, out, device=device, progress=reporter
            ):
                _tell(found)
                undefined = undefined or found.undefined
    if not quiet:
        talk(f"wrote {out / 'index.html'}")
    return UNDEFINED if undefined else DONE


def _each(figures: list[str]) -> list[str]:
    from boundkit.lab.figures import chosen

    return [figure.name for figure in chosen(figures)]


def _list() -> None:
    from boundkit.lab.figures import FIGURES

    width = max(len(figure.name) for figure in FIGURES)
    write(f"{'name':<{width}}  paper  minutes  what it shows (needs)\n")
    for figure in FIGURES:
        minutes = "?" if figure.minutes is None else f"{figure.minutes:.1f}"
        write(
            f"{figure.name:<{width}}  {figure.paper:<5}  {minutes:>7}  {figure.title}"
            f" ({figure.needs})\n"
        )
    write("minutes: CPU time at --scale small, measured on a machine of two cores\n")


def _tell(found: Reproduction) -> None:
    from boundkit.lab.page import verdict

    write(f"{found.figure}  {found.title}  ({found.paper}, scale {found.scale})\n")
    for each in found.outcome.claims:
        write(f"  claim     {each.claim}\n")
        write(f"  measured  {each.measured}\n")
        reason = f": {each.reason}" if each.reason else ""
        write(f"  {verdict(each).upper()}{reason}\n\n")
    for note in found.outcome.notes:
        write(f"  note: {note}\n")
    for line in found.outcome.undefined:
        write(f"  undefined: {line}\n")
    state = "computed now" if found.fresh else "from before"
    write(f"  {found.seconds / 60:.1f} CPU minutes, {state}; {found.path}\n\n")
