"""``boundkit trace``: one run's checkpoints in order, and how the run went."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from boundkit_cli import completion, values
from boundkit_cli import noise_options as noise
from boundkit_cli import options as opt
from boundkit_cli.confidence import Confidence, parse_confidence
from boundkit_cli.console import progress, talk
from boundkit_cli.exits import DONE, UNDEFINED
from boundkit_cli.sweep_options import Jobs
from boundkit_cli.targets import deliver, targets

if TYPE_CHECKING:
    from boundkit.tracing.model import Trace

__all__ = ["trace"]

_Run = Annotated[
    list[str],
    typer.Argument(
        metavar="RUN...",
        help="Folder of the run's checkpoints, a pattern, files, or a manifest (.csv, "
        ".tsv, .jsonl with a column path); or a folder that boundkit sweep made.",
    ),
]
_By = Annotated[
    str,
    typer.Option(
        "--by",
        metavar="auto|name|content|COLUMN",
        autocompletion=completion.words("auto", "name", "content"),
        help="What orders them: numbers in file names, the epoch or step inside, or a "
        "column of the manifest or entry of the checkpoints.",
    ),
]
_Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="DIR",
        help="Folder that keeps results, to go on with later, as of boundkit sweep.",
    ),
]
_Formats = Annotated[
    list[str] | None,
    typer.Option(
        "--format",
        metavar="NAME[=PATH]",
        autocompletion=completion.formats,
        help="text (default), json, csv or html, on stdout or into a file. May be repeated.",
    ),
]


def trace(
    run: _Run,
    out: _Out = None,
    by: _By = "auto",
    model: opt.Model = None,
    data: opt.Data = None,
    test_data: opt.TestData = None,
    n: opt.SampleSize = None,
    input_norm: opt.InputNorm = 1.0,
    input_shape: opt.InputShape = None,
    delta: opt.Delta = 0.05,
    gamma: opt.Gamma = "auto",
    confidence: Confidence = "empirical",
    loss: opt.Loss = None,
    weight_decay: opt.WeightDecay = None,
    only: opt.Only = None,
    device: opt.Device = "auto",
    batch_size: opt.BatchSize = 256,
    key: opt.Key = None,
    trust: opt.Trust = False,
    init: opt.Init = None,
    head: opt.Head = None,
    spectra: opt.Spectra = "auto",
    sgd_batch: noise.SgdBatch = None,
    learning_rate: noise.LearningRate = None,
    jobs: Jobs = None,
    plot: opt.Plot = None,
    formats: _Formats = None,
    output: opt.Output = None,
    quiet: opt.Quiet = False,
) -> int:
    """Follow one training run: norms, margins, collapse, ranks and bounds over time.

    The terminal phase of training is marked: from the first zero training error on. A
    checkpoint that cannot be analyzed is named, and the others go on.

    \b
    Example:
      boundkit trace run --n 50000
      boundkit trace run --model net.py:make --data train.npz --test-data test.npz \\
        --plot figures --format text --format csv=run.csv

    \b
    Exit codes:
      0  done; checkpoints that were left out are named
      2  wrong usage, nothing to order by, one checkpoint, or several architectures
      3  no checkpoint could be analyzed, or the model or the data do not load
      4  done, but numbers of some checkpoints are not finite
    """  # noqa: D301 - click reads a real backspace as "do not rewrap"
    shape, margin, parts, form = (
        values.parse_shape(input_shape),
        values.parse_gamma(gamma),
        values.parse_only(only),
        parse_confidence(confidence),
    )
    from boundkit.tracing.formats import TRACE_FORMATS

    wanted = targets(formats or [], output, run, TRACE_FORMATS)
    if trust:
        talk("warning: --trust lets code inside the checkpoints run on this machine")
    import boundkit

    with progress(quiet) as reporter:
        found = boundkit.trace(
            run,
            out,
            by=by,
            model=model,
            data=data,
            test_data=test_data,
            n=n,
            input_norm=input_norm,
            input_shape=shape,
            delta=delta,
            gamma=margin,
            confidence=form,
            loss=loss,
            weight_decay=weight_decay,
            only=parts,
            device=device,
            batch_size=batch_size,
            key=key,
            trust=trust,
            init=init,
            head=head,
            spectra=spectra,
            sgd_batch=sgd_batch,
            learning_rate=learning_rate,
            jobs=jobs,
            progress=reporter,
        )
    if plot is not None:
        _draw(found, plot, quiet)
    deliver(found, wanted, quiet)
    return UNDEFINED if found.undefined else DONE


def _draw(found: Trace, folder: Path, quiet: bool) -> None:
    from boundkit.plot import save

    for path in save(found.figures(), folder):
        if not quiet:
            talk(f"wrote {path}")
