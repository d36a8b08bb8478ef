"""``boundkit holdout``: the exact bound from samples that training has not seen."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from boundkit_cli import options as opt
from boundkit_cli import values
from boundkit_cli.console import progress, show, talk, terminal_width, write
from boundkit_cli.exits import DONE
from boundkit_cli.files import check_writable

__all__ = ["holdout"]

_Held = Annotated[
    str | None,
    typer.Option(
        "--data",
        metavar="SPEC",
        help="Samples that training has not seen, as --data of analyze.",
    ),
]
_Selections = Annotated[
    int,
    typer.Option(
        "--selections",
        metavar="T",
        callback=values.at_least_one,
        help="How many networks were compared on these samples.",
    ),
]
_Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="Write the certificate, a .json file."),
]
_Json = Annotated[
    bool, typer.Option("--json", help="Print the certificate as JSON to stdout.")
]


def holdout(
    ckpt: opt.Ckpt,
    model: opt.Model = None,
    data: _Held = None,
    selections: _Selections = 1,
    delta: opt.Delta = 0.05,
    out: _Out = None,
    json: _Json = False,
    device: opt.Device = "auto",
    batch_size: opt.BatchSize = 1000,
    key: opt.Key = None,
    trust: opt.Trust = False,
    quiet: opt.Quiet = False,
) -> int:
    """Certify a network as it is, by samples that training has not seen.

    \b
    Example:
      boundkit holdout net.pt --model net.py:make --data test.npz
    """  # noqa: D301 - click reads a real backspace as "do not rewrap"
    if out is not None:
        check_writable(out, ckpt)
    if trust:
        talk(f"warning: --trust lets code inside {ckpt!a} run on this machine")
    from boundkit.posthoc.certificate import rendered
    from boundkit.posthoc.holding_out import holdout as held
    from boundkit.posthoc.wording import certificate_lines

    with progress(quiet) as reporter:
        found = held(
            ckpt,
            data=data,
            model=model,
            selections=selections,
            delta=delta,
            out=out,
            device=device,
            batch_size=batch_size,
            key=key,
            trust=trust,
            progress=reporter,
        )
    if json:
        write(rendered(found))
    else:
        show(certificate_lines(found, terminal_width()))
    return DONE
