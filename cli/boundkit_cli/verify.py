"""``boundkit verify``: a certificate recomputed, trusting nobody."""

from __future__ import annotations

from typing import Annotated

import typer

from boundkit_cli import options as opt
from boundkit_cli.console import show, talk, terminal_width
from boundkit_cli.exits import DONE, GATE_FAILED

__all__ = ["verify"]

_Certificate = Annotated[
    str,
    typer.Argument(
        metavar="CERT.json", help="The certificate that draw, code or holdout wrote."
    ),
]
_Weights = Annotated[
    str, typer.Argument(metavar="FILE", help="The weights that it is about.")
]
_Data = Annotated[
    str | None,
    typer.Option(
        "--data", metavar="SPEC", help="The sample that the certificate rests on."
    ),
]
_Init = Annotated[
    str | None,
    typer.Option(
        "--init",
        metavar="CKPT",
        help="The center of the prior, if it is no longer where the certificate says.",
    ),
]
_Original = Annotated[
    str | None,
    typer.Option(
        "--original",
        metavar="CKPT",
        help="The checkpoint that draw was given, for a certificate with a bridge to it.",
    ),
]
_Unlabelled = Annotated[
    str | None,
    typer.Option(
        "--unlabelled", metavar="SPEC", help="The fresh inputs of that bridge."
    ),
]
_WithoutBridge = Annotated[
    bool,
    typer.Option(
        "--without-bridge", help="Verify what is said of FILE, and no bridge."
    ),
]


def verify(
    certificate: _Certificate,
    weights: _Weights,
    model: opt.Model = None,
    data: _Data = None,
    init: _Init = None,
    original: _Original = None,
    unlabelled: _Unlabelled = None,
    without_bridge: _WithoutBridge = False,
    device: opt.Device = "auto",
    batch_size: opt.BatchSize = 1000,
    trust: opt.Trust = False,
    quiet: opt.Quiet = False,
) -> int:
    """Recompute a certificate from the weights and the data; exit 1 if it differs.

    Errors, complexity and bound are computed anew; how the weights were found plays no
    part. What is said of the original network (draw --unlabelled) is recomputed from
    --original and --unlabelled; without them the exit code is 1, unless it is left aside
    by --without-bridge.

    \b
    Example:
      boundkit verify certified.pt.certificate.json certified.pt \\
          --model net.py:make --data train.npz
    """  # noqa: D301 - click reads a real backspace as "do not rewrap"
    if data is None:
        raise typer.BadParameter(
            "give the sample that the certificate rests on", param_hint="'--data'"
        )
    if trust:
        talk(f"warning: --trust lets code inside {weights!a} run on this machine")
    from boundkit.posthoc.verifying import verify as verified
    from boundkit.posthoc.wording import verification_lines

    found = verified(
        certificate,
        weights,
        data=data,
        model=model,
        init=init,
        original=original,
        unlabelled=unlabelled,
        without_bridge=without_bridge,
        device=device,
        batch_size=batch_size,
        trust=trust,
    )
    if not quiet or not found.passed:
        show(verification_lines(found, terminal_width()))
    return DONE if found.passed else GATE_FAILED
