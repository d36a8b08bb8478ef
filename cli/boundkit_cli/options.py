"""The options that commands share: their help, and the values they accept."""

from __future__ import annotations

from math import inf, isfinite
from pathlib import Path
from re import fullmatch
from typing import Annotated, Literal

import typer

__all__ = [
    "PARTS",
    "BatchSize",
    "Ckpt",
    "Ckpts",
    "Data",
    "Delta",
    "Device",
    "Formats",
    "Gamma",
    "Init",
    "InputNorm",
    "InputShape",
    "Key",
    "Loss",
    "MarginLoss",
    "MinCoverage",
    "Model",
    "Only",
    "Output",
    "Quiet",
    "SampleSize",
    "TestData",
    "Trust",
    "WeightDecay",
    "parse_gamma",
    "parse_only",
    "parse_shape",
]

PARTS = ("norms", "bounds", "spectra", "margins", "collapse", "noise")
_LOSSES = ("square", "cross-entropy")


def parse_gamma(written: str) -> float | Literal["auto"]:
    """Return the margin, or ``"auto"``.

    Raises:
        typer.BadParameter: If it is neither ``auto`` nor a positive number.
    """
    if written == "auto":
        return "auto"
    try:
        value = float(written)
    except ValueError:
        value = -1.0
    if not 0 < value < inf:
        _refuse("gamma must be auto or a number above 0", written, "--gamma")
    return value


def parse_shape(written: str | None) -> tuple[int, ...] | None:
    """Return the shape of one input such as (1, 28, 28).

    Raises:
        typer.BadParameter: If it is not positive whole numbers between commas.
    """
    if written is None:
        return None
    if not fullmatch(r"[1-9][0-9]{0,8}(,[1-9][0-9]{0,8})*", written, flags=0):
        expectation = "the input shape must be whole numbers such as 1,28,28"
        _refuse(expectation, written, "--input-shape")
    return tuple(map(int, written.split(",")))


def parse_only(written: str | None) -> tuple[str, ...] | None:
    """Return the parts of the report to compute; None means what the inputs allow.

    Raises:
        typer.BadParameter: If a name is not one of ``PARTS``.
    """
    if written is None:
        return None
    names = tuple(name.strip() for name in written.split(","))
    for name in names:
        if name not in PARTS:
            _refuse(f"parts must be out of {', '.join(PARTS)}", name, "--only")
    return names


def _refuse(expectation: str, written: object, option: str) -> None:
    raise typer.BadParameter(
        f"{expectation}, but got '{written}'", param_hint=f"'{option}'"
    )


def _open_unit(value: float) -> float:
    if not 0 < value < 1:
        raise typer.BadParameter(f"delta must lie in (0, 1), but got {value}")
    return value


def _share(value: float | None) -> float | None:
    if value is not None and not 0 <= value <= 1:
        raise typer.BadParameter(f"the coverage must lie in [0, 1], but got {value}")
    return value


def _at_least_one(value: int | None) -> int | None:
    if value is not None and value < 1:
        raise typer.BadParameter(f"it must be at least 1, but got {value}")
    return value


def _positive(value: float) -> float:
    if not 0 < value < inf:
        raise typer.BadParameter(f"it must be a number above 0, but got {value}")
    return value


def _not_negative(value: float | None) -> float | None:
    if value is not None and not (isfinite(value) and value >= 0):
        raise typer.BadParameter(f"it must be a number of at least 0, but got {value}")
    return value


def _loss(value: str | None) -> str | None:
    if value is not None and value not in _LOSSES:
        known = " or ".join(_LOSSES)
        raise typer.BadParameter(f"the loss must be {known}, but got '{value}'")
    return value


def _device(value: str) -> str:
    if not fullmatch(r"auto|cpu|mps|cuda(:[0-9]{1,3})?", value):
        expectation = "the device must be auto, cpu, cuda, cuda:0 or mps"
        raise typer.BadParameter(f"{expectation}, but got '{value}'")
    return value


