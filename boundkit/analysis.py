"""The story on one page: load, layers, normalize, measure, certify, report."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from boundkit import __version__, arguments, readers
from boundkit.arguments import PARTS
from boundkit.layers import from_tensors
from boundkit.layers.structure import structure
from boundkit.measure.layer_columns import layer_columns
from boundkit.measure.norms import norms
from boundkit.measure.scan import non_finite
from boundkit.normalize import folded_tensors
from boundkit.parts.bounds import certificates, quantities, taken_on_trust
from boundkit.readers.digest import sha256
from boundkit.report import assembly
from boundkit.report.model import Certificates, Provenance, Report
from boundkit.stopwatch import Stopwatch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from boundkit.types import Certificate, Checkpoint

    Progress = Callable[[int, int | None, str], None] | None

__all__ = ["PARTS", "analyze", "load"]


def load(source: Any, *, key: str | None = None, trust: bool = False) -> Checkpoint:
    """Open a checkpoint without running anything in it.

    Args:
        source: A path, or an nn.Module or state_dict in memory.
        key: Which model, where the file holds several.
        trust: Allow code in the file to run, where it cannot be read otherwise.

    Returns:
        Lazy tensors, provenance and the ledger.

    Raises:
        CheckpointError: It is broken, not ours to open, or empty.
    """
    checkpoint = readers.read(source, key=key, trust=trust)
    _, ledger = from_tensors(checkpoint)
    return replace(checkpoint, ledger=ledger)


def analyze(
    source: Any,
    *,
    model: Any = None,
    data: Any = None,
    test_data: Any = None,
    n: int | None = None,
    input_norm: float = 1.0,
    input_shape: Sequence[int] | None = None,
    delta: float = 0.05,
    gamma: float | Literal["auto"] = "auto",
    confidence: Literal["empirical", "normalized"] = "empirical",
    loss: str | None = None,
    weight_decay: float | None = None,
    only: Sequence[str] | None = None,
    device: str = "auto",
    batch_size: int = 256,
    key: str | None = None,
    trust: bool = False,
    init: Any = None,
    progress: Progress = None,
) -> Report:
    """Analyze one checkpoint and say what learning theory can say about it.

    Args:
        source: A path, or an nn.Module or state_dict in memory.
        model: An nn.Module, or ``"pkg.mod:callable"`` or ``"file.py:callable"``.
        data: The training sample: a SPEC string, Dataset, DataLoader or (x, y).
        test_data: A sample that training has not seen.
        n: Size of the training sample, without data.
        input_norm: Norm that inputs are taken to stay below, without data.
        input_shape: Of one sample, to trace the model without data.
        delta: Probability that a certificate fails, each on its own.
        gamma: A margin fixed in advance, or ``"auto"`` for the best.
        confidence: ``"normalized"`` to rest on preprocessing that the data declare.
        loss: The training loss, recorded in the conventions.
        weight_decay: Coefficient of rho^2 in the square loss, for the equilibrium.
        only: Parts to compute, out of norms, spectra, margins, bounds; None for all.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:1"`` or ``"mps"``.
        batch_size: Samples at a time.
        key: Which model, where the file holds several.
        trust: Allow code in the file to run, where it cannot be read otherwise.
        init: The checkpoint from before training, for measures of how far it went.
        progress: Called with the number done, the total or None, and a label.

    Returns:
        The report.

    Raises:
        CheckpointError: The checkpoint is broken, not ours to open, or empty.
        DataError: The data cannot be used.
        ModelError: The model does not load, fit or run.
        UsageError: An argument is out of range or contradicts another.
    """
    clock = Stopwatch()
    parts = arguments.wanted_parts(only)
    margin = arguments.wanted_margin(gamma)
    # A module in memory is its own architecture.
    model = source if model is None and hasattr(source, "named_modules") else model
    arguments.require_sense(
        model=model,
        data=data,
        test_data=test_data,
        n=n,
        input_norm=input_norm,
        delta=delta,
        batch_size=batch_size,
        confidence=confidence,
    )
    with clock.stage("load"):
        checkpoint = readers.read(source, key=key, trust=trust)
        digest = sha256(checkpoint.files) if checkpoint.files else None
        network, ledger = from_tensors(checkpoint)
    notices = list(checkpoint.notices)
    rewritten, train, test = network, None, None
    if parts & {"margins", "bounds"}:
        with clock.stage("data"):
            from boundkit.measure.observation import observed

            seen = observed(
                network,
                checkpoint,
                model=model,
                data=data,
                test_data=test_data,
                input_shape=input_shape,
                device=device,
                batch_size=batch_size,
                progress=progress,
                normalized=confidence == "normalized",
                perturb="bounds" in parts,
            )
            network, rewritten = seen.architecture.network, seen.architecture.rewritten
            train, test = seen.train, seen.test
            notices += seen.architecture.notices
    with clock.stage("norms"):
        step = None if progress is None else _labeled(progress, "norms")
        sizes = norms(network, step)
        notices += assembly.norm_notices(network, sizes, non_finite(checkpoint, sizes))
    stored = assembly.rho(network, sizes)
    folds = folded_tensors(network, rewritten)
    ledger = assembly.folded_rows(ledger, folds)
    seen_sizes = norms(rewritten) if folds else sizes
    columns: dict[str, Mapping[str, float | None]] = {}
    if "spectra" in parts:
        with clock.stage("spectra"):
            columns, unseen = layer_columns(network, sizes, progress)
            notices += unseen
    certified: tuple[Certificate, ...] = ()
    measurements = assembly.rho_measurements(stored)
    sample = train or taken_on_trust(n, input_norm)
    if "bounds" in parts:
        with clock.stage("bounds"):
            certified = certificates(
                rewritten,
                seen_sizes,
                sample,
                test,
                delta=delta,
                gamma=margin,
                input_norm=input_norm,
            )
            measurements += assembly.heuristics(network, stored, sample, delta)
            measurements += quantities(
                network,
                rewritten,
                seen_sizes,
                sample,
                delta,
                _unchanged(columns, folds) if "spectra" in parts else None,
                init,
                trust=trust,
            )
    return Report(
        boundkit=__version__,
        checkpoint=Provenance(
            checkpoint.source,
            checkpoint.format,
            checkpoint.wrapping,
            digest,
            checkpoint.nbytes,
            len(ledger),
            assembly.parameters(ledger),
        ),
        conventions=MappingProxyType({
            "conv_norm": "filter",
            "spectra": "filter matrix, outputs x rest",
            "delta": delta,
            "n": sample.n if sample else None,
            "input_norm": None if train else input_norm,
            "gamma": gamma,
            "device": device,
            "loss": loss,
            "weight_decay": weight_decay,
            "architecture": "traced" if network.nodes else "not known",
            "data": arguments.named(data),
            "test_data": arguments.named(test_data),
            "init": arguments.named(init),
            "confidence": arguments.form_of(confidence),
            "rewrites": list(rewritten.rewrites),
            "structure": {k: len(v) for k, v in structure(network).items()},
            "head": assembly.head_convention(network.outputs),
        }),
        ledger=ledger,
        coverage=assembly.coverage(ledger),
        layers=assembly.layer_rows(network, sizes, columns),
        rho_stored=stored,
        rho_folded=assembly.rho(rewritten, seen_sizes) if folds else None,
        measurements=measurements,
        certificates=Certificates(certified),
        margins=assembly.margins(train, test, stored, weight_decay)
        if "margins" in parts
        else None,
        collapse=None,
        noise=None,
        warnings=tuple(notices),
        seconds=clock.read(),
    )


def _unchanged(
    columns: Mapping[str, Mapping[str, float | None]], folds: Mapping[str, str]
) -> dict[str, Mapping[str, float | None]]:
    """Return the columns of layers that nothing was folded into."""
    touched = set(folds.values())
    return {name: row for name, row in columns.items() if name not in touched}


def _labeled(
    progress: Callable[[int, int | None, str], None], label: str
) -> Callable[[int, int], None]:
    return lambda done, total: progress(done, total, label)
