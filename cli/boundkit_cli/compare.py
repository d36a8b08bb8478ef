"""``boundkit compare``: checkpoints of one architecture side by side."""

from __future__ import annotations

from boundkit_cli import options as opt
from boundkit_cli import values
from boundkit_cli.console import progress, talk
from boundkit_cli.exits import DONE, UNDEFINED
from boundkit_cli.targets import deliver, targets

__all__ = ["compare"]


def compare(
    ckpts: opt.Ckpts,
    model: opt.Model = None,
    data: opt.Data = None,
    test_data: opt.TestData = None,
    n: opt.SampleSize = None,
    input_norm: opt.InputNorm = 1.0,
    input_shape: opt.InputShape = None,
    delta: opt.Delta = 0.05,
    gamma: opt.Gamma = "auto",
    margin_loss: opt.MarginLoss = None,
    device: opt.Device = "auto",
    batch_size: opt.BatchSize = 256,
    key: opt.Key = None,
    trust: opt.Trust = False,
    formats: opt.Formats = None,
    output: opt.Output = None,
    quiet: opt.Quiet = False,
) -> int:
    """Compare the bounds of checkpoints of one architecture, norm by norm.

    At equal margin loss the bounds of two nets differ by rho / gamma alone. Upper
    bounds are compared, not errors; --test-data shows whether these agree.

    With --model and --data each margin is the same quantile of its net's training
    margins; without, margin 1 is assumed for every net.

    \b
    Example:
      boundkit compare a.pt b.pt c.pt --n 50000
      boundkit compare a.pt b.pt --model net.py:make --data train.npz \\
        --test-data test.npz --format json=comparison.json

    \b
    Exit codes:
      0  done
      2  wrong usage, or the architectures differ
      3  an input is unreadable, refused or empty
      4  compared, but numbers are not finite
    """  # noqa: D301 - click reads a real backspace as "do not rewrap"
    shape, margin = values.parse_shape(input_shape), values.parse_gamma(gamma)
    from boundkit.report.comparison_formats import COMPARISON_FORMATS

    wanted = targets(formats or [], output, ckpts, COMPARISON_FORMATS)
    if trust:
        talk("warning: --trust lets code inside the checkpoints run on this machine")
    import boundkit

    with progress(quiet) as reporter:
        comparison = boundkit.compare(
            ckpts,
            model=model,
            data=data,
            test_data=test_data,
            n=n,
            input_norm=input_norm,
            input_shape=shape,
            delta=delta,
            gamma=margin,
            margin_loss=margin_loss,
            device=device,
            batch_size=batch_size,
            key=key,
            trust=trust,
            progress=reporter,
        )
    deliver(comparison, wanted, quiet)
    return UNDEFINED if comparison.undefined else DONE
