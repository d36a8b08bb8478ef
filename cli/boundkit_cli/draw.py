"""``boundkit draw``: a certificate for one random network near a trained one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from boundkit_cli import options as opt
from boundkit_cli.console import progress, show, talk, terminal_width, write
from boundkit_cli.exits import DONE
from boundkit_cli.values import parse_seconds

__all__ = ["draw"]

_Init = Annotated[
    str | None,
    typer.Option(
        "--init",
        metavar="CKPT",
        help="The checkpoint from before training, as the center of the prior.",
    ),
]
_Prior = Annotated[
    str | None,
    typer.Option("--prior", metavar="zero", help="Center the prior at zero (default)."),
]
_Budget = Annotated[
    str, typer.Option("--budget", metavar="60s|2m", help="Time for the search.")
]
_Steps = Annotated[
    int | None,
    typer.Option(
        "--steps",
        metavar="INT",
        help="Steps of the search at most; below what the budget allows, runs repeat.",
    ),
]
_Draws = Annotated[
    int,
    typer.Option("--draws", metavar="INT", help="Networks to draw; each is paid for."),
]
_Unlabelled = Annotated[
    str | None,
    typer.Option(
        "--unlabelled",
        metavar="SPEC",
        help="Fresh inputs without labels: the bridge to the original network.",
    ),
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
_SystemSeed = Annotated[
    bool,
    typer.Option(
        "--system-seed", help="Take the seed from the system instead of from a hash."
    ),
]
_Json = Annotated[
    bool, typer.Option("--json", help="Print the certificate as JSON to stdout.")
]


def draw(
    ckpt: opt.Ckpt,
    model: opt.Model = None,
    data: opt.Data = None,
    init: _Init = None,
    prior: _Prior = None,
    unlabelled: _Unlabelled = None,
    test_data: opt.TestData = None,
    delta: opt.Delta = 0.05,
    budget: _Budget = "60s",
    steps: _Steps = None,
    draws: _Draws = 16,
    system_seed: _SystemSeed = False,
    out: _Out = None,
    json: _Json = False,
    device: opt.Device = "auto",
    batch_size: opt.BatchSize = 1000,
    key: opt.Key = None,
    trust: opt.Trust = False,
    quiet: opt.Quiet = False,
) -> int:
    """Certify one random network near a trained one, by its training data alone.

    The certificate is for the weights in --out, not for CKPT; --unlabelled builds the
    bridge back. Ctrl-C ends the search and keeps the best found so far.

    \b
    Example:
      boundkit draw net.pt --model net.py:make --data train.npz --out certified.pt
      boundkit verify certified.pt.certificate.json certified.pt \\
          --model net.py:make --data train.npz
    """  # noqa: D301 - click reads a real backspace as "do not rewrap"
    if prior not in {None, "zero"} or (prior and init):
        raise typer.BadParameter(
            "give --prior zero, or --init CKPT for the start of training",
            param_hint="'--prior'",
        )
    seconds = parse_seconds(budget)
    if trust:
        talk(f"warning: --trust lets code inside {ckpt!a} run on this machine")
    from boundkit.posthoc.certificate import rendered
    from boundkit.posthoc.drawing import draw as drawn
    from boundkit.posthoc.published import certificate_path
    from boundkit.posthoc.wording import certificate_lines

    with progress(quiet) as reporter:
        found = drawn(
            ckpt,
            data=data,
            model=model,
            init=init,
            unlabelled=unlabelled,
            test_data=test_data,
            delta=delta,
            budget=seconds,
            steps=steps,
            draws=draws,
            system_seed=system_seed,
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
