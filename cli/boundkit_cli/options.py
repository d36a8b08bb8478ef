"""The options that commands share, and their help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from boundkit_cli import completion, values

__all__ = [
    "BatchSize",
    "Ckpt",
    "Ckpts",
    "Convention",
    "Data",
    "Delta",
    "Device",
    "Features",
    "Formats",
    "Gamma",
    "Head",
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
    "Plot",
    "Quiet",
    "SampleSize",
    "Spectra",
    "TestData",
    "Trust",
    "WeightDecay",
]

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
        callback=values.at_least_one,
        help="Training-set size, when no data are given.",
    ),
]
InputNorm = Annotated[
    float,
    typer.Option(
        "--input-norm",
        metavar="B",
        callback=values.positive,
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
        callback=values.open_unit,
        help="Probability that a bound may fail.",
    ),
]
Gamma = Annotated[
    str,
    typer.Option(
        "--gamma",
        metavar="auto|FLOAT",
        autocompletion=completion.words("auto"),
        help="Margin of the bounds; auto optimizes it.",
    ),
]
Loss = Annotated[
    str | None,
    typer.Option(
        "--loss",
        metavar="|".join(values.LOSSES),
        autocompletion=completion.losses,
        callback=values.loss,
        help="Loss that the net was trained with.",
    ),
]
MarginLoss = Annotated[
    float | None,
    typer.Option(
        "--margin-loss",
        metavar="0|0.01|0.05|0.1|0.5",
        autocompletion=completion.words("0", "0.01", "0.05", "0.1", "0.5"),
        help="Share of the training margins below the margins that are compared; by "
        "default the smallest at which the margin of every net is positive.",
    ),
]
WeightDecay = Annotated[
    float | None,
    typer.Option(
        "--weight-decay",
        metavar="FLOAT",
        callback=values.not_negative,
        help="Weight decay that the net was trained with.",
    ),
]
Only = Annotated[
    str | None,
    typer.Option(
        "--only",
        metavar="PART,...",
        autocompletion=completion.parts,
        help=f"Compute only these parts, out of {', '.join(values.PARTS)}.",
    ),
]
Device = Annotated[
    str,
    typer.Option(
        "--device",
        metavar="auto|cpu|cuda[:i]|mps",
        autocompletion=completion.devices,
        callback=values.device,
        help="Where to compute.",
    ),
]
BatchSize = Annotated[
    int,
    typer.Option(
        "--batch-size",
        metavar="INT",
        callback=values.at_least_one,
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
Head = Annotated[
    str | None,
    typer.Option(
        "--head",
        metavar="NAME",
        help="The last linear layer, whose input are the features; found by itself in a "
        "model that can be traced.",
    ),
]
Features = Annotated[
    str | None,
    typer.Option(
        "--features",
        metavar="FILE",
        help="Features of the training sample: an .npz or .safetensors file with h and y, "
        "and W and b of the last layer if the checkpoint is not to supply them.",
    ),
]
Spectra = Annotated[
    str,
    typer.Option(
        "--spectra",
        metavar="|".join(values.SPECTRA),
        autocompletion=completion.spectra,
        callback=values.spectra,
        help="Singular values of a layer: all, the largest ones, or none; auto takes all "
        "of small layers.",
    ),
]
Convention = Annotated[
    str,
    typer.Option(
        "--convention",
        metavar="|".join(values.CONVENTIONS),
        autocompletion=completion.conventions,
        callback=values.convention,
        help="weightwatcher adds that package's numbers of each layer, as it defines "
        "them.",
    ),
]
Plot = Annotated[
    Path | None,
    typer.Option(
        "--plot", metavar="DIR", help="Folder for figures of what was measured."
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
        callback=values.share,
        help="Exit 1 if a smaller share of the parameters is counted or folded.",
    ),
]
Formats = Annotated[
    list[str] | None,
    typer.Option(
        "--format",
        metavar="NAME[=PATH]",
        autocompletion=completion.formats,
        help="text (default), json, and what else the command knows, on stdout or into a "
        "file. May be repeated.",
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
