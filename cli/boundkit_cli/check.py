"""``boundkit check``: a policy held against a checkpoint or a stored report."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import typer

from boundkit_cli import check_options as own
from boundkit_cli import noise_options as noise
from boundkit_cli import options as opt
from boundkit_cli import values
from boundkit_cli.confidence import Confidence, parse_confidence
from boundkit_cli.console import is_writer, progress, talk, write
from boundkit_cli.exits import DONE, GATE_FAILED
from boundkit_cli.files import check_writable, write_file
from boundkit_cli.targets import deliver, targets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from boundkit.gate.policy import Policy
    from boundkit.gate.verdict import Verdict
    from boundkit.measure.spectra import Extent

__all__ = ["check"]


def check(
    context: typer.Context,
    ckpt: own.Subject,
    policy: own.Policy = None,
    baseline: own.Baseline = None,
    certificates: own.Certificates = None,
    start: own.Start = False,
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
    initial: own.Initial = None,
    head: opt.Head = None,
    features: opt.Features = None,
    spectra: opt.Spectra = "auto",
    convention: opt.Convention = "boundkit",
    sgd_batch: noise.SgdBatch = None,
    learning_rate: noise.LearningRate = None,
    steps: noise.Steps = None,
    earlier: noise.Earlier = None,
    formats: opt.Formats = None,
    output: opt.Output = None,
    quiet: opt.Quiet = False,
) -> int:
    """Hold a checkpoint, or a stored report, against a policy; exit 1 if it fails.

    A stored report or certificate is judged as it is; a checkpoint is analyzed first,
    with the options of analyze. In a GitHub workflow the failures become annotations and
    the table goes to the step summary.

    \b
    Example:
      boundkit check net.pt --init --output policy.toml
      boundkit check net.pt --policy policy.toml
      boundkit check report.json --policy policy.toml --baseline main.json
      boundkit check net.pt.certificate.json --policy policy.toml

    \b
    Exit codes:
      0  everything holds
      1  something that the policy asks for does not hold
      2  wrong usage, or the policy does not read
      3  the input is unreadable, refused or empty
    """  # noqa: D301 - click reads a real backspace as "do not rewrap"
    from boundkit.gate.rendering import VERDICT_FORMATS

    if start == (policy is not None):
        raise typer.BadParameter(
            "give --policy FILE to check, or --init to write a policy to start from",
            param_hint="'--policy'",
        )
    wanted = targets(
        [] if start else formats or [],
        None if start else output,
        [ckpt],
        VERDICT_FORMATS,
    )
    if start and output is not None:
        check_writable(output, ckpt)
    shape, margin, parts, form = (
        values.parse_shape(input_shape),
        values.parse_gamma(gamma),
        values.parse_only(only),
        parse_confidence(confidence),
    )
    rules, older = (None, None) if policy is None else _asked(policy, baseline)
    report: Any = _stored(ckpt, own.unused(context))
    if report is None:
        if trust:
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
                init=initial,
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
        return DONE
    if rules is None:
        return _start(report, certificates or [], output, quiet)
    from boundkit.checking import check as held

    verdict = held(report, rules, baseline=older, certificates=certificates or ())
    deliver(verdict, wanted, quiet)
    _tell_github(verdict)
    return DONE if verdict.passed else GATE_FAILED


def _asked(
    policy: Path, baseline: Path | None
) -> tuple[Policy, Mapping[str, Any] | None]:
    """Read what may be wrong in little time before the analysis takes its time."""
    from boundkit.checking import require_absolute
    from boundkit.gate.reading import read_policy
    from boundkit.gate.stored import read_subject

    rules = read_policy(policy)
    if baseline is not None:
        return rules, read_subject(baseline)
    require_absolute(rules)
    return rules, None


def _stored(path: str, given: list[str]) -> Mapping[str, Any] | None:
    """Return what a stored file says, None for a checkpoint."""
    from boundkit.gate.stored import is_report, read_subject

    if not is_report(path):
        return None
    if given:
        talk(
            f"warning: {path!a} is stored and judged as it is, so {', '.join(given)} "
            "changed nothing"
        )
    return read_subject(path)


def _start(
    report: Any, certificates: list[Path], output: Path | None, quiet: bool
) -> int:
    from boundkit.checking import starting_policy

    text = starting_policy(report, certificates=certificates)
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
