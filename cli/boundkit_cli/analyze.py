"""``boundkit analyze``: the whole report of one checkpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, cast

from boundkit_cli import noise_options as noise
from boundkit_cli import options as opt
from boundkit_cli import values
from boundkit_cli.confidence import Confidence, parse_confidence
from boundkit_cli.console import is_writer, progress, talk
from boundkit_cli.drawing import draw
from boundkit_cli.exits import DONE, GATE_FAILED, UNDEFINED
from boundkit_cli.targets import deliver, targets

if TYPE_CHECKING:
    from boundkit.measure.spectra import Extent
    from boundkit.report import Report

__all__ = ["analyze"]


def analyze(
    ckpt: opt.Ckpt,
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
    features: opt.Features = None,
    spectra: opt.Spectra = "auto",
    convention: opt.Convention = "boundkit",
    sgd_batch: noise.SgdBatch = None,
    learning_rate: noise.LearningRate = None,
    steps: noise.Steps = None,
    earlier: noise.Earlier = None,
    plot: opt.Plot = None,
    min_coverage: opt.MinCoverage = None,
    formats: opt.Formats = None,
    output: opt.Output = None,
    quiet: opt.Quiet = False,
) -> int:
    """Analyze one checkpoint and print the whole report.

    Layers and norms, bounds and what they rest on, and what was not counted.

    With --model and --data the bounds rest on measured margins; with --n alone they
    rest on assumptions, which the report names.

    \b
    Example:
      boundkit analyze net.pt --n 50000
      boundkit analyze net.pt --model net.py:make --data train.npz --format json=r.json

    \b
    Exit codes:
      0  done
      1  --min-coverage is not reached
      2  wrong usage
      3  the input is unreadable, refused or empty
      4  analyzed, but numbers in the report are not finite
    """  # noqa: D301 - click reads a real backspace as "do not rewrap"
    shape, margin, parts, form = (
        values.parse_shape(input_shape),
        values.parse_gamma(gamma),
        values.parse_only(only),
        parse_confidence(confidence),
    )
    from boundkit.report import FORMATS

    wanted = targets(formats or [], output, [ckpt], FORMATS)
    if trust and is_writer():
        talk(f"warning: --trust lets code inside {ckpt!a} run on this machine")
    import boundkit

    with progress(quiet) as reporter:
        report = boundkit.analyze(
            ckpt,
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
            features=features,
            spectra=cast("Extent", spectra),
            convention=cast("Literal['boundkit', 'weightwatcher']", convention),
            sgd_batch=sgd_batch,
            learning_rate=learning_rate,
            steps=steps,
            earlier=earlier or (),
            progress=reporter,
        )
    if not is_writer():
        # An exit code of 1 or 4 would make torchrun end the process that writes.
        return DONE
    if plot is not None:
        draw(report, plot, quiet)
    deliver(report, wanted, quiet)
    return _exit(report, min_coverage)


def _exit(report: Report, min_coverage: float | None) -> int:
    from boundkit.report.omitted import shortfall

    missing = None if min_coverage is None else shortfall(report, min_coverage)
    if missing:
        talk(f"gate failed: {missing}")
        return GATE_FAILED
    return UNDEFINED if report.undefined else DONE
