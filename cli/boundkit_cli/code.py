"""``boundkit code``: a certificate for a network of few bits near a trained one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from boundkit_cli import completion
from boundkit_cli import options as opt
from boundkit_cli.console import progress, show, talk, terminal_width, write
from boundkit_cli.exits import DONE
from boundkit_cli.values import parse_seconds

__all__ = ["code"]

_Init = Annotated[
    str | None,
    typer.Option(
        "--init",
        metavar="CKPT",
        help="The checkpoint from before training; the difference from it may be what "
        "is coded.",
    ),
]
_LowRank = Annotated[
    str,
    typer.Option(
        "--lowrank",
        metavar="auto|none|INT",
        autocompletion=completion.words("auto", "none"),
        help="Rank of linear layers: try several, none, or this one.",
    ),
]
_Budget = Annotated[
    str, typer.Option("--budget", metavar="60s|2m", help="Time for the search.")
]
_Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="FILE",
        help="Write the certified weights (.pt, .pth, .safetensors), and the "
        "certificate beside them as FILE.certificate.json.",
    ),
]
_Json = Annotated[
    bool, typer.Option("--json", help="Print the certificate as JSON to stdout.")
]


def code(
    ckpt: opt.Ckpt,
    model: opt.Model = None,
    data: opt.Data = None,
    init: _Init = None,
    lowrank: _LowRank = "auto",
    test_data: opt.TestData = None,
    delta: opt.Delta = 0.05,
    budget: _Budget = "60s",
    out: _Out = None,
    json: _Json = False,
    device: opt.Device = "auto",
    batch_size: opt.BatchSize = 1000,
    key: opt.Key = None,
    trust: opt.Trust = False,
    quiet: opt.Quiet = False,
) -> int:
    """Certify a network of few bits near a trained one, by its training data alone.

    Weights become few distinct numbers, linear layers products of thin matrices where
    that pays. The certificate is for the weights in --out, not for CKPT. Ctrl-C ends the
    search and keeps the best found so far.

    \b
    Example:
      boundkit code net.pt --model net.py:make --data train.npz --out coded.pt
      boundkit verify coded.pt.certificate.json coded.pt \\
          --model net.py:make --data train.npz
    """  # noqa: D301 - click reads a real backspace as "do not rewrap"
    rank = int(lowrank) if lowrank.isascii() and lowrank.isdigit() else lowrank
    seconds = parse_seconds(budget)
    if trust:
        talk(f"warning: --trust lets code inside {ckpt!a} run on this machine")
    from boundkit.posthoc.certificate import rendered
    from boundkit.posthoc.coding import code as coded
    from boundkit.posthoc.published import certificate_path
    from boundkit.posthoc.wording import certificate_lines

    with progress(quiet) as reporter:
        found = coded(
            ckpt,
            data=data,
            model=model,
            init=init,
            lowrank=rank,
            test_data=test_data,
            delta=delta,
            budget=seconds,
            out=out,
            device=device,
            batch_size=batch_size,
            key=key,
            trust=trust,
            progress=reporter,
        )
    if out is not None and not quiet:
        talk(f"wrote {out} and {certificate_path(out)}")
    if json:
        write(rendered(found.certificate))
    else:
        show(certificate_lines(found.certificate, terminal_width()))
    return DONE