Ckpt = Annotated[
    str, typer.Argument(metavar="CKPT", help="File or folder that holds the weights.")
]
Ckpts = Annotated[
    list[str],
    typer.Argument(
        metavar="A B [C...]", help="Files or folders of one architecture, two or more."
    ),
]
Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="SPEC",
        help="pkg.mod:callable or file.py:callable, called without arguments, returns "
        "the nn.Module that the weights belong to.",
    ),
]
Data = Annotated[
    str | None,
    typer.Option(
        "--data",
        metavar="SPEC",
        help="Training data: an .npz, .safetensors or .pt file with arrays x and y, a "
        "folder of IDX files or of class folders, or pkg.mod:callable.",
    ),
]
TestData = Annotated[
    str | None,
    typer.Option("--test-data", metavar="SPEC", help="Held-out data, as --data."),
]
SampleSize = Annotated[
    int | None,
    typer.Option(
        "--n",
        metavar="INT",
        callback=_at_least_one,
        help="Training-set size, when no data are given.",
    ),
]
InputNorm = Annotated[
    float,
    typer.Option(
        "--input-norm",
        metavar="B",
        callback=_positive,
        help="Largest norm of an input, when no data are given.",
    ),
]
InputShape = Annotated[
    str | None,
    typer.Option("--input-shape", metavar="1,28,28", help="Shape of one input."),
]
Delta = Annotated[
    float,
    typer.Option(
        "--delta",
        metavar="FLOAT",
        callback=_open_unit,
        help="Probability that a bound may fail.",
    ),
]
Gamma = Annotated[
    str,
    typer.Option(
        "--gamma", metavar="auto|FLOAT", help="Margin of the bounds; auto optimizes it."
    ),
]
Loss = Annotated[
    str | None,
    typer.Option(
        "--loss",
        metavar="|".join(_LOSSES),
        callback=_loss,
        help="Loss that the net was trained with.",
    ),
]
MarginLoss = Annotated[
    float | None,
    typer.Option(
        "--margin-loss",
        metavar="0|0.01|0.05|0.1|0.5",
        help="Share of the training margins below the margins that are compared; by "
        "default the smallest at which the margin of every net is positive.",
    ),
]
WeightDecay = Annotated[
    float | None,
    typer.Option(
        "--weight-decay",
        metavar="FLOAT",
        callback=_not_negative,
        help="Weight decay that the net was trained with.",
    ),
]
Only = Annotated[
    str | None,
    typer.Option(
        "--only",
        metavar="PART,...",
        help=f"Compute only these parts, out of {', '.join(PARTS)}.",
    ),
]
Device = Annotated[
    str,
    typer.Option(
        "--device",
        metavar="auto|cpu|cuda[:i]|mps",
        callback=_device,
        help="Where to compute.",
    ),
]
BatchSize = Annotated[
    int,
    typer.Option(
        "--batch-size",
        metavar="INT",
        callback=_at_least_one,
        help="Samples of one forward pass.",
    ),
]
Key = Annotated[
    str | None,
    typer.Option(
        "--key", metavar="NAME", help="Which model, where the file holds several."
    ),
]
Init = Annotated[
    str | None,
    typer.Option(
        "--init",
        metavar="CKPT",
        help="The checkpoint from before training, for measures of how far it went.",
    ),
]
Trust = Annotated[
    bool,
    typer.Option(
        "--trust", help="Allow code in the checkpoint to run. Off by default."
    ),
]
MinCoverage = Annotated[
    float | None,
    typer.Option(
        "--min-coverage",
        metavar="0.0..1.0",
        callback=_share,
        help="Exit 1 if a smaller share of the parameters is counted or folded.",
    ),
]
Formats = Annotated[
    list[str] | None,
    typer.Option(
        "--format",
        metavar="NAME[=PATH]",
        help="text (default) or json, on stdout or into a file. May be repeated.",
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output", metavar="PATH", help="File for the first --format without a path."
    ),
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Say nothing on stderr but errors.")
]
