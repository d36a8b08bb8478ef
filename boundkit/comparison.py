"""Checkpoints of one architecture side by side."""

from __future__ import annotations

from functools import partial
from string import ascii_uppercase
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from boundkit import __version__, analysis, readers
from boundkit.errors import UsageError
from boundkit.layers import from_tensors
from boundkit.pairwise import agreements, pairs
from boundkit.relative import relative
from boundkit.report.comparison_model import ComparedLayer, Comparison
from boundkit.report.model import Report
from boundkit.resemblance import (
    outline_of_network,
    outline_of_report,
    require_one_architecture,
    require_one_convention,
)
from boundkit.stopwatch import Stopwatch
from boundkit.types import Notice

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from boundkit.report.comparison_model import Relative
    from boundkit.resemblance import Outline
    from boundkit.types import Certificate

    Progress = Callable[[int, int | None, str], None] | None

__all__ = ["compare"]

#: Spectra tell nothing about whose bound is smaller.
_PARTS = ("norms", "margins", "bounds")


def compare(
    sources: Sequence[Any],
    *,
    model: Any = None,
    data: Any = None,
    test_data: Any = None,
    n: int | None = None,
    input_norm: float = 1.0,
    input_shape: Sequence[int] | None = None,
    delta: float = 0.05,
    gamma: float | Literal["auto"] = "auto",
    margin_loss: float | None = None,
    device: str = "auto",
    batch_size: int = 256,
    key: str | None = None,
    trust: bool = False,
    progress: Progress = None,
) -> Comparison:
    """Compare the bounds of nets of one architecture, trained on one sample.

    Relative generalization, Xu, Rangamani, Liao, Galanti, Poggio, Dynamics in deep
    classifiers trained with the square loss, equations (17) and (18): at equal margin
    loss the bounds of two nets differ by rho / gamma alone. It is a comparison of upper
    bounds, not of errors.

    Args:
        sources: At least two, of one architecture: paths, modules, state_dicts in
            memory, or reports that ``analyze`` returned.
        model: As for ``analyze``; one for all nets.
        data: The training sample; without it margin 1 is assumed for every net.
        test_data: A sample that training has not seen, to hold the order against.
        n: Size of the training sample, without data.
        input_norm: Norm that inputs are taken to stay below, without data.
        input_shape: Of one sample, to trace the model without data.
        delta: Probability that a certificate fails, each on its own.
        gamma: Margin of the certificates, or ``"auto"`` for the best.
        margin_loss: Share of the training margins below the margins compared: 0, 0.01,
            0.05, 0.1 or 0.5; None for the smallest at which every net's is positive.
        device: Where to run.
        batch_size: Samples at a time.
        key: Which model, where a file holds several.
        trust: Allow code in the files to run, where they cannot be read otherwise.
        progress: Called with the number done, the total or None, and a label.

    Returns:
        The comparison.

    Raises:
        CheckpointError: A checkpoint is broken, not ours to open, or empty.
        DataError: The data cannot be used.
        ModelError: The model does not load, fit or run.
        UsageError: The architectures or conventions differ, there are fewer than two
            sources, or an argument is out of range or contradicts another.
    """
    clock = Stopwatch()
    if len(sources) < 2:
        raise UsageError(
            f"compare needs at least two checkpoints, but got {len(sources)}"
        )
    with clock.stage("open"):
        outlines = [_outline(source, key=key, trust=trust) for source in sources]
        require_one_architecture(outlines)
    look = partial(
        analysis.analyze,
        model=model,
        data=data,
        test_data=test_data,
        n=n,
        input_norm=input_norm,
        input_shape=input_shape,
        delta=delta,
        gamma=gamma,
        only=_PARTS,
        device=device,
        batch_size=batch_size,
        key=key,
        trust=trust,
    )
    with clock.stage("analyze"):
        reports = [
            source
            if isinstance(source, Report)
            else look(source, progress=_placed(progress, f"{place}/{len(sources)}"))
            for place, source in enumerate(sources, 1)
        ]
    require_one_convention(reports)
    ran_alike = not any(isinstance(source, Report) for source in sources)
    return _compared(reports, margin_loss, ran_alike, clock)


