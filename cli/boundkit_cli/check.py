"""``boundkit check``: a policy held against a checkpoint or a stored report."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from boundkit_cli import options as opt
from boundkit_cli.console import progress, talk, write
from boundkit_cli.exits import DONE, GATE_FAILED
from boundkit_cli.files import check_writable, write_file
from boundkit_cli.targets import deliver, targets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from boundkit.gate.policy import Policy
    from boundkit.gate.verdict import Verdict

__all__ = ["check"]

_Subject = Annotated[
    str,
    typer.Argument(
        metavar="CKPT", help="A checkpoint, or a report that analyze wrote as JSON."
    ),
]
_Policy = Annotated[
    Path | None,
    typer.Option("--policy", metavar="FILE", help="What to ask for, in TOML."),
]
_Baseline = Annotated[
    Path | None,
    typer.Option(
        "--baseline",
        metavar="REPORT.json",
        help="An older report, for limits such as max_increase.",
    ),
]
_Init = Annotated[
    bool,
    typer.Option(
        "--init",
        help="Write a commented policy that the checkpoint passes, to --output or "
        "stdout.",
    ),
]


def check(
    ckpt: _Subject,
    policy: _Policy = None,
    baseline: _Baseline = None,
    init: _Init = False,
    model: opt.Model = None,
    data: opt.Data = None,
    test_data: opt.TestData = None,
    n: opt.SampleSize = None,
    input_norm: opt.InputNorm = 1.0,
    input_shape: opt.InputShape = None,
    delta: opt.Delta = 0.05,
    loss: opt.Loss = None,
    weight_decay: opt.WeightDecay = None,
    only: opt.Only = None,
    device: opt.Device = "auto",
    batch_size: opt.BatchSize = 256,
    key: opt.Key = None,
    trust: opt.Trust = False,
    formats: opt.Formats = None,
    output: opt.Output = None,
    quiet: opt.Quiet = False,
) -> int:
    """Hold a checkpoint, or a stored report, against a policy; exit 1 if it fails.

    A stored report is judged as it is; a checkpoint is analyzed first, with the options
    of analyze. In a GitHub workflow the failures become annotations and the table goes
    to the step summary.

    \b
    Example:
      boundkit check net.pt --init --output policy.toml
      boundkit check net.pt --policy policy.toml
      boundkit check report.json --policy policy.toml --baseline main.json

    \b
    Exit codes:
      0  everything holds
      1  something that the policy asks for does not hold
      2  wrong usage, or the policy does not read
      3  the input is unreadable, refused or empty
    """  # noqa: D301 - click reads a real backspace as "do not rewrap"
    from boundkit.gate.rendering import VERDICT_FORMATS

    if init == (policy is not None):
        raise typer.BadParameter(
            "give --policy FILE to check, or --init to write a policy to start from",
            param_hint="'--policy'",
        )
    wanted = targets(
        [] if init else formats or [], None if init else output, [ckpt], VERDICT_FORMATS
    )
    if init and output is not None:
        check_writable(output, ckpt)
    rules, older = (None, None) if policy is None else _asked(policy, baseline)
    if trust:
        talk(f"warning: --trust lets code inside {ckpt!a} run on this machine")
    shape, parts = opt.parse_shape(input_shape), opt.parse_only(only)
    report: Any = _stored(ckpt)
    if report is None:
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
                loss=loss,
                weight_decay=weight_decay,
                only=parts,
                device=device,
                batch_size=batch_size,
                key=key,
                trust=trust,
                progress=reporter,
            )
    if rules is None:
        return _start(report, output, quiet)
    from boundkit.checking import check as held

    verdict = held(report, rules, baseline=older)
    deliver(verdict, wanted, quiet)
    _tell_github(verdict)
    return DONE if verdict.passed else GATE_FAILED


def _asked(
    policy: Path, baseline: Path | None
) -> tuple[Policy, Mapping[str, Any] | None]:
    """Read what may be wrong in little time before the analysis takes its time."""
    from boundkit.checking import require_absolute
    from boundkit.gate.reading import read_policy
    from boundkit.gate.stored import read_report

    rules = read_policy(policy)
    if baseline is not None:
        return rules, read_report(baseline)
    require_absolute(rules)
    return rules, None


def _stored(path: str) -> Mapping[str, Any] | None:
    from boundkit.gate.stored import is_report, read_report

    return read_report(path) if is_report(path) else None


def _start(report: Any, output: Path | None, quiet: bool) -> int:
    from boundkit.checking import starting_policy

    text = starting_policy(report)
    if output is None:
        write(text)
        return DONE
    write_file(output, text)
    if not quiet:
        talk(f"wrote {output}")
    return DONE


def _tell_github(verdict: Verdict) -> None:
    from boundkit.gate.rendering import markdown, workflow_commands

    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        try:
            with Path(summary).open("a", encoding="utf-8") as file:
                file.write(markdown(verdict))
        except OSError as error:
            talk(f"warning: cannot write the step summary: {error.strerror}")
    if os.environ.get("GITHUB_ACTIONS") == "true" and not verdict.passed:
        # The service reads commands on either stream; stdout is for data.
        import sys

        sys.stderr.write(workflow_commands(verdict))
