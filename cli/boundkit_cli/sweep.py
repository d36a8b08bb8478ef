"""``boundkit sweep``: many checkpoints, one table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from boundkit_cli import noise_options as noise
from boundkit_cli import options as opt
from boundkit_cli import sweep_options as own
from boundkit_cli import values
from boundkit_cli.confidence import Confidence, parse_confidence
from boundkit_cli.console import progress, talk, write
from boundkit_cli.exits import DONE, UNDEFINED, UNREADABLE

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["sweep"]

#: Failures that are named on stderr; the table names all.
_NAMED = 10


def sweep(
    out: own.Out,
    sources: own.Sources = None,
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
    jobs: own.Jobs = None,
    scheduler: own.Scheduler = None,
    quiet: opt.Quiet = False,
) -> int:
    """Analyze many checkpoints into one table, in parallel and resumably.

    Each checkpoint is a row of DIR/results.csv and results.parquet; one that cannot be
    analyzed is a row with its reason. Killed and started again, the sweep goes on where
    it was. The other columns of a manifest are carried along.

    \b
    Example:
      boundkit sweep 'runs/**/*.pt' --n 50000 --out results
      boundkit sweep runs.csv --model net.py:make --data train.npz --out results

    \b
    Exit codes:
      0  done; the table says which checkpoints failed, and why
      2  wrong usage, or DIR cannot be written or holds other results
      3  no checkpoint could be analyzed
      4  done, but numbers of some checkpoints are not finite
    """  # noqa: D301 - click reads a real backspace as "do not rewrap"
    shape, margin, parts, form = (
        values.parse_shape(input_shape),
        values.parse_gamma(gamma),
        values.parse_only(only),
        parse_confidence(confidence),
    )
    if trust:
        talk("warning: --trust lets code inside the checkpoints run on this machine")
    import boundkit

    with progress(quiet) as reporter:
        frame = boundkit.sweep(
            sources or [],
            out,
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
            scheduler=scheduler,
            progress=reporter,
        )
    return _told(frame, out, quiet)


def _told(frame: pd.DataFrame, out: Path, quiet: bool) -> int:
    counts = {
        str(name): int(count) for name, count in frame.value_counts("status").items()
    }
    undefined, failed = counts.get("undefined", 0), counts.get("failed", 0)
    sound = counts.get("analyzed", 0) + undefined
    if not quiet:
        _name_troubles(frame, failed)
    write(
        f"{len(frame):,} checkpoints: {sound:,} analyzed ({frame.attrs['fresh']:,} now), "
        f"{failed:,} failed, {undefined:,} with numbers that are not finite\n"
    )
    for name in ("results.csv", "results.parquet"):
        if (out / name).exists():
            write(f"{out / name}\n")
    if not sound:
        talk("error: no checkpoint could be analyzed; the table says why, one by one")
        return UNREADABLE
    return UNDEFINED if undefined else DONE


def _name_troubles(frame: pd.DataFrame, failed: int) -> None:
    from boundkit.report.escape import escape

    for notice in frame.attrs["notices"]:
        talk(f"note: {escape(notice)}")
    reasons = frame.loc[frame["status"] == "failed", "reason"]
    for reason in reasons.head(_NAMED):
        talk(f"failed: {escape(reason)}")
    if failed > _NAMED:
        talk(f"failed: {failed - _NAMED:,} more; the column reason says why")