def _compared(
    reports: Sequence[Report],
    margin_loss: float | None,
    ran_alike: bool,
    clock: Stopwatch,
) -> Comparison:
    labels = tuple(map(_label, range(len(reports))))
    found = relative(labels, reports, margin_loss, ran_alike=ran_alike)
    certificates = _certificates(reports)
    return Comparison(
        boundkit=__version__,
        labels=labels,
        reports=tuple(reports),
        layers=_layers(reports),
        certificates=certificates,
        relative=found,
        pairs=pairs(labels, found),
        agreements=agreements(labels, found, certificates),
        warnings=(
            *_same_bytes(labels, reports),
            *_doubts(labels, found),
            *_inherited(labels, reports),
        ),
        seconds=clock.read(),
    )


def _outline(source: Any, *, key: str | None, trust: bool) -> Outline:
    if isinstance(source, Report):
        return outline_of_report(source)
    checkpoint = readers.read(source, key=key, trust=trust)
    network, ledger = from_tensors(checkpoint)
    return outline_of_network(checkpoint.source, network, ledger)


def _placed(progress: Progress, place: str) -> Progress:
    if progress is None:
        return None
    return lambda done, total, label: progress(done, total, f"{place} {label}")


def _label(place: int) -> str:
    """Return A to Z, then AA, AB and so on, as spreadsheets name their columns."""
    before, letter = divmod(place, len(ascii_uppercase))
    return (_label(before - 1) if before else "") + ascii_uppercase[letter]


def _layers(reports: Sequence[Report]) -> tuple[ComparedLayer, ...]:
    """Return the layers in the order of the first net."""
    rows = [{layer.name: layer for layer in report.layers} for report in reports]
    return tuple(
        ComparedLayer(
            layer.name,
            layer.kind,
            layer.shape,
            layer.counted,
            tuple(row[layer.name].rho for row in rows),
            tuple(row[layer.name].log10_rho for row in rows),
        )
        for layer in reports[0].layers
    )


def _certificates(
    reports: Sequence[Report],
) -> Mapping[str, tuple[Certificate, ...]]:
    """Return the bounds that every report has, in the order of the first."""
    tables = [report.certificates for report in reports]
    return MappingProxyType({
        bound: tuple(table[bound] for table in tables)
        for bound in tables[0]
        if all(bound in table for table in tables)
    })


def _same_bytes(labels: Sequence[str], reports: Sequence[Report]) -> list[Notice]:
    groups: dict[str, list[str]] = {}
    for label, report in zip(labels, reports, strict=True):
        if report.checkpoint.sha256 is not None:
            groups.setdefault(report.checkpoint.sha256, []).append(label)
    return [
        Notice(
            "same-bytes", f"{_and(group)} are the same bytes, so their numbers agree"
        )
        for group in groups.values()
        if len(group) > 1
    ]


def _doubts(labels: Sequence[str], found: Relative) -> list[Notice]:
    """Say which nets are not ranked, and whether another margin loss ranks otherwise."""
    chosen, notices = found.chosen, []
    for label, rho, margin in zip(labels, found.rhos, chosen.margins, strict=True):
        if rho.log10 is None:
            why = f"{label} is not ranked: its rho has no logarithm"
            notices.append(Notice("not-ranked", why))
        elif margin is None:
            why = (
                f"{label} is not ranked: its margin is not positive at this margin loss"
            )
            notices.append(Notice("not-ranked", why))
    shares = [
        f"{level.margin_loss:g}"
        for level in found.levels
        if level.ranking != chosen.ranking and level.margin_loss is not None
    ]
    if shares:
        why = f"at margin loss {_and(shares)} the ranking is another one"
        notices.append(Notice("order-depends-on-margin", why))
    return notices


def _inherited(labels: Sequence[str], reports: Sequence[Report]) -> list[Notice]:
    """Return the warnings of the nets, one that several share once."""
    owners: dict[Notice, list[str]] = {}
    for label, report in zip(labels, reports, strict=True):
        for notice in report.warnings:
            owners.setdefault(notice, []).append(label)
    return [
        Notice(notice.code, f"{_and(who)}: {notice.message}", notice.tensor)
        for notice, who in owners.items()
    ]


def _and(words: Sequence[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
